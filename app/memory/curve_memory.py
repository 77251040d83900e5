"""Points of curves that were read before, for one series and for all: results never change under their name.

What is kept of a point is what it was read for so far: its numbers in short, and where a whole series was asked for its
text too. One bound holds for all of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from neuromfa.app.memory.held_answers import Held
from neuromfa.app.memory.series_parts import json_of
from neuromfa.beyond_scale import series_verdict
from neuromfa.change_points import change_points
from neuromfa.changes import CurveChanges
from neuromfa.curves import CompactPoint, compact
from neuromfa.graph import GraphStore
from neuromfa.graph.several_series import NamedPoint
from neuromfa.graph.stored_series import SeriesIndex, StoredStep
from neuromfa.results import CurvePoint
from neuromfa.structure import SeriesVerdict, Verdict

POINTS_BYTES = 32 * 2**20
POINT_BYTES = 4000
CURVE_BYTES = 4000
AT_ONCE = 500


@dataclass(frozen=True, eq=False)
class Remembered:
    """A point, and the verdict that the series' is made of.

    Attributes
    ----------
    text : the whole point as JSON, None where nobody asked for it yet
    """

    step: int | None
    point: CompactPoint
    verdict: Verdict | None
    text: bytes | None = None

    @classmethod
    def of(cls, point: CurvePoint) -> "Remembered":
        """Return a point without its text, which takes longest to make."""
        return cls(point.step, compact(point), point.verdict)

    @property
    def n_bytes(self) -> int:
        """About how much it takes."""
        return POINT_BYTES + len(self.text or b"")


@dataclass(frozen=True, eq=False)
class Curve:
    """What all steps of a series say together."""

    verdict: SeriesVerdict | None
    change_points: dict[str, CurveChanges]
    n_bytes: int = CURVE_BYTES


class CurveMemory:
    """The last points read, by what they are named: the checkpoint's step, its result, and the notes on it.

    Parameters
    ----------
    max_bytes : bound on all of them together
    """

    def __init__(self, *, max_bytes: int = POINTS_BYTES) -> None:
        self._kept: Held[Remembered] = Held(max_bytes=max_bytes)

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def n_bytes(self) -> int:
        """About how much all of them take."""
        return self._kept.n_bytes

    def read(self, store: GraphStore, names: Sequence[NamedPoint]) -> dict[NamedPoint, Remembered]:
        """Return points by their names; the store is asked only for those that are not known yet."""
        found = self._known(names)
        missing = [name for name in names if name not in found]
        return found | {
            name: self._keep(name, Remembered.of(point)) for name, point in read_points(store, missing)
        }

    def texts(self, store: GraphStore, names: Sequence[NamedPoint]) -> list[bytes]:
        """Return points as JSON, in their order; the store is asked only for those that are not known yet."""
        found = {name: one.text for name, one in self._known(names).items() if one.text is not None}
        missing = [name for name in names if name not in found]
        found |= {name: self._keep_text(name, point) for name, point in read_points(store, missing)}
        return [found[name] for name in names]

    def whole(self, store: GraphStore, index: SeriesIndex, options_hash: str) -> Curve:
        """Read all points of an analysis, whose texts are kept, and return what they say together."""
        points = []
        for name, point in read_points(store, names_of(index, index.newest(options_hash))):
            self._keep_text(name, point)
            points.append(point)
        options = next(one.options for one in index.analyses if one.options_hash == options_hash)
        return Curve(series_verdict(points, options), change_points(points))

    def _keep_text(self, name: NamedPoint, point: CurvePoint) -> bytes:
        text = json_of(point)
        self._keep(name, replace(Remembered.of(point), text=text))
        return text

    def _known(self, names: Sequence[NamedPoint]) -> dict[NamedPoint, Remembered]:
        return {name: one for name in names if (one := self._kept.get(name)) is not None}

    def _keep(self, name: NamedPoint, one: Remembered) -> Remembered:
        self._kept.keep(name, one)
        return one


def names_of(index: SeriesIndex, steps: Iterable[StoredStep]) -> list[NamedPoint]:
    """Return the names of the points of some steps of a series."""
    return [
        NamedPoint(index.model, one.step, one.revision, one.analysis_hash, one.notes, one.serial)
        for one in steps
    ]


def read_points(store: GraphStore, names: Sequence[NamedPoint]) -> Iterator[tuple[NamedPoint, CurvePoint]]:
    """Yield points that are in the store with their names, some hundred at a time."""
    for first in range(0, len(names), AT_ONCE):
        part = names[first : first + AT_ONCE]
        texts = store.summaries([name.id for name in part])
        yield from ((name, name.with_numbers(text).read()) for name, text in zip(part, texts, strict=True))
