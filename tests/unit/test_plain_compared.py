"""Plain measures of whole matrices in a comparison: means over kinds, shares of the smaller side, null where absent."""

import csv
from dataclasses import fields, replace
from pathlib import Path

import pytest

from neuromfa.comparison import Comparison, Source, compare
from neuromfa.comparison.plain import PLAIN, plain_values
from neuromfa.exports import write_comparison_csv
from neuromfa.matrices import KindMatrices, Matrices, MatrixFigure, MatrixFigures
from neuromfa.results import CheckpointResult, CurvePoint, from_json, to_json
from tests.unit.making_series import numbers, series

NOTHING = MatrixFigure(None, None, None, n=0)


def kind(side: float, **figures: float) -> KindMatrices:
    """Return figures of a kind, each with half of its value where entries are shuffled."""
    own = {each.name: NOTHING for each in fields(MatrixFigures)}
    own |= {name: MatrixFigure(value, value / 2, None) for name, value in figures.items()}
    return KindMatrices(parts=1, smaller_side=side, **own)


def with_kinds(id: str, parameters: int | None = None, **kinds: KindMatrices) -> Source:
    matrices = Matrices(by_kind=kinds) if kinds else None
    return series(id, replace(numbers(2000, g2=[0.01, 0.02, 0.03]), parameters=parameters, matrices=matrices))


def compared(*sources: Source) -> Comparison:
    found = compare(sources)
    assert from_json(Comparison, to_json(found)) == found
    return found


A = with_kinds("a", 70, query=kind(10, effective_rank=5, kurtosis=1), up=kind(20, effective_rank=16))
B = with_kinds("b", 160, query=kind(40, effective_rank=10, kurtosis=4), down=kind(4, kurtosis=8))


def test_values_are_means_over_kinds_and_ranks_are_shares() -> None:
    own = compared(A, B).series[0].matrices
    assert own is not None and tuple(own) == PLAIN
    rank = own["effective_rank_share"]
    assert (rank.value, rank.shuffled, rank.kinds) == pytest.approx(((0.5 + 0.8) / 2, 0.325, 2))
    assert (own["kurtosis"].value, own["kurtosis"].kinds) == (1.0, 1)
    assert (own["tail_exponent"].value, own["tail_exponent"].shuffled, own["tail_exponent"].kinds) == (
        None,
        None,
        0,
    )


def test_two_series_differ_over_the_kinds_that_both_have() -> None:
    [pair] = compared(A, B).pairs
    assert pair.matrices is not None
    rank, kurtosis = pair.matrices["effective_rank_share"], pair.matrices["kurtosis"]
    assert (rank.value, rank.shuffled, rank.kinds) == pytest.approx((0.5 - 0.25, 0.125, 1))
    assert (kurtosis.value, kurtosis.kinds) == (-3.0, 1)
    assert pair.matrices["tail_exponent"].value is None


def test_who_was_not_measured_so_has_none() -> None:
    found = compared(A, with_kinds("c", 410))
    assert found.series[1].matrices is None and found.pairs[0].matrices is None
    assert found.by_size is not None and found.by_size.matrix_trends is None
    assert [one.matrices is None for one in found.by_size.series] == [False, True]


def test_the_table_has_them_in_the_row_of_the_last_step(tmp_path: Path) -> None:
    early = replace(numbers(0, g2=[0.0, 0.01, 0.02]), matrices=None)
    last = A.checkpoints[-1]
    assert isinstance(last, CheckpointResult)
    table = tmp_path / "curves.csv"
    write_comparison_csv(compared(series("a", early, last), with_kinds("c")), table)
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["series"], row["step"], row["kurtosis"], row["kurtosis_shuffled"]) for row in rows] == [
        ("a", "0", "", ""),
        ("a", "2000", "1.0", "0.5"),
        ("c", "2000", "", ""),
    ]


def test_by_size_they_have_a_rank_correlation() -> None:
    third = with_kinds("c", 410, query=kind(10, effective_rank=1, kurtosis=9))
    found = compared(third, A, B, with_kinds("d", 1000)).by_size
    assert found is not None and found.matrix_trends is not None
    trends = found.matrix_trends
    assert (trends["kurtosis"].rho, trends["kurtosis"].n) == (pytest.approx(1.0), 3)
    assert trends["effective_rank_share"].rho == pytest.approx(-1.0)
    assert trends["tail_exponent"].reason == "few_sizes"


def test_a_stored_curve_has_them_too() -> None:
    [whole] = A.checkpoints
    assert isinstance(whole, CheckpointResult)
    assert plain_values(CurvePoint.of(whole)) == plain_values(whole) is not None
