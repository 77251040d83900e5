"""A Neo4j without Docker: assembled from Maven Central into a cache folder, started hardened and on loopback.

Used by the tests, by ``make neo4j-home`` (assemble) and by ``make neo4j`` (a server for a person)::

    python -m neuromfa.graph.servers.neo4j_home assemble
    python -m neuromfa.graph.servers.neo4j_home run --folder var/neo4j --bolt-port 7687 --http-port 7474

``NEUROMFA_NEO4J_VERSION=2026.09.0`` before any of these, and before ``make test``, takes that version instead.
"""

import argparse
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from neuromfa.errors import StoreUnavailable
from neuromfa.graph.servers.locks import FileLock
from neuromfa.graph.servers.marks import ServerMark
from neuromfa.graph.servers.ports import LOOPBACK, accepts, free_ports

HOME_VARIABLE = "NEUROMFA_NEO4J_HOME"
VERSION_VARIABLE = "NEUROMFA_NEO4J_VERSION"
COMPLETE = ".complete"
ASSEMBLE_S = 1800.0
START_S = 120.0
STOP_S = 30.0
LOG_TAIL_LINES = 12
USER = "neo4j"
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Release:
    """One Neo4j version and how it is started.

    Attributes
    ----------
    version, browser : versions of the server and of Neo4j Browser on Maven Central
    main_class : what the JVM runs
    java : major versions of Java it runs on
    settings : settings only this version knows
    """

    version: str
    browser: str
    main_class: str
    java: tuple[int, ...]
    settings: Mapping[str, str] = field(default_factory=dict)


LTS = Release("5.26.31", "5.24.0", "org.neo4j.server.CommunityEntryPoint", (17, 21))
CALENDAR = Release(
    "2026.09.0",
    "5.24.0",
    "org.neo4j.server.Neo4jCommunity",
    (21, 25),
    {"server.fleet_discovery.enabled": "false", "dbms.fleet_manager.enabled": "false"},
)
RELEASES = {release.version: release for release in (LTS, CALENDAR)}

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>neuromfa</groupId>
  <artifactId>neo4j-home</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.neo4j</groupId><artifactId>neo4j</artifactId><version>{version}</version></dependency>
    <dependency>
      <groupId>org.neo4j.client</groupId><artifactId>neo4j-browser</artifactId><version>{browser}</version>
    </dependency>
  </dependencies>
