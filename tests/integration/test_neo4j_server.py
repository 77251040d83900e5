"""The Neo4j from Maven Central: what is missing is named, ports and passwords are checked, reading reaches no file."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import neo4j
import pytest

from neuromfa.errors import StoreUnavailable
from neuromfa.servers import neo4j_assembly, server_lock
from neuromfa.servers.neo4j_assembly import CALENDAR, archive_file, assemble, find_java, home_folder
from neuromfa.servers.neo4j_server import Neo4jServer, keep_classes, main
from neuromfa.servers.ports import accepts, free_ports
from neuromfa.servers.server_lock import ServerMark
from tests.integration.conftest import Server, has_ended, wait_for
from tests.requirements import missing

pytestmark = pytest.mark.xdist_group("neo4j")


@pytest.fixture
def lts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names no version and no home."""
    monkeypatch.delenv("NEUROMFA_NEO4J_VERSION", raising=False)
    monkeypatch.delenv("NEUROMFA_NEO4J_HOME", raising=False)


@pytest.fixture
def no_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Java and Maven."""
    monkeypatch.setattr(neo4j_assembly.shutil, "which", lambda name: None)
    monkeypatch.setattr(neo4j_assembly.Path, "glob", lambda *_: [])
    monkeypatch.delenv("JAVA_HOME", raising=False)


def test_a_missing_java_is_named(no_tools: None, lts: None, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="needs Java 17 or 21.*apt-get install openjdk-17"):
        find_java()
    with pytest.raises(StoreUnavailable, match="Java"):
        assemble(tmp_path)


def test_a_missing_maven_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neo4j_assembly, "find_java", lambda release: "java")
    monkeypatch.setattr(neo4j_assembly.shutil, "which", lambda name: None)
    with pytest.raises(StoreUnavailable, match="apt-get install maven"):
        assemble(tmp_path)


def test_a_maven_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maven = tmp_path / "mvn"
    maven.write_text("#!/bin/sh\necho the registry is away\nexit 1\n")
    maven.chmod(0o755)
    monkeypatch.setattr(neo4j_assembly, "find_java", lambda release: "java")
    monkeypatch.setattr(neo4j_assembly.shutil, "which", lambda name: str(maven))
    with pytest.raises(StoreUnavailable, match="the registry is away"):
        assemble(tmp_path / "home")
    assert not neo4j_assembly.is_assembled(tmp_path / "home")


def test_the_home_can_be_chosen(lts: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert home_folder().name == f"neo4j-{neo4j_assembly.LTS.version}"
    monkeypatch.setenv("NEUROMFA_NEO4J_HOME", str(tmp_path))
    assert home_folder() == tmp_path
    assert home_folder(CALENDAR).name == f"neo4j-{CALENDAR.version}"


def test_the_version_can_be_chosen(lts: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEUROMFA_NEO4J_VERSION", CALENDAR.version)
    assert home_folder().name == f"neo4j-{CALENDAR.version}"
    monkeypatch.setenv("NEUROMFA_NEO4J_HOME", str(tmp_path))
    assert home_folder() == tmp_path
    assert home_folder(neo4j_assembly.LTS).name == f"neo4j-{neo4j_assembly.LTS.version}"


def test_the_chosen_version_is_the_one_that_is_fetched(
    no_tools: None, lts: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NEUROMFA_NEO4J_VERSION", CALENDAR.version)
    with pytest.raises(StoreUnavailable, match="needs Java 21 or 25"):
        assemble(tmp_path)
    monkeypatch.setattr(neo4j_assembly, "find_java", lambda release: "java")
    monkeypatch.setattr(neo4j_assembly.shutil, "which", lambda name: "/bin/true")
    assemble(tmp_path)
    assert f"<version>{CALENDAR.version}</version>" in (tmp_path / "pom.xml").read_text()


def test_a_version_without_a_record_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEUROMFA_NEO4J_VERSION", "4.4.0")
    assert main(["assemble"]) == 1
    assert "'4.4.0'; known are 5.26.31 and 2026.09.0" in capsys.readouterr().err


def test_jars_of_another_version_are_refused(tmp_path: Path) -> None:
    server = Neo4jServer(tmp_path / "data", home=tmp_path / "home", password="long enough", release=CALENDAR)
    with pytest.raises(
        StoreUnavailable, match=r"home holds no Neo4j 2026\.09\.0; NEUROMFA_NEO4J_VERSION says"
    ):
        server.start()
    assert server.pid is None


def test_a_finished_home_is_left_alone(tmp_path: Path, no_tools: None) -> None:
    (tmp_path / neo4j_assembly.COMPLETE).touch()
    assert assemble(tmp_path) == tmp_path
    assert main(["assemble", "--home", str(tmp_path), "--quiet"]) == 0


def test_failures_end_with_one_sentence(
    tmp_path: Path, no_tools: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["assemble", "--home", str(tmp_path), "--quiet"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "needs Java" in said.err


@pytest.mark.neo4j
def test_a_taken_port_is_refused(neo4j_server: Server, tmp_path: Path) -> None:
    port = int(neo4j_server.where["uri"].rsplit(":", 1)[1])
    server = Neo4jServer(tmp_path, home=home_folder(), password="long enough", bolt_port=port)
    with pytest.raises(StoreUnavailable, match=f"port {port} is taken"):
        server.start()
    assert not (tmp_path / "conf").exists()


@pytest.mark.neo4j
def test_what_does_not_start_is_quoted(neo4j_server: Server, tmp_path: Path) -> None:
    server = Neo4jServer(
        tmp_path, home=home_folder(), password="long enough", settings={"no.such.setting": "1"}
    )
    with pytest.raises(StoreUnavailable, match=r"(?s)Unrecognized setting.*no\.such\.setting"):
        server.start()
    assert not accepts(server.bolt_port)


@pytest.mark.neo4j
def test_a_first_password_that_is_too_short_is_quoted(neo4j_server: Server, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="(?s)first password.*at least 8"):
        Neo4jServer(tmp_path, home=home_folder(), password="x").start()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_first_password_may_begin_with_a_dash(neo4j_server: Server, tmp_path: Path) -> None:
    with (
        Neo4jServer(tmp_path, home=home_folder(), password="-begins-so", quick_start=True) as process,
        neo4j.GraphDatabase.driver(process.uri, auth=("neo4j", "-begins-so")) as driver,
    ):
        driver.verify_connectivity()


def test_a_killed_starter_leaves_no_server_behind() -> None:
    starter = """
