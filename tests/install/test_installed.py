"""The wheel in a fresh environment: only one name in site-packages, and every command in a hostile folder."""

import csv
import json
import tarfile
import time
import urllib.request
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest

from neuromfa import __version__

from .conftest import Built, Installed

pytestmark = [pytest.mark.install, pytest.mark.xdist_group("install"), pytest.mark.timeout(900)]

MEBIBYTE = 2**20
SERIES = "stdlib-14m-2-blocks"
QUICK = ("--samples", "3", "--nodes", "16", "--no-nulls")


def test_the_wheel_holds_one_package(built: Built) -> None:
    with ZipFile(built.wheel) as wheel:
        tops = {name.partition("/")[0] for name in wheel.namelist()}
        licences = {Path(name).name for name in wheel.namelist() if ".dist-info/licenses/" in name}
        series = sum(info.file_size for info in wheel.infolist() if f"/{SERIES}/" in info.filename)
    assert tops == {"neuromfa", f"neuromfa-{__version__}.dist-info"}
    assert licences == {"LICENSE", "NOTICE"}
    assert 0 < series < 3e6


def test_the_source_distribution_holds_tests_and_documents_and_no_weights_of_the_clone(built: Built) -> None:
    with tarfile.open(built.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"tests/install/test_installed.py", "tests/unit/test_docs.py", "docs/method.md", "docs/glossary.md",
            "README.md", "NOTICE", "LICENSE", "SECURITY.md", "CONTRIBUTING.md", "CITATION.cff", "Makefile",
            "requirements/base.txt", "series/cut.py"} <= names  # fmt: skip
    assert not [name for name in names if name.startswith("series/stdlib-14m") or "__pycache__" in name]


def test_the_base_is_small_and_leaves_the_folders_names_alone(base: Installed) -> None:
    assert base.growth < 300 * MEBIBYTE
    names = {path.name for path in base.packages.iterdir()}
    assert {"neuromfa", f"neuromfa-{__version__}.dist-info"} <= names
    assert not {"app", "ingest", "cypher", "tests", "series", "benchmarks"} & names
    said = base.python_says(
        "import sys, neuromfa, neuromfa.analysis, neuromfa.app.cli.main, neuromfa.cypher, neuromfa.ingest.request\n"
        "print({'app', 'ingest', 'cypher'} & set(sys.modules), [p for p in sys.path if 'neuromfa' in p])\n"
        "print(dir(neuromfa))"
    )
    assert said == "set() []\n['AnalysisOptions', '__version__', 'analyze', 'connect', 'open_series']\n"


def test_the_base_says_its_version_and_analyses(base: Installed) -> None:
    assert base.run("--version").stdout == f"neuromfa {__version__}\n"
    run = base.run("analyze", base.series, *QUICK, "--json", "-", "--csv", "table.csv")
    assert [point["step"] for point in json.loads(run.stdout)["checkpoints"]] == [0, 512, 2000], run.stderr
    with (base.cwd / "table.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["0", "512", "2000"]


def test_the_base_works_in_processes(base: Installed) -> None:
    words = ("analyze", base.series, *QUICK, "--json", "-")
    alone, shared = (json.loads(base.run(*words, "--jobs", jobs).stdout) for jobs in (1, 2))
    assert alone["checkpoints"] == shared["checkpoints"]


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("ingest", "x"), "store"),
        (("query",), "store"),
        (("verify", "x"), "store"),
        (("scores", "x"), "store"),
        (("export", "x"), "store"),
        (("worker",), "store"),
        (("serve",), "service"),
        (("demo",), "store"),
        (("browser",), "store"),
        (("analyze", "x", "--plot", "charts"), "plots"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_a_command_whose_extra_is_missing_says_how_to_install_it(
    base: Installed, built: Built, words: tuple[str, ...], extra: str
) -> None:
    run = base.run(*words)
    assert run.returncode == 1
    assert run.stderr.startswith("neuromfa: ")
    assert run.stderr.endswith(f" of the extra {extra}: pip install '{built.wheel}[{extra}]'\n")
    assert run.stderr.count("\n") == 1


def test_the_doctor_of_the_base_names_what_is_left_out(base: Installed, built: Built) -> None:
    run = base.run("doctor", "--json")
    assert run.returncode == 0, run.stderr
    findings = {finding["name"]: finding for finding in json.loads(run.stdout)}
    assert f"pip install '{built.wheel}[arrow]'" in findings["pyarrow"]["advice"]
    assert findings["store"]["found"] == "not installed"


def test_the_callback_is_imported_and_says_what_it_needs(base: Installed) -> None:
    said = base.python_says(
        "from neuromfa.training import NeuroMFACallback, watch\n"
        "try: NeuroMFACallback(report=print)\n"
        "except ImportError as error: print(error)"
    )
    assert "NeuroMFACallback needs transformers of the extra torch: pip install" in said


def test_a_series_is_stored_asked_exported_and_served_at_once(whole: Installed) -> None:
    with whole.running("serve", "--port", "0") as process:
        assert process.stderr is not None
        address = process.stderr.readline().split()[1]
        told = whole.run("ingest", whole.series, *QUICK, "--jobs", "2", "--json")
        assert json.loads(told.stdout)["spectra_written"] == 3, told.stderr
        found = json.loads(whole.run("query", "strongest", f"model={SERIES}", "step=2000", "--json").stdout)
        assert found["edges"]
        for words in (("csv",), ("parquet",), ("graphml", "--step", "0")):
            run = whole.run("export", SERIES, "--format", *words, "--out", f"a.{words[0]}")
            assert run.returncode == 0, run.stderr
        [model] = _asked(f"{address}/v1/models")["items"]
        curve = _asked(f"{address}/v1/models/{SERIES}/emergence")["items"]
    assert model["id"] == SERIES
    assert [point["step"] for point in curve] == [0, 512, 2000]
    assert (whole.cwd / "a.parquet").read_bytes()[:4] == b"PAR1"
    assert len(ElementTree.parse(whole.cwd / "a.graphml").getroot()[-1]) > 100


def test_the_demo_shows_the_small_series(whole: Installed) -> None:
    with whole.running("demo", "--port", "0", "--data-dir", "demo") as process:
        assert process.stderr is not None
        address = process.stderr.readline().split()[1]
        assert b"<title>" in urllib.request.urlopen(address).read()
        until = time.monotonic() + 150
        while not (found := _asked(f"{address}/v1/models")["items"]) or found[0]["checkpoints"] < 3:
            assert time.monotonic() < until
            time.sleep(0.2)
    assert [model["id"] for model in found] == [SERIES]
    assert process.returncode == 0


def _asked(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=30) as answer:
        return json.load(answer)
