"""The verdict (ours): is there structure that scale does not explain, by a rule with a fixed margin.

The effect is g2, the mean over matrices of the variance of NFD within each, real minus shuffled, in profile shape at
one hop. It does not grow with neurons, depth or samples, as t does. Margin and level are part of the method's version
and are never computed from the data.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import copysign, sqrt

from neuromfa.mfa.excess import chance_factor, quantile
from neuromfa.mfa.uncertainty import SMALLEST_SAMPLE
from neuromfa.structure import FEW_DRAWS, FEW_SAMPLES, Answer, Effect, Excess, Step

MARGIN = 0.0009
"""The g2 below which structure is too little to speak of, g = .03."""
LEVEL = 0.01
POWER = 0.8
FEWEST_DRAWS = 2


def structure_of(excess: Excess, *, rho: float) -> Effect:
    """Answer whether weights hold structure, from the excess of the variance of NFD.

    ``yes`` where p (random weights) is below .01 and g2 above the margin, ``no`` where the upper end of the interval
    lies below the margin, otherwise ``undecided``.
    """
    effect = _effect(excess, rho=rho)
    if effect.reason is not None:
        return effect
    assert effect.g2 is not None and effect.high is not None
    return replace(effect, answer=_answer(yes=_is_visible(effect, effect.g2), no=effect.high < MARGIN))


def change_of(difference: Excess, *, rho: float) -> Effect:
    """Answer whether the structure is another one than the baseline's, from the paired difference of their excess.

    The same rule, but structure may also have become less: g2 counts without its sign, and ``no`` needs the whole
    interval within the margin.
    """
    effect = _effect(difference, rho=rho)
    if effect.reason is not None:
        return effect
    assert effect.g2 is not None and effect.high is not None and effect.low is not None
    within = -MARGIN < effect.low and effect.high < MARGIN
    return replace(effect, answer=_answer(yes=_is_visible(effect, abs(effect.g2)), no=within))


def onset(effects: Sequence[tuple[Step, Effect]]) -> tuple[Step, Step] | None:
    """Return the last step that is not yes (None where there is none) and the first from which all later ones are.

    The level holds for all steps together (Holm).

    Parameters
    ----------
    effects : measured steps in order of training

    Returns
    -------
    bracket : None where the last step is not yes
    """
    adjusted = holm([1.0 if effect.p is None else effect.p for _, effect in effects])
    before: Step = None
    found: tuple[Step, Step] | None = None
    for (step, effect), p in zip(effects, adjusted, strict=True):
        if effect.answer == "yes" and p < LEVEL:
            found = found or (before, step)
        else:
            before, found = step, None
    return found


def holm(p: Sequence[float]) -> list[float]:
    """Return p-values adjusted for how many there are (Holm 1979), in the order given."""
    order = sorted(range(len(p)), key=lambda k: p[k])
    adjusted, highest = [0.0] * len(p), 0.0
    for rank, k in enumerate(order):
        highest = max(highest, min(1.0, (len(p) - rank) * p[k]))
        adjusted[k] = highest
    return adjusted


def _effect(excess: Excess, *, rho: float) -> Effect:
    """Return the effect without its answer, or the reason why there is none."""
    known = Effect(
        answer=None, g2=excess.value, low=excess.low, high=excess.high, n=excess.n, draws=excess.draws
    )
    if excess.value is None:
        return replace(known, reason=excess.reason)
    known = replace(known, g=copysign(sqrt(abs(excess.value)), excess.value))
    if excess.n < SMALLEST_SAMPLE or excess.draws < FEWEST_DRAWS:
        return replace(known, reason=FEW_SAMPLES if excess.n < SMALLEST_SAMPLE else FEW_DRAWS)
    if excess.p_chance is None or excess.se is None:
        return replace(known, reason=excess.reason or FEW_SAMPLES)
    reach = quantile(1.0 - LEVEL / 2.0, excess.n) + quantile(POWER, excess.n)
    visible = reach * excess.se / chance_factor(excess.n, rho)
    return replace(known, p=excess.p_chance, smallest_visible=visible)


def _is_visible(effect: Effect, size: float) -> bool:
    return effect.p is not None and effect.p < LEVEL and size > MARGIN


def _answer(*, yes: bool, no: bool) -> Answer:
    return "yes" if yes else "no" if no else "undecided"
