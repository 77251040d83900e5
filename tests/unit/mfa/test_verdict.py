"""The verdict's rule: a fixed margin, a level for random weights, and never an answer where none can be had."""

from dataclasses import replace

import pytest
from scipy import stats

from neuromfa.mfa.verdict import LEVEL, MARGIN, change_of, holm, onset, structure_of
from neuromfa.structure import Effect, Excess

N = 10


def excess(value: float, *, se: float = 0.0001, p: float = 1e-4, n: int = N, draws: int = 8) -> Excess:
    half = stats.t.ppf(0.975, n - 1) * se
    return Excess(
        value=value, low=value - half, high=value + half, se=se, t=value / se, p_chance=p, n=n, draws=draws
    )


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        (excess(0.0032), "yes"),
        (excess(0.0032, p=0.02), "undecided"),
        (excess(0.0008, se=0.00001), "no"),
        (excess(0.0008), "undecided"),
        (excess(-0.0050), "no"),
        (excess(0.0, p=1.0), "no"),
        (excess(0.0, se=0.001, p=1.0), "undecided"),
    ],
)
def test_structure(found, answer) -> None:
    effect = structure_of(found, rho=0.0)
    assert effect.answer == answer and effect.reason is None
    assert effect.g2 == found.value and effect.g * abs(effect.g) == pytest.approx(found.value)


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        (excess(0.0032), "yes"),
        (excess(-0.0032), "yes"),
        (excess(-0.0008), "undecided"),
        (excess(0.0, p=1.0), "no"),
        (excess(-0.0008, se=0.00001), "no"),
    ],
)
def test_a_change_goes_either_way(found, answer) -> None:
    assert change_of(found, rho=0.0).answer == answer


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (excess(0.0032, n=2), "few_samples"),
        (excess(0.0032, draws=1), "few_draws"),
        (replace(excess(0.0032), p_chance=None, reason="whole_layer"), "whole_layer"),
        (Excess(value=None, n=N, draws=8, reason="no_spectrum"), "no_spectrum"),
    ],
)
def test_no_answer_has_a_reason(found, reason) -> None:
    for rule in (structure_of, change_of):
        effect = rule(found, rho=0.0)
        assert (effect.answer, effect.reason) == (None, reason)
        assert effect.n == found.n and effect.g2 == found.value


def test_smallest_visible_effect() -> None:
    reach = stats.t.ppf(1 - LEVEL / 2, N - 1) + stats.t.ppf(0.8, N - 1)
    assert structure_of(excess(0.003), rho=0.0).smallest_visible == pytest.approx(reach * 0.0001)
    shared = structure_of(excess(0.003), rho=1 / 9).smallest_visible
    assert shared == pytest.approx(reach * 0.0001 / ((8 / 9) / 2) ** 0.5)


def effect(answer: str, p: float) -> Effect:
    return Effect(answer=answer, p=p, g2=2 * MARGIN)


@pytest.mark.parametrize(
    ("effects", "bracket"),
    [
        ([effect("no", 0.5), effect("yes", 1e-9), effect("yes", 1e-9)], (0, 1)),
        ([effect("yes", 1e-9), effect("no", 0.5), effect("yes", 1e-9)], (1, 2)),
        ([effect("yes", 1e-9), effect("yes", 1e-9)], (None, 0)),
        ([effect("yes", 1e-9), effect("undecided", 0.5)], None),
        ([effect("yes", 0.009), effect("yes", 1e-9), effect("yes", 0.006)], None),
        ([effect("yes", 1e-9), Effect(answer=None, reason="few_edges")], None),
    ],
)
def test_onset(effects, bracket) -> None:
    assert onset(list(enumerate(effects))) == bracket


def test_holm() -> None:
    p = [0.01, 0.04, 0.03, 0.005]
    assert holm(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == [] and holm([0.7, 0.9]) == [1.0, 1.0]
