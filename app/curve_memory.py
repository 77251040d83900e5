"""Short points of curves that were read before: results never change under their name, so neither do these."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from neuromfa.curves import CompactPoint, compact
from neuromfa.graph import GraphStore
from neuromfa.graph.several_series import NamedPoint, summaries
from neuromfa.structure import Verdict

MOST_POINTS = 20_000
AT_ONCE = 500


@dataclass(frozen=True)
class Remembered:
    """A short point, and the verdict that the series' is made of."""

    step: int | None
    point: CompactPoint
    verdict: Verdict | None


class CurveMemory:
    """The last points read, by what they are named: the checkpoint's step, its result, and the notes on it."""

    def __init__(self) -> None:
        self._known: OrderedDict[NamedPoint, Remembered] = OrderedDict()
        self._lock = Lock()

    def read(self, store: GraphStore, names: Sequence[NamedPoint]) -> dict[NamedPoint, Remembered]:
        """Return points by their names; the store is asked only for those that are not known yet."""
        with self._lock:
            found = {name: self._known[name] for name in names if name in self._known}
        missing = [name for name in names if name not in found]
        for first in range(0, len(missing), AT_ONCE):
            part = missing[first : first + AT_ONCE]
            texts = summaries(store, (name.id for name in part))
            found |= {name: _remembered(name, texts[name.id]) for name in part}
        self._keep(found)
        return found

    def _keep(self, found: dict[NamedPoint, Remembered]) -> None:
        with self._lock:
            for name, point in found.items():
                self._known[name] = point
                self._known.move_to_end(name)
            while len(self._known) > MOST_POINTS:
                self._known.popitem(last=False)


def _remembered(name: NamedPoint, summary: str) -> Remembered:
    numbers = name.with_numbers(summary).read()
    return Remembered(numbers.step, compact(numbers), numbers.verdict)
