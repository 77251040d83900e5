"""A Neo4j without Docker: which version, a Java that runs it, and its jars from Maven Central in a cache folder."""

import os
import re
import shutil
import subprocess
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from neuromfa.errors import StoreUnavailable
from neuromfa.servers.file_lock import FileLock
from neuromfa.servers.log_tail import last_lines

HOME_VARIABLE = "NEUROMFA_NEO4J_HOME"
VERSION_VARIABLE = "NEUROMFA_NEO4J_VERSION"
COMPLETE = ".complete"
ASSEMBLE_S = 1800.0


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


def archive_file(home: Path, java: str) -> Path:
    """Return where the classes that a start loads are kept, as this very Java wants them."""
    program = Path(java).resolve()
    mark = zlib.crc32(f"{program} {program.stat().st_mtime_ns}".encode())
    return home / f"classes-{mark:08x}.jsa"


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
            f"Maven could not fetch Neo4j into {home}:\n{last_lines(done.stdout + done.stderr)}"
        )
    (home / COMPLETE).touch()
