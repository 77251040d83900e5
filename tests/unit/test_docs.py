"""Documents that cannot rot: what they name exists, and nothing private stands in the tree."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from benchmarks.pages import table_of
from benchmarks.scaling import Shape, table
from neuromfa import AnalysisOptions, __version__, open_series
from neuromfa.analysis import sample
from neuromfa.app.cli.main import COMMANDS
from neuromfa.app.cli.pages import lines_between
from neuromfa.app.cli.write_docs import (
    ARCHITECTURES_PAGE,
    COMMANDS_PAGE,
    QUESTIONS_MARK,
    architecture_tables,
    commands_page,
    question_tables,
)
from neuromfa.extras import EXTRA_OF

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    ROOT / "series/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def _shell_lines(text: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line and not line.startswith("#")]


def test_the_command_reference_is_what_the_program_says() -> None:
    assert COMMANDS_PAGE.read_text() == commands_page(), "run `make docs`"


def test_the_tables_of_questions_are_those_of_the_questions() -> None:
    for page, lines in question_tables().items():
        assert lines_between(page, QUESTIONS_MARK) == lines, "run `make docs`"


def test_the_table_of_architectures_is_that_of_the_files() -> None:
    for mark, lines in architecture_tables().items():
        assert lines_between(ARCHITECTURES_PAGE, mark) == lines, "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_extras_in_install_lines_exist(page: Path) -> None:
    named = re.findall(r"pip install '[^']*\[([a-z0-9,]+)\]'", page.read_text())
    assert {extra for extras in named for extra in extras.split(",")} <= set(PROJECT["optional-dependencies"])
    assert "pip install 'neuromfa[" not in page.read_text(), "it is on no index"


def test_every_extra_and_marker_is_documented() -> None:
    rows = README.split("| extra | brings |")[1].split("\n\n")[0]
    assert set(re.findall(r"`([a-z0-9]+)`", rows)) == set(PROJECT["optional-dependencies"]) - {"dev"}
    markers = PYPROJECT["tool"]["pytest"]["ini_options"]["markers"]
    tiers = (ROOT / "CONTRIBUTING.md").read_text().split("## The tiers of tests")[1]
    assert all(f"`{marker.partition(':')[0]}`" in tiers for marker in markers)


def test_the_version_is_written_once_and_cited() -> None:
    assert PROJECT["dynamic"] == ["version"]
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"neuromfa-{__version__}-py3-none-any.whl" in README


def test_every_module_of_an_extra_is_declared() -> None:
    declared = {
        extra: " ".join(lines).replace("-", "_") for extra, lines in PROJECT["optional-dependencies"].items()
    }
    declared["store"] += declared["neo4j"]
    declared["service"] += " starlette"  # fastapi is made of it
    renamed = {"vl_convert": "vl_convert_python", "jpype": "jpype1"}
    assert all(renamed.get(module, module) in declared[extra] for module, extra in EXTRA_OF.items())


def test_make_goals_named_in_documents_exist() -> None:
    goals = set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))
    named = {goal for page in PAGES for goal in re.findall(r"`make ([a-z0-9-]+)", page.read_text())}
    named |= {line.split()[1] for line in _shell_lines(README) if line.startswith("make ")}
    assert named and named <= goals


def test_commands_in_the_readme_exist_with_their_options() -> None:
    lines = [line for line in _shell_lines(README) if line.startswith(".venv/bin/neuromfa")]
    assert len(lines) >= 5
    for line in lines:
        words = shlex.split(line, comments=True)
        assert words[1] in COMMANDS, line
        usage = commands_page().split(f"## `neuromfa {words[1]}")[1].split("\n## ")[0]
        assert all(word in usage for word in words[2:] if word.startswith("--")), line


@pytest.mark.slow
def test_the_notebook_example_runs() -> None:
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code is not None
    text = code[1].replace('"runs/a"', '"series/stdlib-14m"').replace(
        'profile="paper"', 'profile="paper", samples=3, nodes=16'
    )  # fmt: skip
    run = subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    assert "(2000, 0.0" in run.stdout


def test_every_room_of_the_readme_is_there() -> None:
    table = README.split("## Where things are")[1]
    folders = re.findall(r"^\| `([a-z]+/)`", table, re.MULTILINE)
    assert folders and all((ROOT / folder).is_dir() for folder in folders)


def test_no_machine_path_or_registry_host_stands_in_the_tree() -> None:
    # written in two halves, so that this file does not hold what it looks for
    halves = [(r"pypi", r"\.org"), ("python", "hosted"), (r"registry\.npm", "js"), (r"repo1?\.maven\.", "apache"),
              (r"deb\.", r"debian\.org"), ("/(work|", "root)/"), ("bash", "_jobs")]  # fmt: skip
    patterns = [first + second for first, second in halves]
    found = subprocess.run(
        ["git", "grep", "-nIE", "|".join(patterns), "--", ".", ":!*.min.js", ":!tests/unit/test_docs.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.returncode in (0, 1), found.stderr
    assert found.stdout == ""


def test_the_arithmetic_of_scaling_is_what_the_rates_give() -> None:
    shown = table_of(ROOT / "docs" / "scaling.md")
    assert shown == table(), "run `python -m benchmarks.scaling`"


def test_the_edges_of_the_arithmetic_are_those_of_a_network() -> None:
    start = open_series(str(ROOT / "series/stdlib-14m")).at(0)
    [network] = sample(start, AnalysisOptions(samples=1)).networks
    present = [link.wiring if link.weights is None else np.ones_like(link.weights) for link in network.links]
    assert sum(int(np.count_nonzero(edges)) for edges in present) == Shape("", 128, 512, 6, 8).edges