</project>
"""

# What every Neo4j of ours has, in docker-compose.yml too: reading must not reach files or the network, and no
# transaction may run for ever, wait for ever, or take all memory.
BARRIER = {
    "server.directories.import": "import",
    "dbms.security.allow_csv_import_from_file_urls": "false",
    "internal.dbms.cypher_ip_blocklist": "0.0.0.0/0,::/0",
    "db.transaction.timeout": "2m",
    "db.lock.acquisition.timeout": "30s",
    "db.memory.transaction.max": "256m",
    "dbms.usage_report.enabled": "false",
}
# On this machine besides: loopback only, a dead peer is noticed within ten seconds, and SIGTERM does not take ten
# seconds.
HARDENED = BARRIER | {
    "server.default_listen_address": LOOPBACK,
    "server.https.enabled": "false",
    "internal.server.bolt.thread_pool_shutdown_wait_time": "0s",
    "server.bolt.connection_keep_alive": "5s",
    "server.bolt.connection_keep_alive_for_requests": "ALL",
    "server.memory.pagecache.size": "64m",
}


def chosen_release() -> Release:
    """Return the version the environment names, else the LTS.

    Raises
    ------
    StoreUnavailable
        We do not know how to start that version; the message names those we do.
    """
    version = os.environ.get(VERSION_VARIABLE) or LTS.version
    if version not in RELEASES:
        raise StoreUnavailable(f"{VERSION_VARIABLE} is {version!r}; known are {' and '.join(RELEASES)}")
    return RELEASES[version]


def home_folder(release: Release | None = None) -> Path:
    """Return where the jars are or will be: the environment's folder, else one in the user's cache."""
    chosen = chosen_release()
    release = release or chosen
    named = os.environ.get(HOME_VARIABLE)
    if named and release is chosen:
        return Path(named)
    return Path.home() / ".cache" / "neuromfa" / f"neo4j-{release.version}"


def is_assembled(home: Path) -> bool:
    """Tell whether `assemble` has finished in this folder."""
    return (home / COMPLETE).exists()


def find_java(release: Release | None = None) -> str:
    """Return a Java that runs this Neo4j: of JAVA_HOME, of the path, or of the usual folder of Linux systems.

    Raises
    ------
    StoreUnavailable
        None is installed; the message says how to get one.
    """
    release = release or chosen_release()
    home = os.environ.get("JAVA_HOME")
    usual = sorted(Path("/usr/lib/jvm").glob("*/bin/java"))
    candidates = [f"{home}/bin/java" if home else None, shutil.which("java"), *map(str, usual)]
    for java in candidates:
        if java and Path(java).exists() and _java_major(java) in release.java:
            return java
    wanted = " or ".join(map(str, release.java))
    raise StoreUnavailable(
        f"Neo4j {release.version} needs Java {wanted} and none was found; install it (Debian and Ubuntu: "
        f"apt-get install openjdk-{release.java[0]}-jdk-headless) or point JAVA_HOME to it"
    )


def _java_major(java: str) -> int:
    """Return the major version, 0 for something that is no Java."""
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    match = re.search(r'version "(\d+)', said.stderr)
    return int(match.group(1)) if match else 0


def assemble(home: Path, release: Release | None = None) -> Path:
    """Fetch all jars of Neo4j and its Browser from Maven Central into ``home/lib``, once; return `home`.

    Raises
    ------
    StoreUnavailable
        Maven or Java is missing, or Maven failed (with the end of what it said).
    """
    if is_assembled(home):
        return home
    release = release or chosen_release()
    find_java(release)
    maven = shutil.which("mvn")
    if maven is None:
        raise StoreUnavailable(
            "Maven is needed to fetch Neo4j and was not found; install it "
            "(Debian and Ubuntu: apt-get install maven)"
        )
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / ".lock") as lock:
        lock.wait(seconds=ASSEMBLE_S)
        if not is_assembled(home):
            _fetch(maven, home, release)
    return home


def _fetch(maven: str, home: Path, release: Release) -> None:
    """Let Maven copy all jars into ``home/lib``."""
    (home / "pom.xml").write_text(POM.format(version=release.version, browser=release.browser))
    command = [
        maven,
        "-B",
        "-q",
        "dependency:copy-dependencies",
        "-DoutputDirectory=lib",
        "-DincludeScope=runtime",
    ]
    done = subprocess.run(  # noqa: S603  no shell, a fixed command
        command, cwd=home, capture_output=True, text=True, check=False, timeout=ASSEMBLE_S
    )
    if done.returncode != 0:
        raise StoreUnavailable(
            f"Maven could not fetch Neo4j into {home}:\n{_tail(done.stdout + done.stderr)}"
        )
    (home / COMPLETE).touch()


class Neo4jServer:
    """A Neo4j of one data folder, listening on loopback only.

    Parameters
    ----------
    folder : data folder of this server; made when missing
    home : where `assemble` put the jars; several servers may share it
    password : of user neo4j, set before the first start and of no effect later
    bolt_port, http_port : None takes a free one
    heap : memory of the JVM
    quick_start : trade peak speed for an earlier first answer
    settings : further lines of neo4j.conf
    release : the version in `home`; None is what the environment names, else the LTS
    """

    def __init__(
        self,
        folder: Path,
        *,
        home: Path,
        password: str,
        bolt_port: int | None = None,
        http_port: int | None = None,
        heap: str = "512m",
        quick_start: bool = False,
        settings: Mapping[str, str] | None = None,
        release: Release | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.password = password
        free = free_ports(2)
        self.bolt_port = bolt_port or free[0]
        self.http_port = http_port or free[1]
        self._home, self._release = home.absolute(), release or chosen_release()
        self._flags = [f"-Xmx{heap}", "-XX:+UseSerialGC"] + (
            ["-XX:TieredStopAtLevel=1"] if quick_start else []
        )
        self._extra = dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._mark = ServerMark(self.folder)

    @property
    def uri(self) -> str:
        """Bolt address."""
        return f"bolt://{LOOPBACK}:{self.bolt_port}"

    @property
    def auth(self) -> tuple[str, str]:
        """User and password."""
        return USER, self.password

    @property
    def pid(self) -> int | None:
        """Process of the server, None while it is down."""
        return self._process.pid if self._process else None

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "logs" / "console.log"

    def start(self) -> None:
        """Start the server and wait until it accepts connections on Bolt.

        On Linux it ends with the thread that calls this, however that ends; call it from the main thread.

        Raises
        ------
        StoreUnavailable
            Another Neo4j runs in the folder, a port is taken, `home` holds another version, or the server ended or
            said nothing for too long (with the end of its log).
        """
        self._mark.take()
        try:
            self._refuse_taken_ports()
            self._refuse_another_version()
            self._lay_out()
            self._set_password()
            self._process = self._launched()
            self._mark.write(self._process.pid)
            self._wait_until_up()
        except BaseException:
            self.stop()
            raise

    def _launched(self) -> "subprocess.Popen[bytes]":
        """Run the server; it inherits the mark of the folder and so holds it until it has ended."""
        command = [*self._java(), self._release.main_class, f"--home-dir={self.folder}"]
        command += [f"--config-dir={self.folder / 'conf'}", "--console-mode"]
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603  no shell, a fixed command
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,
                preexec_fn=_end_with_parent,
                pass_fds=(self._mark.fileno(),),
            )

    def stop(self) -> None:
        """Stop the server and wait until it is gone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._forget()

    def kill(self) -> None:
        """End the server without warning, as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._forget()

    def _forget(self) -> None:
        self._process = None
        self._mark.close()

    def wait(self) -> int:
        """Wait until the server ends by itself; return its exit code."""
        return self._process.wait() if self._process else 0

    def __enter__(self) -> "Neo4jServer":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _refuse_taken_ports(self) -> None:
        for port in (self.bolt_port, self.http_port):
            if accepts(port):
                raise StoreUnavailable(
                    f"port {port} is taken; stop what listens there or choose another port"
                )

    def _refuse_another_version(self) -> None:
        version = self._release.version
        if not (self._home / "lib" / f"neo4j-{version}.jar").exists():
            raise StoreUnavailable(
                f"{self._home} holds no Neo4j {version}; {VERSION_VARIABLE} says which version runs, and "
                f"{HOME_VARIABLE} where its jars are"
            )

    def _lay_out(self) -> None:
        """Make the folders and neo4j.conf."""
        for name in ("conf", "data", "logs", "run", "import", "plugins"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        bolt, http = f"{LOOPBACK}:{self.bolt_port}", f"{LOOPBACK}:{self.http_port}"
        settings = HARDENED | {
            "server.bolt.listen_address": bolt,
            "server.bolt.advertised_address": bolt,
            "server.http.listen_address": http,
            "server.http.advertised_address": http,
        }
        settings |= dict(self._release.settings) | self._extra
        lines = [f"{name}={value}" for name, value in settings.items()]
        (self.folder / "conf" / "neo4j.conf").write_text("\n".join(lines) + "\n")

    def _java(self) -> list[str]:
        """Return the JVM's command up to the class; the jars stand before plugins on the class path."""
        path = f"{self._home}/lib/*:{self.folder}/plugins/*:{self.folder}/conf/*"
        return [find_java(self._release), *self._flags, "-cp", path]

    def _set_password(self) -> None:
        """Set the first password; a folder that has one keeps it."""
        marker = self.folder / "data" / ".password-set"
        if marker.exists():
            return
        command = [
            find_java(self._release),
            "-Xmx128m",
            "-cp",
            f"{self._home}/lib/*",
            f"-Dbasedir={self.folder}",
        ]
        command += [
            "org.neo4j.server.startup.Neo4jAdminCommand",
            "dbms",
            "set-initial-password",
            self.password,
        ]
        places = {"NEO4J_HOME": str(self.folder), "NEO4J_CONF": str(self.folder / "conf")}
        done = subprocess.run(  # noqa: S603  no shell, a fixed command
            command, env=os.environ | places, capture_output=True, text=True, check=False, timeout=START_S
        )
        if done.returncode != 0:
            raise StoreUnavailable(f"Neo4j refused its first password:\n{_tail(done.stdout + done.stderr)}")
        marker.touch(mode=0o600)

    def _wait_until_up(self) -> None:
        process, until = self._process, time.monotonic() + START_S
        while process is not None and process.poll() is None and time.monotonic() < until:
            if accepts(self.bolt_port) and accepts(self.http_port):
                return
            time.sleep(0.1)
        self.kill()
        text = self.log.read_text(errors="replace")
        raise StoreUnavailable(
            f"Neo4j in {self.folder} did not start; the end of {self.log} says:\n{_tail(text)}"
        )