import subprocess, sys, time
from neuromfa.servers.neo4j_server import _end_with_parent
child = subprocess.Popen(["sleep", "60"], start_new_session=True, preexec_fn=_end_with_parent)
print(child.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.kill()
    assert wait_for(lambda: has_ended(child))


ORPHAN = """
import os, sys, time
from pathlib import Path
from neuromfa.servers import neo4j_assembly, neo4j_server, server_lock
if sys.argv[2] == "left":
    neo4j_server._LIBC = None
folder, ports = Path(sys.argv[1]), map(int, sys.argv[3:])
server = neo4j_server.Neo4jServer(folder, home=neo4j_assembly.home_folder(), password="long enough", quick_start=True,
    bolt_port=next(ports), http_port=next(ports))
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


def killed_after_start(folder: Path, fate: str, ports: list[int]) -> int:
    """Start a Neo4j by a command, kill that with -9, and return the server's process."""
    command = [sys.executable, "-c", ORPHAN, str(folder), fate, *map(str, ports)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        server = int(starter.stdout.readline())
        starter.kill()
    return server


@pytest.mark.neo4j
def test_a_server_starts_with_the_classes_that_were_kept(neo4j_server: Server) -> None:
    kept = archive_file(home_folder(), find_java())
    if neo4j_server.neo4j is None or not kept.exists():
        missing("classes", f"there is no {kept}")
    assert str(kept) in Path(f"/proc/{neo4j_server.neo4j.pid}/maps").read_text()


@pytest.mark.long
@pytest.mark.neo4j
def test_classes_are_kept_once_and_for_one_java(neo4j_server: Server, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "lib").symlink_to(home_folder() / "lib")
    keep_classes(home)
    [kept] = home.glob("*.jsa*")
    before = kept.stat()
    keep_classes(home)
    assert kept.stat() == before and kept == archive_file(home, find_java())


def test_classes_of_another_java_have_another_name(tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.touch()
    first = archive_file(tmp_path, str(java))
    assert archive_file(tmp_path, str(java)) == first
    os.utime(java, (1, 1))
    assert archive_file(tmp_path, str(java)) != first


@pytest.mark.neo4j
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_after_a_kill_the_next_start_waits_for_the_old_server(neo4j_server: Server, tmp_path: Path) -> None:
    ports = free_ports(2)
    old = killed_after_start(tmp_path, "ends", ports)
    again = Neo4jServer(
        tmp_path,
        home=home_folder(),
        password="long enough",
        quick_start=True,
        bolt_port=ports[0],
        http_port=ports[1],
    )
    with again:
        assert has_ended(old)
        assert (tmp_path / "server.pid").read_text() == f"{again.pid}\n"
        with neo4j.GraphDatabase.driver(again.uri, auth=again.auth) as driver:
            driver.verify_connectivity()


@pytest.mark.neo4j
def test_a_server_left_behind_is_named_with_the_way_to_end_it(
    neo4j_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on systems that do not end a process with its parent."""
    monkeypatch.setattr(server_lock, "ENDING_S", 0.2)
    old = killed_after_start(tmp_path, "left", free_ports(2))
    try:
        with pytest.raises(StoreUnavailable, match=rf"process {old};.*`kill {old}` and start again"):
            Neo4jServer(tmp_path, home=home_folder(), password="long enough").start()
        assert not has_ended(old)
    finally:
        os.kill(old, signal.SIGTERM)
    assert wait_for(lambda: has_ended(old), seconds=30)
    mark = ServerMark(tmp_path)
    mark.take()
    mark.close()
