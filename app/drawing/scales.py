"""Scales: from values to places in a drawing, and which values are labelled."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Along = Literal["log", "linear", "tokens", "share"]
"""What the axis of steps shows: log(1 + step), the step, log(1 + tokens), or the share of training."""
LOGARITHMIC = ("log", "tokens")
MOST_TICKS, MOST_ROUND = 7, 6


@dataclass(frozen=True)
class Scale:
    """A linear scale from values to pixels.

    Attributes
    ----------
    low, high : values at its ends
    start, end : pixels at its ends
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        reach = self.high - self.low
        share = (value - self.low) / reach if reach else 0.5
        return self.start + share * (self.end - self.start)


@dataclass(frozen=True)
class StepAxis:
    """The axis that all panels of a page share.

    Attributes
    ----------
    along : what it shows
    positions : the positions that are drawn, ascending
    """

    along: Along
    positions: tuple[float, ...]

    @classmethod
    def of(cls, positions: Iterable[float], along: Along) -> "StepAxis":
        """Return the axis of some positions."""
        return cls(along, tuple(sorted(set(positions))))

    def scale(self, start: float, end: float) -> "StepScale":
        """Return where positions stand between two pixels."""
        placed = [self.place(one) for one in self.positions] or [0.0]
        return StepScale(self, Scale(placed[0], placed[-1], start, end))

    def place(self, position: float) -> float:
        """Return the value that is linear in the drawing."""
        return math.log1p(max(position, 0.0)) if self.along in LOGARITHMIC else position

    def ticks(self, most: int = MOST_TICKS) -> list[float]:
        """Return positions far enough apart to be labelled, first and last among them; round ones where linear."""
        known = list(self.positions)
        if self.along == "linear" and len(known) > 2:
            return nice_ticks(known[0], known[-1], MOST_ROUND)
        if len(known) < 3:
            return known
        first, last = known[0], known[-1]
        gap = (self.place(last) - self.place(first)) / most
        ticks = [first]
        for one in known[1:-1]:
            place = self.place(one)
            if place - self.place(ticks[-1]) >= gap and self.place(last) - place >= gap:
                ticks.append(one)
        return [*ticks, last]

    def spread(self, most: int) -> list[float]:
        """Return at most so many positions, evenly spread along the drawing, ends included."""
        known = list(self.positions)
        if len(known) <= most:
            return known
        first, last = self.place(known[0]), self.place(known[-1])
        wanted = [first + (last - first) * k / (most - 1) for k in range(most)]
        return sorted({min(known, key=lambda one: abs(self.place(one) - want)) for want in wanted})


@dataclass(frozen=True)
class StepScale:
    """Where the positions of an axis stand in one drawing."""

    axis: StepAxis
    scale: Scale

    def __call__(self, position: float) -> float:
        """Return the pixel of a position."""
        return self.scale(self.axis.place(position))


def reach(values: Iterable[float | None], *, also: Sequence[float] = ()) -> tuple[float, float]:
    """Return the ends of an axis that holds all values with a little room; (0, 1) of none."""
    known = [one for one in values if one is not None and math.isfinite(one)]
    if not known:
        return 0.0, 1.0
    low, high = min(*known, *also, known[0]), max(*known, *also, known[0])
    room = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
    return low - room, high + room


def nice_ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Return round values between two ends, 1, 2 or 5 times a power of ten apart."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough)
    first = math.ceil(low / step)
    return [k * step for k in range(first, math.floor(high / step) + 1)]


def tick_label(value: float) -> str:
    """Return a value of a vertical axis in few letters."""
    if value and abs(value) < 0.0001:
        return f"{value:.0e}".replace("-", "−").replace("e−0", "e−")
    return f"{value:.6f}".rstrip("0").rstrip(".").replace("-", "−") if abs(value) < 1000 else f"{value:,.0f}"


def step_label(position: float, along: Along) -> str:
    """Return a position in few letters: 143k steps, 2.1M tokens, 40 %."""
    if along == "share":
        return f"{100 * position:.0f} %"
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if position >= size:
            return f"{position / size:.3g}{letter}"
    return f"{position / 1000:.3g}k" if position >= 10_000 else f"{position:.4g}"