def _end_with_parent() -> None:
    """Ask the kernel to stop this process with the thread that starts it, so that a kill -9 leaves no server."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-LOG_TAIL_LINES:])


def main(arguments: list[str] | None = None) -> int:
    """Assemble, or run a server until Ctrl-C; every failure is one sentence and exit code 1."""
    parser = argparse.ArgumentParser(description="Neo4j from Maven Central, without Docker")
    parser.add_argument("command", choices=["assemble", "run"])
    parser.add_argument(
        "--home", type=Path, default=None, help=f"jars (default: {HOME_VARIABLE} or the user's cache)"
    )
    parser.add_argument("--folder", type=Path, default=Path("var/neo4j"), help="data folder of the server")
    parser.add_argument("--password", default=os.environ.get("NEUROMFA_NEO4J_PASSWORD", "neuromfa-local"))
    parser.add_argument("--bolt-port", type=int, default=7687)
    parser.add_argument("--http-port", type=int, default=7474)
    parser.add_argument("--quiet", action="store_true", help="say nothing when all goes well")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a line of neo4j.conf"
    )
    chosen = parser.parse_args(arguments)
    try:
        release = chosen_release()
        home = chosen.home or home_folder()
        if not is_assembled(home) and not chosen.quiet:
            sys.stdout.write(
                f"fetching Neo4j {release.version} from Maven Central into {home} (up to 170 MB, once)\n"
            )
        assemble(home, release)
        if chosen.command == "run":
            _run(chosen, home)
    except StoreUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _run(chosen: argparse.Namespace, home: Path) -> None:
    settings = dict(line.split("=", 1) for line in chosen.set)
    server = Neo4jServer(
        chosen.folder,
        home=home,
        password=chosen.password,
        bolt_port=chosen.bolt_port,
        http_port=chosen.http_port,
        settings=settings,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with server:
        sys.stdout.write(f"{server.uri}  http://localhost:{server.http_port}/browser/  user {USER}\n")
        sys.stdout.flush()
        try:
            server.wait()
        except KeyboardInterrupt:
            sys.stdout.write("stopping\n")


if __name__ == "__main__":
    sys.exit(main())
