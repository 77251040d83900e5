"""A machine with Python, make and git and nothing else: quick tests pass there, and the rest is left out and said.

Run there: the whole of `make test-fast`; and of `make test` what wants a browser, a Neo4j, Java or an engine, which
has to end without an error. What needs none of these is the same as on any machine and is not run twice.
"""

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.compose import bases
from tests.compose.conftest import ROOT, figures
from tests.compose.engine import Engine

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1200)]

NAME = "neuromfa-bare"
PARTS = (
    "tests/e2e tests/integration/test_neo4j_server.py tests/integration/test_store_errors.py tests/compose"
)
CLOSING = re.compile(r"=+ .* in [\d.]+s.* =+$")
TOTALS = re.compile(r"(\d+) (passed|failed|errors?|skipped)")


@pytest.fixture(scope="module")
def machine(engine: Engine) -> Iterator[Engine]:
    """A container with the sources of this tree, of a user without rights."""
    engine.run("docker", "run", "--detach", "--name", NAME, bases.BARE, "sleep", "infinity")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    pack = ["tar", "--create", "--null", "--files-from=-", "--owner=1000", "--group=1000"]
    tar = subprocess.run(pack, cwd=ROOT, input=listed.stdout, capture_output=True, check=True)
    inside(engine, "mkdir source")
    subprocess.run(
        ["docker", "cp", "-", f"{NAME}:/home/somebody/source"],
        input=tar.stdout,
        env=engine.environment,
        check=True,
    )
    inside(engine, "cd source && git init --quiet && git add --all")
    yield engine
    engine.run("docker", "rm", "--force", NAME)


def inside(engine: Engine, command: str, *, check: bool = True) -> str:
    return engine.run("docker", "exec", NAME, "sh", "-c", command, check=check).stdout


def totals(said: str) -> dict[str, int]:
    """Return what pytest counted; nothing where it did not come to its end."""
    return {word.rstrip("s"): int(number) for number, word in TOTALS.findall(closing_line(said))}


def closing_line(said: str) -> str:
    return next((line.strip("= ") for line in reversed(said.splitlines()) if CLOSING.search(line)), "")


def test_nothing_but_python_make_and_git_is_there(machine: Engine) -> None:
    absent = "java mvn chromium node npm docker gcc"
    said = inside(
        machine,
        f"for name in {absent}; do command -v $name; done; id -u; ls /usr/lib/*/libatomic* 2>&1",
        check=False,
    )
    assert said.splitlines()[0] == "1000" and "No such file" in said


def test_quick_tests_pass(machine: Engine) -> None:
    said = inside(machine, "cd source && make test-fast PYTHON=python3", check=False)
    counted = totals(said)
    assert counted.get("passed", 0) > 500 and not {"failed", "error"} & set(counted), said[-6000:]
    figures.append(f"bare machine, make test-fast: {closing_line(said)}")


def test_what_cannot_run_is_left_out_and_said(machine: Engine) -> None:
    command = f".venv/bin/python -m pytest -n 2 --dist loadgroup -m 'not long' {PARTS}"
    said = inside(machine, f"cd source && {command}", check=False)
    counted = totals(said)
    assert counted.get("skipped", 0) > 80 and not {"failed", "error"} & set(counted), said[-6000:]
    told = said[said.index("left out") :]
    for part in ("browser is missing", "neo4j is missing", "engine is missing"):
        assert part in told
    figures.append(f"bare machine, parts of make test: {closing_line(said)}")
