"""A bounded store of arrays in memory: samples read once, kept until others need the room."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from neuromfa.errors import NobodyWaits
from neuromfa.network import SampleGraph

USUAL_BYTES = 256 * 2**20


@dataclass
class _Reading:
    """A read under way; whoever wants the same sample waits for it."""

    done: threading.Event = field(default_factory=threading.Event)
    graph: SampleGraph | None = None
    failure: BaseException | None = None


class SampleCache:
    """Samples by their graph hash, the longest unused dropped first; any number of threads may use it.

    A sample is known by its content, so what is kept is never old. A sample larger than the whole room is
    handed out and not kept.

    Parameters
    ----------
    max_bytes : bound on the arrays kept
    """

    def __init__(self, *, max_bytes: int = USUAL_BYTES) -> None:
        self.max_bytes = max_bytes
        self._kept: OrderedDict[str, SampleGraph] = OrderedDict()
        self._readings: dict[str, _Reading] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def n_bytes(self) -> int:
        """Bytes of the arrays kept now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, graph_hash: str) -> bool:
        return graph_hash in self._kept

    def get(self, graph_hash: str, read: Callable[[], SampleGraph]) -> SampleGraph:
        """Return a sample, by `read` where it is not kept; of threads that want it at once, one reads.

        What `read` raises, all who waited for it raise; the next one reads again.
        """
        with self._lock:
            if graph_hash in self._kept:
                self._kept.move_to_end(graph_hash)
                return self._kept[graph_hash]
            first = graph_hash not in self._readings
            reading = self._readings.setdefault(graph_hash, _Reading())
        if first:
            self._read(graph_hash, reading, read)
        reading.done.wait()
        if reading.graph is not None:
            return reading.graph
        assert reading.failure is not None
        if isinstance(reading.failure, NobodyWaits) and not first:
            return self.get(graph_hash, read)  # the one who read has left, and not this one
        raise reading.failure

    def _read(self, graph_hash: str, reading: _Reading, read: Callable[[], SampleGraph]) -> None:
        try:
            reading.graph = read()
        except BaseException as failure:  # noqa: BLE001  told to everyone who waits
            reading.failure = failure
        with self._lock:
            del self._readings[graph_hash]
            if reading.graph is not None:
                self._keep(graph_hash, reading.graph)
        reading.done.set()

    def _keep(self, graph_hash: str, graph: SampleGraph) -> None:
        size = bytes_of(graph)
        if size > self.max_bytes:
            return
        self._kept[graph_hash] = graph
        self._bytes += size
        while self._bytes > self.max_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= bytes_of(dropped)


def bytes_of(graph: SampleGraph) -> int:
    """Return the bytes of a sample's arrays: edges, units and measures."""
    edges = (
        array
        for columns in graph.edges
        for array in (columns.source, columns.target, columns.distance, columns.weight)
    )
    units = (part.units for layer in graph.layers for part in layer.parts)
    measures = () if graph.measures is None else (*graph.measures.nfd, *graph.measures.nfd_own)
    return sum(array.nbytes for arrays in (edges, units, measures) for array in arrays)
