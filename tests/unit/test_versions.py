"""Golden numbers and identities: neither may move without a new version that says so."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuromfa import method_version
from neuromfa.analysis import analyze
from neuromfa.checkpoints import open_series
from neuromfa.checkpoints.sampling.networks import sample_checkpoint
from neuromfa.identity import content_hash, options_hash
from neuromfa.method_version import METHOD_VERSION
from neuromfa.options import AnalysisOptions
from tests.data.golden.make_golden import (
    ANALYSES,
    DATA,
    FAMILIES,
    FILE,
    OPTIONS,
    SERIES,
    SHARED_HEADS,
    _numbers,
    _reading,
)

HINT = "raise METHOD_VERSION (or GRAPH_VERSION), tell in its table what moved, then make_golden"
RELATIVE = 1e-10
IDENTITIES = ("graph_hash", "analysis_hash")


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    assert FILE.exists(), f"no golden numbers of this version: {HINT}"
    held: dict[str, Any] = json.loads(FILE.read_text())
    return held


@pytest.mark.parametrize("name", ANALYSES)
def test_no_number_and_no_identity_moves_without_a_new_version(golden: dict[str, Any], name: str) -> None:
    check(_numbers(ANALYSES[name]), golden["numbers"][name], moved=())


def test_no_number_of_shared_heads_moves(golden: dict[str, Any]) -> None:
    check(_numbers(SHARED_HEADS, series=DATA / "tiny" / "llama"), golden["shared_heads"], moved=())


@pytest.mark.parametrize("name", ANALYSES)
def test_of_fused_matrices_only_null_figures_moved_since_version_2(golden: dict[str, Any], name: str) -> None:
    before = json.loads((FILE.parent / "method-2-graph-2.json").read_text())
    check(_numbers(ANALYSES[name]), before["numbers"][name], moved=(*IDENTITIES, "shuffled", "gaussian"))
    assert golden["readings"] == before["readings"]


def check(found: list[dict[str, Any]], golden: list[dict[str, Any]], *, moved: tuple[str, ...]) -> None:
    """Compare numbers within rounding, and identities as they are; those that moved are other ones."""
    for now, held in zip(found, golden, strict=True):
        for field, value in held.items():
            if field in moved:
                assert now[field] != value
            elif field in ("step", *IDENTITIES) or value is None:
                assert now[field] == value, f"{field} moved: {HINT}"
            else:
                np.testing.assert_allclose(now[field], value, rtol=RELATIVE, atol=1e-14, err_msg=HINT)


@pytest.mark.parametrize("name", OPTIONS)
def test_no_identity_of_options_moves(golden: dict[str, Any], name: str) -> None:
    assert options_hash(OPTIONS[name]) == golden["options"][name], HINT


@pytest.mark.parametrize("family", FAMILIES)
def test_no_reading_of_an_architecture_moves(golden: dict[str, Any], family: str) -> None:
    assert _reading(family) == golden["readings"][family], HINT


def test_every_version_is_told_in_the_table() -> None:
    told = [line.split()[0] for line in (method_version.__doc__ or "").splitlines() if line[:1].isdigit()]
    assert told == [str(version) for version in range(1, METHOD_VERSION + 1)]


def test_options_are_what_differs_from_the_defaults() -> None:
    assert AnalysisOptions().differing() == {}
    assert AnalysisOptions(max_distance=150, nodes=32).differing() == {"nodes": 32}
    # as a later version with a further option at its default would compute it
    assert options_hash(AnalysisOptions()) == content_hash({"method_version": METHOD_VERSION, "options": {}})
    assert options_hash(AnalysisOptions(scale=2)) == options_hash(AnalysisOptions(scale=2.0))


def test_another_version_of_the_method_is_another_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    before = options_hash(AnalysisOptions())
    monkeypatch.setattr("neuromfa.identity.METHOD_VERSION", METHOD_VERSION + 1)
    assert options_hash(AnalysisOptions()) != before


def test_every_result_tells_its_version() -> None:
    result = analyze(open_series(str(SERIES)), replace(ANALYSES["exact"], samples=1), steps="0")
    assert (result.method_version, result.checkpoints[0].method_version) == (METHOD_VERSION, METHOD_VERSION)


def test_what_a_file_says_beside_the_reading_moves_no_graph(tmp_path: Path) -> None:
    """A prefix more, other words, other skipped tensors: the same weights read the same way."""
    mine = {
        "name": "mine",
        "title": "Mine",
        "extends": "bert",
        "prefixes": ["something.", "bert.", ""],
        "model_types": ["other"],
        "skip": [{"tensors": ["*.LayerNorm.bias"], "reason": "mine"}],
    }
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(mine))
    (plain,), (own,) = (
        open_series(str(DATA / "tiny" / "bert"), architecture=given).checkpoints for given in (None, path)
    )
    hashes = {
        sample_checkpoint(one, nodes=4, seeds=[0], row_rule="exact").networks[0].provenance.architecture_hash
        for one in (plain, own)
    }
    assert len(hashes) == 1
