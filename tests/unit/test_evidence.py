"""What docs/structure.md says comes out again: tables of the bundled series, and how often the verdict errs."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evidence import bundled, pages, rates, replicates
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
