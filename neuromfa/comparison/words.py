"""A comparison in words: one sentence on which series hold structure and which differ, and what it does not say."""

from collections.abc import Iterable, Mapping, Sequence

from neuromfa.comparison.records import G2, FailedSeries, GroupPair, Pair
from neuromfa.structure import Answer, Effect
from neuromfa.verdict_words import CAUTION, REASONS

MOST_PAIRS = 6
"""Pairs that a sentence names; of more it gives the number."""

SAMPLING = (
    "Intervals and p of one series, and of two, speak of these weights under another choice of neurons; they do not "
    "say what training again with another seed would give. Groups of replicates do."
)
BETWEEN = (
    "Intervals of a group, and of the difference of two groups, are between runs: they hold for further runs that are "
    "made as these were."
)
ABOUT_E = (
    "E is not comparable between models, widths, initialisations or weight decays; its differences are unpaired, "
    "since E is made of means over samples."
)
ALIGNED = "Two series are compared at the last point of the axis that both have."


def notes_of(*, grouped: bool) -> list[str]:
    """Return what a reader has to know."""
    return [SAMPLING, *([BETWEEN] if grouped else []), ABOUT_E, ALIGNED]


def sentence_of(
    answers: Mapping[str, Effect | None],
    pairs: Sequence[Pair],
    group_pairs: Sequence[GroupPair],
    failed: Sequence[FailedSeries],
) -> str:
    """Return which series hold structure that scale does not explain, and which differ.

    Parameters
    ----------
    answers : of every series at its last step, by id; None where it was not asked
    pairs, group_pairs : what was compared
    failed : series without numbers
    """
    parts = [*_holding(answers), *_differing(pairs), *map(_between_groups, group_pairs)]
    parts += [f"{listed(one.id for one in failed)} could not be measured"] if failed else []
    return f"{'; '.join(parts)}. {CAUTION}"


def listed(names: Iterable[str]) -> str:
    """Return names as ``a, b and c``."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _holding(answers: Mapping[str, Effect | None]) -> Iterable[str]:
    by_answer: dict[Answer | None, list[str]] = {}
    for name, effect in answers.items():
        by_answer.setdefault(effect.answer if effect else None, []).append(name)
    if yes := by_answer.get("yes"):
        yield f"Structure that scale does not explain: {listed(yes)}"
    if no := by_answer.get("no"):
        yield f"none, or too little to speak of: {listed(no)}" if yes else _first_none(no)
    if undecided := by_answer.get("undecided"):
        yield f"undecided whether there is any: {listed(undecided)}"
    for name in by_answer.get(None, ()):
        yield f"no verdict on {name}: {_reason(answers[name])}"


def _first_none(names: Sequence[str]) -> str:
    return f"No structure beyond scale, or too little to speak of: {listed(names)}"


def _reason(effect: Effect | None) -> str:
    reason = effect.reason if effect else None
    return REASONS.get(reason or "", reason or "its results are of an older version of the method")


def _differing(pairs: Sequence[Pair]) -> Iterable[str]:
    by_answer: dict[Answer | None, list[Pair]] = {}
    for pair in pairs:
        by_answer.setdefault(pair.structure.answer, []).append(pair)
    if yes := by_answer.get("yes"):
        yield f"it differs between {_named(yes)}"
    if no := by_answer.get("no"):
        yield f"it is the same, or nearly so, in {_named(no)}"
    if undecided := by_answer.get("undecided"):
        yield f"undecided whether it differs between {_named(undecided)}"


def _named(pairs: Sequence[Pair]) -> str:
    if len(pairs) > MOST_PAIRS:
        return f"{len(pairs)} pairs"
    return ", ".join(f"{pair.first} and {pair.second}" for pair in pairs)


def _between_groups(pair: GroupPair) -> str:
    """Return what two groups of replicates say, which is more than two runs can."""
    found = pair.differences[G2]
    if found.value is None or found.p is None:
        return f"between runs of {pair.first} and {pair.second} nothing can be said ({found.reason})"
    more = "more" if found.value > 0.0 else "less"
    n = f"{found.n[0]} and {found.n[1]} runs"
    size = f"{abs(found.value):.5f} {more}"
    return f"between runs, {pair.first} has a g2 {size} than {pair.second} (p {found.p:.1g}, {n})"
