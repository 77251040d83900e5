"""The Neo4j from Maven Central: what is missing is named, ports and passwords are checked, reading reaches no file."""

import subprocess
import sys
from pathlib import Path

import pytest

from neuromfa.errors import StoreUnavailable
from neuromfa.graph.servers import neo4j_home
from neuromfa.graph.servers.neo4j_home import Neo4jServer, assemble, find_java, home_folder, main
from neuromfa.graph.servers.ports import accepts
from tests.integration.conftest import Server, has_ended, wait_for

pytestmark = pytest.mark.xdist_group("neo4j")


@pytest.fixture
def no_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Java and Maven."""
    monkeypatch.setattr(neo4j_home.shutil, "which", lambda name: None)
    monkeypatch.setattr(neo4j_home.Path, "glob", lambda *_: [])
    monkeypatch.delenv("JAVA_HOME", raising=False)


def test_a_missing_java_is_named(no_tools: None, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="needs Java 17 or 21.*apt-get install openjdk-17"):
        find_java()
    with pytest.raises(StoreUnavailable, match="Java"):
        assemble(tmp_path)


def test_a_missing_maven_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neo4j_home, "find_java", lambda release: "java")
    monkeypatch.setattr(neo4j_home.shutil, "which", lambda name: None)
    with pytest.raises(StoreUnavailable, match="apt-get install maven"):
        assemble(tmp_path)


def test_a_maven_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maven = tmp_path / "mvn"
    maven.write_text("#!/bin/sh\necho the registry is away\nexit 1\n")
    maven.chmod(0o755)
    monkeypatch.setattr(neo4j_home, "find_java", lambda release: "java")
    monkeypatch.setattr(neo4j_home.shutil, "which", lambda name: str(maven))
    with pytest.raises(StoreUnavailable, match="the registry is away"):
        assemble(tmp_path / "home")
    assert not neo4j_home.is_assembled(tmp_path / "home")


def test_the_home_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEUROMFA_NEO4J_HOME", str(tmp_path))
    assert home_folder() == tmp_path
    monkeypatch.delenv("NEUROMFA_NEO4J_HOME")
    assert home_folder().name == f"neo4j-{neo4j_home.LTS.version}"


def test_a_finished_home_is_left_alone(tmp_path: Path, no_tools: None) -> None:
    (tmp_path / neo4j_home.COMPLETE).touch()
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
def test_a_killed_starter_leaves_no_server_behind() -> None:
    starter = """
import subprocess, sys, time
from neuromfa.graph.servers.neo4j_home import _end_with_parent
child = subprocess.Popen(["sleep", "60"], start_new_session=True, preexec_fn=_end_with_parent)
print(child.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.kill()
    assert wait_for(lambda: has_ended(child))
