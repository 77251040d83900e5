"""What docs/structure.md says comes out again: tables of the bundled series, and how often the verdict errs."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evidence import bundled, matrices, neurons, pages, rates, replicates
from neuromfa.method_version import METHOD_VERSION
from series.train import sha256_of

ROOT = Path(__file__).parents[2]
EXPECTED = json.loads((ROOT / "tests/data/structure/expected.json").read_text())
RESULTS = ROOT / "evidence/results"


def published(name: str) -> Any:
    return json.loads((RESULTS / f"{name}.json").read_text())


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str], dict[str, float]]:
    return {(f"{row['series']}@{row['step']}", row["way"]): row for row in bundled.rows()}


@pytest.mark.slow
@pytest.mark.parametrize("figure", ["alpha0", "width"])
def test_excess_is_what_others_measured(found, figure) -> None:
    for way, places in EXPECTED[figure].items():
        for place, expected in places.items():
            row, rounding = found[place, way], 10 ** -(4 if figure == "alpha0" else 3) / 2
            assert abs(row[figure] - expected) <= 2 * row[f"{figure}_se"] + rounding, (way, place)


@pytest.mark.slow
def test_the_effect_is_what_others_measured(found) -> None:
    for way, places in EXPECTED["g"].items():
        for place, expected in places.items():
            row = found[place, way]
            low, high = (max(row["g2"] + side * row["g2_se"], 0.0) ** 0.5 for side in (-2, 2))
            assert low - 0.0005 <= expected <= high + 0.0005, (way, place)


@pytest.mark.slow
def test_published_tables_are_those_of_this_version(found) -> None:
    table = published("bundled")
    assert table["method_version"] == METHOD_VERSION
    for row in table["found"]:
        own = found[f"{row['series']}@{row['step']}", row["way"]]
        assert own["g2"] == pytest.approx(row["g2"], rel=1e-9, abs=1e-12)
        assert own["alpha0_t"] == pytest.approx(row["alpha0_t"], rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("deviation", "right"), [(0.0, "no"), (0.05, "yes")])
def test_a_few_trials_answer_right(deviation, right) -> None:
    """The counts of 200 trials are in evidence/results/rates.json (`make evidence`)."""
    answers = Counter(rates.answers_of(trial, deviation)[10] for trial in range(6))
    assert answers[right] >= 5
    assert not answers["yes" if right == "no" else "no"]


MATRICES_MEASURED_ELSEWHERE = {
    ("stdlib-14m", 0): {"mp_outliers": 0, "effective_rank": 0.803, "stable_rank": 0.393, "kurtosis": 0.007},
    ("stdlib-14m", 256): {
        "mp_outliers": 3.4,
        "effective_rank": 0.761,
        "stable_rank": 0.246,
        "kurtosis": 0.027,
    },
    ("stdlib-14m", 2000): {
        "mp_outliers": 7.0,
        "effective_rank": 0.687,
        "stable_rank": 0.164,
        "kurtosis": 0.072,
    },
    ("stdlib-14m-decay1", 2000): {
        "mp_outliers": 11.0,
        "effective_rank": 0.542,
        "stable_rank": 0.118,
        "kurtosis": 0.35,
    },
    ("stdlib-14m-shuffled", 2000): {
        "mp_outliers": 2.1,
        "effective_rank": 0.543,
        "stable_rank": 0.078,
        "kurtosis": 0.31,
    },
}
"""Values of the real weights, by an independent implementation with singular value decompositions."""


def test_plain_measures_are_what_others_measured() -> None:
    table = published("matrices")
    assert table["method_version"] == METHOD_VERSION
    rows = {(row["series"], row["step"]): row for row in table["found"]}
    for place, expected in MATRICES_MEASURED_ELSEWHERE.items():
        for name, value in expected.items():
            rounding = {"mp_outliers": 0.05, "kurtosis": 0.0055}.get(name, 0.0006)
            assert abs(rows[place][name]["value"] - value) <= rounding, (place, name)


@pytest.mark.slow
def test_published_plain_measures_come_out_again() -> None:
    place = ("stdlib-14m-decay1", 2000)
    [found] = matrices.rows((place,))
    own = next(row for row in published("matrices")["found"] if (row["series"], row["step"]) == place)
    for name in matrices.MEASURES:
        assert found[name]["value"] == pytest.approx(own[name]["value"], rel=1e-5)
        assert found[name]["shuffled"] == pytest.approx(own[name]["shuffled"], rel=1e-5)


def test_published_neurons_hold_what_the_page_claims() -> None:
    table = published("neurons")["found"]
    [random] = table["random"]
    assert random["trials"] >= 100 and random["nfd"] <= 0.08 and random["strength"] <= 0.08
    assert table["planted"][-1]["strength"] >= 0.8
    assert all(row["strength_false"] <= 0.1 and row["nfd_false"] <= 0.1 for row in table["planted"])
    [untrained] = [row for row in table["bundled"] if row["step"] == 0]
    assert untrained["nfd"] == untrained["strength"] == 0


@pytest.mark.slow
def test_published_counts_of_neurons_come_out_again() -> None:
    place = ("stdlib-14m", 2000)
    [found] = neurons.bundled((place,))
    assert found == next(
        row for row in published("neurons")["found"]["bundled"] if (row["series"], row["step"]) == place
    )


def test_published_rates_hold_what_the_page_claims() -> None:
    table = published("rates")
    share = {(row["planted"], row["samples"]): row for row in table["found"]}
    assert table["method_version"] == METHOD_VERSION and all(row["trials"] >= 200 for row in table["found"])
    assert share[0.0, 10]["yes"] <= 0.02 and share[0.0, 10]["no"] >= 0.8
    assert share[0.05, 10]["yes"] >= 0.95
    assert share[0.03, 3]["no"] == share[0.03, 5]["no"] == 0.0


def test_published_replicates_say_what_the_page_says() -> None:
    found = json.loads(json.dumps(replicates.compared()))
    table = published("replicates")["found"]
    assert found["runs"] == pytest.approx(table["runs"], rel=1e-9)
    p = {(pair["first"], pair["second"]): pair["differences"]["g"]["p"] for pair in found["pairs"]}
    assert p["stdlib-14m", "stdlib-14m-decay1"] < 0.01 and p["stdlib-14m", "stdlib-14m-shuffled"] < 0.01
    assert p["stdlib-14m-decay1", "stdlib-14m-shuffled"] > 0.05


def test_last_checkpoints_of_the_replicates_are_those_of_their_provenance() -> None:
    for names in replicates.groups().values():
        for name in names[1:]:
            folder = replicates.PUBLISHED / name
            told = json.loads((folder / "provenance.json").read_text())["checkpoints"][-1]
            assert sha256_of(folder / told["file"]) == told["sha256"]


@pytest.mark.parametrize("name", pages.TABLES)
def test_the_tables_of_the_page_are_the_published_counts(name) -> None:
    assert pages.written(name) == pages.table(name), "run `python -m evidence` or write the page again"
