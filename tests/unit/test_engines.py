"""`engine=auto` follows what was measured: the table in the code, the file of the benchmark and the page agree."""

import csv
import math
import re
from collections import defaultdict
from pathlib import Path

import pytest

from neuromfa.errors import OptionError
from neuromfa.questions import QUESTIONS
from neuromfa.questions.engine.question import Faster, engine_for

ROOT = Path(__file__).parents[2]
DECLARED = {name: kind.about.faster for name, kind in QUESTIONS.items()}


def measured() -> dict[str, Faster]:
    """The engine with the smaller geometric mean over the servers, cold and warm."""
    ratios: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with (ROOT / "benchmarks/results/queries.csv").open() as file:
        for row in csv.DictReader(file):
            cypher = float(row["cypher_ms"])
            cold, warm = cypher / float(row["numpy_cold_ms"]), cypher / float(row["numpy_warm_ms"])
            ratios[row["question"]].append((math.log(cold), math.log(warm)))
    return {
        question: Faster(*("cypher" if sum(way) < 0.0 else "numpy" for way in zip(*found, strict=True)))
        for question, found in ratios.items()
    }


def test_the_declared_choices_are_the_measured_ones() -> None:
    assert measured() == DECLARED


def test_the_page_shows_it() -> None:
    text = (ROOT / "docs/queries.md").read_text(encoding="utf-8")
    table = text.split("<!-- table -->")[1].split("<!-- end of table -->")[0]
    rows = re.findall(r"^\| `([a-z]+)` \|.*\| (cypher|numpy) \| (cypher|numpy) \|$", table, re.M)
    assert {name: Faster(cold, warm) for name, cold, warm in rows} == DECLARED  # type: ignore[arg-type]


@pytest.mark.parametrize("faster", [Faster("cypher", "numpy"), Faster("numpy", "cypher")])
def test_a_named_engine_is_taken(faster: Faster) -> None:
    assert engine_for(faster, "cypher", warm=True) == "cypher"
    assert engine_for(faster, "numpy", warm=False) == "numpy"
    assert engine_for(faster, "auto", warm=True) == faster.warm
    assert engine_for(faster, "auto", warm=False) == faster.cold


def test_another_engine_is_refused() -> None:
    with pytest.raises(OptionError, match="engine is auto, cypher or numpy, not 'sql'"):
        engine_for(Faster("cypher", "numpy"), "sql", warm=False)  # type: ignore[arg-type]
