"""A Neo4j without Docker: assembled from Maven Central into a cache folder, started hardened and on loopback.

Used by the tests, by ``make neo4j-home`` (assemble) and by ``make neo4j`` (a server for a person)::

    python -m neuromfa.servers.neo4j_server assemble --classes
    python -m neuromfa.servers.neo4j_server run --folder var/neo4j --bolt-port 7687 --http-port 7474

``NEUROMFA_NEO4J_VERSION=2026.09.0`` before any of these, and before ``make test``, takes that version instead.
"""

import argparse
import ctypes
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from neuromfa import extras
from neuromfa.errors import StoreUnavailable
from neuromfa.servers.log_tail import last_lines
from neuromfa.servers.neo4j_assembly import (
    HOME_VARIABLE,
    VERSION_VARIABLE,
    Release,
    archive_file,
    assemble,
    chosen_release,
    find_java,
    home_folder,
    is_assembled,
)
from neuromfa.servers.ports import LOOPBACK, accepts, free_ports
from neuromfa.servers.server_lock import ServerMark

START_S = 120.0
STOP_S = 30.0
KEEP_S = 180.0
USER = "neo4j"
PR_SET_PDEATHSIG = 1
BRIEF_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""For a JVM that lives for seconds: one thread collects, and nothing is compiled for a long run."""
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


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

    def stop(self, *, seconds: float = STOP_S) -> None:
        """Stop the server and wait until it is gone; one that takes longer is killed."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(seconds)
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
        java = find_java(self._release)
        kept = archive_file(self._home, java)
        archive = [f"-XX:SharedArchiveFile={kept}"] if kept.exists() else []
        return [java, *self._flags, *archive, "-cp", path]

    def _set_password(self) -> None:
        """Set the first password; a folder that has one keeps it."""
        marker = self.folder / "data" / ".password-set"
        if marker.exists():
            return
        command = [
            find_java(self._release),
            *("-Xmx128m", *BRIEF_JVM),
            "-cp",
            f"{self._home}/lib/*",
            f"-Dbasedir={self.folder}",
        ]
        command += [
            "org.neo4j.server.startup.Neo4jAdminCommand",
            "dbms",
            "set-initial-password",
            "--",  # a password may begin with a dash
            self.password,
        ]
        places = {"NEO4J_HOME": str(self.folder), "NEO4J_CONF": str(self.folder / "conf")}
        done = subprocess.run(  # noqa: S603  no shell, a fixed command
            command, env=os.environ | places, capture_output=True, text=True, check=False, timeout=START_S
        )
        if done.returncode != 0:
            raise StoreUnavailable(
                f"Neo4j refused its first password:\n{last_lines(done.stdout + done.stderr)}"
            )
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
            f"Neo4j in {self.folder} did not start; the end of {self.log} says:\n{last_lines(text)}"
        )


def _end_with_parent() -> None:
    """Ask the kernel to stop this process with the thread that starts it, so that a kill -9 leaves no server."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def keep_classes(home: Path, release: Release | None = None) -> None:
    """Keep what a start and a first query load, beside the jars, once: later starts take half the work.

    Java passes over what another Java or other jars have left, so nothing depends on it.

    Raises
    ------
    StoreUnavailable
        There is no Java, or the server does not start.
    """
    kept = archive_file(home, find_java(release))
    if kept.exists():
        return
    draft = kept.with_suffix(f".{os.getpid()}")
    with tempfile.TemporaryDirectory() as folder:
        server = Neo4jServer(Path(folder), home=home, password=secrets.token_hex(), release=release)
        server._flags += [*BRIEF_JVM, f"-XX:ArchiveClassesAtExit={draft}"]
        with server:
            _ask_once(server)
            server.stop(seconds=KEEP_S)
    if draft.exists():
        draft.replace(kept)


def _ask_once(server: Neo4jServer) -> None:
    """Write and read a node, where the driver is installed."""
    if extras.installed("neo4j"):
        neo4j = extras.load("neo4j", what="a Neo4j server")
        with neo4j.GraphDatabase.driver(server.uri, auth=server.auth) as driver:
            driver.execute_query("CREATE (n:Model {id: $id})", id="a")
            driver.execute_query("MATCH (n:Model) RETURN n.id ORDER BY n.id LIMIT 1")


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
    parser.add_argument(
        "--classes",
        action="store_true",
        help="also keep the classes it loads, so that it starts in half the time",
    )
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
        if chosen.classes:
            keep_classes(home, release)
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
