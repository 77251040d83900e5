"""`neuromfa delete` and the size that `neuromfa doctor` tells, on a store of their own."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from neuromfa.app.cli.main import main
from neuromfa.errors import NotStored
from neuromfa.graph import GraphStore, open_store
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.options import AnalysisOptions

SERIES = Path(__file__).parents[2] / "series" / "stdlib-14m"
OPTIONS = AnalysisOptions(samples=2, nodes=8, nulls=False)
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("deleting")


@pytest.fixture(scope="module")
def own(folder: Path) -> Iterator[GraphStore]:
    """A store with one model of two steps, one graph each."""
    request = IngestRequest(source=str(SERIES), steps="0,2000", model_id="org/gone", options=OPTIONS)
    with open_store(data_dir=folder) as store:
        ingest(request, store)
        yield store


def neuromfa(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, folder: Path, *words: object
) -> tuple[int, str]:
    """Return exit code, and output with messages."""
    monkeypatch.setattr(sys, "argv", ["neuromfa", *map(str, words), "--data-dir", str(folder)])
    with pytest.raises(SystemExit) as stopped:
        main()
    told = capsys.readouterr()
    return int(stopped.value.code or 0), " ".join((told.out + told.err).split())


def test_the_doctor_tells_what_the_store_holds(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, folder: Path, own: GraphStore
) -> None:
    _, text = neuromfa(capsys, monkeypatch, folder, "doctor", "--json")
    [held] = [check["found"] for check in json.loads(text) if check["name"] == "held"]
    assert held.startswith("1 models, 2 checkpoints, 2 samples, 2 spectra, ")
    assert held.endswith(f" MB in {folder}")


def test_without_a_yes_nothing_goes(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, folder: Path, own: GraphStore
) -> None:
    before = own.counts()
    for answer in ("n\n", "\n", ""):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        code, text = neuromfa(capsys, monkeypatch, folder, "delete", "org/gone")
        assert code == 1 and "model org/gone with 2 checkpoints and 2 graphs?" in text
    assert own.counts() == before


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("nobody", "--yes"), 1, "model 'nobody' is not in the store"),
        (("org/gone@7", "--yes"), 1, "has no checkpoint at step 7; there are: 0, 2000"),
        (("org/gone@0", "--sample", "5", "--yes"), 1, "has no graph of seed 5"),
        (("org/gone", "--sample", "0", "--yes"), 2, "--sample needs a step"),
        (("org/gone@last", "--yes"), 1, "model 'org/gone@last' is not in the store"),
    ],
)
def test_what_is_not_there_is_said(
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    own: GraphStore,
    words: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    before = own.counts()
    found, text = neuromfa(capsys, monkeypatch, folder, "delete", *words)
    assert found == code and told in text
    assert own.counts() == before


def test_a_graph_then_a_step_then_the_model(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, folder: Path, own: GraphStore
) -> None:
    def delete(*words: object) -> str:
        code, text = neuromfa(capsys, monkeypatch, folder, "delete", *words)
        assert code == 0
        return text

    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert "deleted the graph of seed 0 of org/gone at step 0" in delete("org/gone@0", "--sample", 0)
    assert own.samples("org/gone", 0) == [] and len(own.samples("org/gone", 2000)) == 1
    assert delete("org/gone@0", "--yes") == "deleted step 0 of org/gone with 1 results and 0 graphs"
    with pytest.raises(NotStored):
        own.checkpoint("org/gone", 0)
    assert own.result("org/gone", 2000).step == 2000
    assert delete("org/gone", "--yes") == "deleted model org/gone with 1 checkpoints and 1 graphs"
    assert set(own.counts().values()) == {0}
