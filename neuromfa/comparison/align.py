"""The axis on which series stand side by side: steps, tokens, or share of training."""

from collections.abc import Callable, Mapping, Sequence

from neuromfa.comparison.records import By, Position, Source
from neuromfa.errors import OptionError
from neuromfa.results import CheckpointNumbers

Axis = Mapping[Position, CheckpointNumbers]
"""The checkpoints of a series by their place, in ascending order; a single one without a step stands at None."""


def axis_named(text: str) -> By:
    """Return the axis of a name; `OptionError` says which there are."""
    named: dict[str, By] = {name: name for name in _PLACES}
    if text not in named:
        raise OptionError(f"series are aligned by {', '.join(named)}, not by {text!r}")
    return named[text]


def axis_of(source: Source, by: By) -> Axis:
    """Return the checkpoints of a series by their place on the axis; one without a place is left out.

    Raises
    ------
    OptionError : by tokens, and no checkpoint tells how many it saw
    """
    place = _PLACES[by](source.checkpoints)
    found = {place(one): one for one in source.checkpoints if one.step is None or place(one) is not None}
    if by == "tokens" and set(found) <= {None}:
        raise OptionError(
            f"no checkpoint of {source.id} tells how many tokens it saw, as folders named step{{n}}-tokens{{m}} do: "
            "align by step or by share"
        )
    return {position: found[position] for position in sorted(found, key=_order)}


def common(axes: Sequence[Axis]) -> list[Position]:
    """Return the places that all series have, in ascending order."""
    shared = set.intersection(*(set(axis) for axis in axes)) if axes else set()
    return sorted(shared, key=_order)


def _order(position: Position) -> float:
    return -1.0 if position is None else position


def _by_share(checkpoints: Sequence[CheckpointNumbers]) -> Callable[[CheckpointNumbers], Position]:
    """Return step / last step; a series that has step 0 alone has no share."""
    last = max((one.step for one in checkpoints if one.step is not None), default=0)
    return lambda one: None if one.step is None or last == 0 else one.step / last


_PLACES: Mapping[By, Callable[[Sequence[CheckpointNumbers]], Callable[[CheckpointNumbers], Position]]] = {
    "step": lambda _: lambda one: one.step,
    "tokens": lambda _: lambda one: one.tokens,
    "share": _by_share,
}
