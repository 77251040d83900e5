"""How strong the neurons of a block are: its hubs, and their strengths beside those of shuffled entries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from neuromfa.app.drawing.panels import Dot, Line, Panel
from neuromfa.app.drawing.scales import StepAxis
from neuromfa.app.pages.series import Drawn, drawn
from neuromfa.network import EdgeColumns, FloatArray
from neuromfa.questions import Neuron, StoredSample
from neuromfa.questions.engine.by_cypher import neuron_of
from neuromfa.questions.engine.by_numpy import neuron_at

RANGE = 150.0
DRAWS = 8
BINS = 24
MOST_HUBS = 12


@dataclass(frozen=True)
class Hub:
    """A neuron by its strength: the sum of the sizes of its weights in range, outgoing."""

    name: str
    kind: str
    strength: float
    times: float
    nfd: float | None


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer as the page needs it; `edges` are those that leave it, None for wiring and at the end of the block."""

    neurons: tuple[Neuron, ...]
    edges: EdgeColumns | None

    @property
    def size(self) -> int:
        """Number of neurons."""
        return len(self.neurons)


Layers = Mapping[int, Layer]


def read_layers(sample: StoredSample, first: int, last: int) -> Layers:
    """Return the layers of a block with the edges between them: from memory, or a small part of the sample is read."""
    neurons, graph = _neurons(sample, first, last), sample.graph() if sample.is_warm else None
    layout = sample.manifest.layout
    found = {}
    for layer in range(first, last + 1):
        edges = None
        if layer < last and not layout[layer].artificial:
            edges = graph.edges[layer] if graph else sample.store.read_edges(sample.manifest, layer)
        found[layer] = Layer(tuple(neurons[layer]), edges)
    return found


def _neurons(sample: StoredSample, first: int, last: int) -> Mapping[int, list[Neuron]]:
    """Return the neurons of some layers by place, in one query where they are not in memory."""
    found: dict[int, list[Neuron]] = {layer: [] for layer in range(first, last + 1)}
    if sample.is_warm:
        graph = sample.graph()
        return {
            layer: [neuron_at(graph, layer, k) for k in range(graph.layers[layer].size)] for layer in found
        }
    start, offsets = sample.manifest.first_key, sample.offsets
    keys = list(range(start + int(offsets[first]), start + int(offsets[last + 1])))
    for row in sample.rows("neurons_of_keys", keys=keys):
        found[row["layer"]].append(neuron_of(sample, row))
    return found


def strengths_of(layer: Layer) -> FloatArray:
    """Return the sum of the sizes of the weights in range that leave every neuron of a layer, shape (size,)."""
    assert layer.edges is not None
    near = layer.edges.distance <= RANGE
    sizes = np.abs(layer.edges.weight[near])
    return np.bincount(layer.edges.source[near], weights=sizes, minlength=layer.size).astype(np.float64)


def shuffled_strengths(layer: Layer, following: Layer, rng: np.random.Generator) -> FloatArray:
    """Return the same of entries in random order, those of every kind of target among themselves, shape (size,)."""
    edges = layer.edges
    assert edges is not None
    near = edges.distance <= RANGE
    kinds = np.array([neuron.kind for neuron in following.neurons])
    kind_of = kinds[edges.target]
    total = np.zeros(layer.size)
    for kind in dict.fromkeys(kinds.tolist()):
        entries = np.zeros(layer.size * int((kinds == kind).sum()))
        own = np.abs(edges.weight[near & (kind_of == kind)])
        entries[: own.size] = own
        total += rng.permutation(entries).reshape(layer.size, -1).sum(axis=1)
    return total


def weighted(layers: Layers) -> list[int]:
    """Return the places of the layers that weights leave."""
    return [place for place, layer in layers.items() if layer.edges is not None]


def hubs(layers: Layers) -> list[Hub]:
    """Return the neurons of a block that are strongest against the mean of their layer."""
    return sorted(_hubs(layers), key=lambda hub: -hub.times)[:MOST_HUBS]


def _hubs(layers: Layers) -> Iterator[Hub]:
    for place in weighted(layers):
        strengths = strengths_of(layers[place])
        mean = float(strengths.mean()) or 1.0
        for position in np.argsort(-strengths)[:MOST_HUBS].tolist():
            neuron, strength = layers[place].neurons[position], float(strengths[position])
            yield Hub(neuron.name, neuron.kind, strength, strength / mean, neuron.nfd)


def strength_panel(layers: Layers) -> Drawn:
    """Return how strengths are spread, each against the mean of its layer, real and shuffled."""
    places = weighted(layers)
    rng = np.random.default_rng(0)
    real = _relative([strengths_of(layers[place]) for place in places])
    draws = [
        _relative([shuffled_strengths(layers[place], layers[place + 1], rng) for place in places])
        for _ in range(DRAWS)
    ]
    together = np.concatenate([real, *draws])
    edges = np.linspace(together.min(), together.max(), BINS + 1)
    middles = (edges[:-1] + edges[1:]) / 2
    count = partial(_share, edges=edges)
    null = np.array([count(one) for one in draws])
    panel = Panel(
        name="strengths",
        title="Strengths, each over the mean of its layer",
        note=f"Share of neurons. Real against {DRAWS} draws with the entries of each matrix in random order.",
        lines=(
            _line("shuffled", middles, null.mean(axis=0), null.min(axis=0), null.max(axis=0)),
            _line("real", middles, count(real)),
        ),
    )
    return drawn([panel], StepAxis.of(middles.tolist(), "linear"), at=None)[0]


def _relative(strengths: Sequence[FloatArray]) -> FloatArray:
    return np.concatenate([one / (one.mean() or 1.0) for one in strengths])


def _share(values: FloatArray, *, edges: FloatArray) -> FloatArray:
    return np.histogram(values, edges)[0] / values.size


def _line(
    name: str,
    at: FloatArray,
    values: FloatArray,
    low: FloatArray | None = None,
    high: FloatArray | None = None,
) -> Line:
    lows = [None] * at.size if low is None else low.tolist()
    highs = [None] * at.size if high is None else high.tolist()
    return Line(
        name, name, tuple(Dot(*one) for one in zip(at.tolist(), values.tolist(), lows, highs, strict=True))
    )
