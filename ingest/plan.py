"""What an ingest would do: how much it would read, write and take, before any weight is read.

The first checkpoint that would be read is opened: its header tells shapes and places, from which the bytes that
sampling reads follow exactly. The others are taken to be like it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

from neuromfa.analysis import baseline_checkpoint, sample
from neuromfa.checkpoints import Checkpoint
from neuromfa.checkpoints.formats.dtypes import dtype_named
from neuromfa.checkpoints.formats.tensor_store import FileTensors
from neuromfa.graph import GraphStore
from neuromfa.ingest.pace import seconds_to_measure, written_per_s
from neuromfa.ingest.recognise import failed_before, key_maker, no_key, recognised
from neuromfa.ingest.request import IngestRequest
from neuromfa.network import SNIN
from neuromfa.options import BASELINE_NONE

BYTES_A_RELATIONSHIP = 240
"""82 on disk, and about 160 of transaction logs until they are pruned."""

READ_BYTES_PER_S = 6e8
MEASURED_PER_S = 3.5e6
WRITTEN_PER_S = 7e4
"""Measured on two cores with files of 1.4B shape: bytes, edges of a whole network, and relationships."""

UNIT_S = 0.1
"""Of small writes around each checkpoint."""

PLAIN_BYTES_PER_S = 7e6
"""Of float16 weights of that shape, for their plain measures and those of two nulls."""


@dataclass(frozen=True)
class IngestPlan:
    """What an ingest would do.

    Attributes
    ----------
    model : id of the model
    checkpoints : that are asked for
    recognised : of them, those that are stored already by the look of their files
    to_read : of them, those that would be read
    bytes_to_read, requests : what sampling these would take, the baseline among it
    graphs, relationships, bytes_to_store : that would be written at most; those of a touched file are found to be known
    seconds : an estimate, in one process; the link to a remote source is not in it. Measuring is timed here on noise,
        writing goes as fast as it did for what the store has; the rest, and what is not known, by rates from elsewhere
    """

    model: str
    checkpoints: int
    recognised: int
    to_read: int
    bytes_to_read: int
    requests: int
    graphs: int
    relationships: int
    bytes_to_store: int
    seconds: float


@dataclass(frozen=True)
class _Cost:
    """What one checkpoint takes: bytes and requests to read, seconds to measure, relationships to write.

    `whole` is what plain measures of its matrices read besides, which those of the baseline are not.
    """

    n_bytes: int = 0
    requests: int = 0
    measure_s: float = 0.0
    relationships: int = 0
    whole: int = 0


def planned(request: IngestRequest, store: GraphStore, *, follow_links: bool = False) -> IngestPlan:
    """Return what an ingest of this request would do now; nothing is written and no weight is read.

    Raises
    ------
    SourceError : the series, or the first checkpoint that would be read, cannot be opened
    """
    series = request.open(follow_links=follow_links)
    selected = series.select(request.steps)
    reads_all = request.retry_failed or request.reads_all
    key_of = no_key if reads_all else key_maker(series, request.options)
    stored = recognised(store, selected, key_of, request)
    wanted = failed_before(store, selected) if request.retry_failed else selected
    unread = [one for one in wanted.checkpoints if one.step not in stored]
    cost = _cost(unread[0], request) if unread else _Cost()
    against = baseline_checkpoint(series, request.options) if unread else None
    reads = len(unread) + (against is not None and request.options.baseline != BASELINE_NONE)
    graphs = len(unread) * request.graphs_per_checkpoint
    seconds = (
        reads * (cost.n_bytes / READ_BYTES_PER_S + cost.measure_s)
        + len(unread) * (cost.whole / PLAIN_BYTES_PER_S + UNIT_S)
        + graphs * cost.relationships / (written_per_s(store) or WRITTEN_PER_S)
    )
    return IngestPlan(
        model=series.id,
        checkpoints=len(selected.checkpoints),
        recognised=len(stored),
        to_read=len(unread),
        bytes_to_read=reads * cost.n_bytes + len(unread) * cost.whole,
        requests=reads * cost.requests,
        graphs=graphs,
        relationships=graphs * cost.relationships,
        bytes_to_store=graphs * cost.relationships * BYTES_A_RELATIONSHIP,
        seconds=round(seconds, 1),
    )


def _cost(checkpoint: Checkpoint, request: IngestRequest) -> _Cost:
    tensors = checkpoint.open()
    assert isinstance(tensors, FileTensors), "what an ingest opens lies in files"
    try:
        headers, asked = tensors.bytes_read, tensors.requests
        sampled = sample(replace(checkpoint, opener=tensors.unread), request.options)
        sizes = [_edges(network) for network in sampled.networks]
        whole = headers + _whole(tensors, sampled.tensors.used) if request.options.matrices else 0
        n_bytes, requests = headers + sampled.bytes_read, asked + sampled.requests
        if request.options.nodes is None:
            measure_s = sum(sizes) / MEASURED_PER_S
        else:
            measure_s = seconds_to_measure(checkpoint, sampled, request.options)
    finally:
        tensors.close()
    return _Cost(n_bytes, requests, measure_s, max(sizes), whole)


def _whole(tensors: FileTensors, names: Sequence[str]) -> int:
    """Return the bytes of whole tensors, which plain measures of matrices read."""
    infos = map(tensors.info, names)
    return sum(prod(info.shape) * dtype_named(info.dtype, where=tensors.name).itemsize for info in infos)


def _edges(network: SNIN) -> int:
    """Return the edges of a network, wiring included, as if no weight were too small to stand in the graph."""
    weighted = sum(link.weights.size for link in network.links if link.weights is not None)
    return weighted + sum(int(link.wiring.sum()) for link in network.links if link.wiring is not None)
