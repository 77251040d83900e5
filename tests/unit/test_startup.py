"""What a command loads: the slow libraries only where they are used. Seconds are in `make bench`."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from neuromfa.app.cli.main import COMMANDS, load_command
from neuromfa.app.collecting import collecting_nothing

ROOT = Path(__file__).parents[2]
TINY = "neuromfa/data/series/stdlib-14m-2-blocks"
HEAVY = (
    "numpy",
    "scipy",
    "pydantic",
    "neo4j",
    "fastapi",
    "pyarrow",
    "networkx",
    "huggingface_hub",
    "httpx",
    "fsspec",
)
REMOTE = ("neo4j", "fastapi", "uvicorn", "prometheus_client", "pyarrow", "networkx", "huggingface_hub", "httpx",
          "fsspec", "numba", "vl_convert", "arcadedb_embedded", "jpype", "neuromfa.graph", "scipy.stats")  # fmt: skip
LIST = """
import atexit, sys
atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr))
sys.argv = ["neuromfa", *sys.argv[1:]]
from neuromfa.app.cli.main import main
main()
"""


def loaded(*words: str) -> set[str]:
    """Return the modules that a command had loaded when it ended."""
    run = subprocess.run([sys.executable, "-c", LIST, *words], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return set(run.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("words", [("--help",), ("--version",)], ids=lambda words: words[0])
def test_help_loads_no_command_and_nothing_heavy(words: tuple[str, ...]) -> None:
    modules = loaded(*words)
    assert not modules & {*HEAVY, *REMOTE, *(f"neuromfa.app.cli.{name}" for name in COMMANDS)}
    assert {name for name in modules if name.startswith("neuromfa.")} == {
        "neuromfa.app", "neuromfa.app.cli", "neuromfa.app.cli.main", "neuromfa.errors", "neuromfa.extras"
    }  # fmt: skip


def test_an_analysis_of_local_files_loads_no_network_no_store_and_no_service() -> None:
    words = ("--steps", "0", "--samples", "3", "--nodes", "16", "--no-nulls", "--json", "-")
    assert not loaded("analyze", TINY, *words) & {*REMOTE}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_sentence_in_the_list_is_that_of_the_command(name: str) -> None:
    assert load_command(name).help == COMMANDS[name]


def test_what_is_public_is_shown_and_is_there() -> None:
    code = "import neuromfa; print(*dir(neuromfa)); assert all(getattr(neuromfa, name) for name in dir(neuromfa))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.split() == ["AnalysisOptions", "__version__", "analyze", "connect", "open_series"], (
        run.stderr
    )


def test_the_module_is_the_command_line() -> None:
    run = subprocess.run([sys.executable, "-m", "neuromfa", "--version"], capture_output=True, text=True)
    assert run.stdout.startswith("neuromfa ")


def test_a_service_starts_without_the_hub_and_what_calculates() -> None:
    code = "import sys, neuromfa.app.server; print(*sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    unneeded = {"huggingface_hub", "httpx", "fsspec", "networkx", "numba", "jpype", "pandas", "pyarrow",
                "scipy", "neuromfa.checkpoints", "neuromfa.analysis"}  # fmt: skip
    assert not unneeded & set(run.stdout.split())


def test_a_service_starts_before_what_checks_its_records_is_made() -> None:
    code = """
from neuromfa.app.main import create_app
from neuromfa.app.schemas.answers import Listing
from neuromfa.app.settings import Settings
from neuromfa.graph import ModelRecord
app = create_app(Settings())
assert not Listing[ModelRecord].__pydantic_complete__ and app.openapi_schema is None
assert Listing[ModelRecord](items=[], next=None).model_dump_json() == '{"items":[],"next":null}'
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_a_sign_of_life_completes_no_other_route() -> None:
    code = """
from fastapi import routing
from fastapi.testclient import TestClient
from neuromfa.app.main import create_app
from neuromfa.app.settings import Settings
app, completed, complete = create_app(Settings(), store=object()), [], routing.get_dependant
routing.get_dependant = lambda **words: completed.append(words["path"]) or complete(**words)
assert TestClient(app).get("/healthz", headers={"host": "127.0.0.1"}).status_code == 200
assert "/healthz" in completed and not [path for path in completed if path.startswith("/v1")], completed
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_nothing_is_collected_while_modules_are_loaded() -> None:
    with collecting_nothing():
        assert not gc.isenabled()
    assert gc.isenabled()
