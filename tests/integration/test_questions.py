"""Questions to stored graphs: Cypher, numpy and scipy give the same answers, on random graphs and on real ones."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from neuromfa.errors import NotStored, OptionError, QueryTimeout
from neuromfa.graph import GraphStore
from neuromfa.ingest.ingest import ingest
from neuromfa.ingest.request import IngestRequest
from neuromfa.method_version import METHOD_VERSION
from neuromfa.network import (
    EdgeColumns,
    Layer,
    NeuronMeasures,
    NeuronTests,
    Part,
    Provenance,
    SampleGraph,
    TestedMeasure,
)
from neuromfa.options import AnalysisOptions
from neuromfa.questions import (
    Ball,
    BallAnswer,
    BoxCover,
    Departures,
    EngineChoice,
    Explorer,
    LayerChange,
    LayerChangeAnswer,
    LayerLink,
    LayerMasses,
    LayerRadii,
    Lineage,
    NeuronDetail,
    NeuronDetailAnswer,
    NeuronList,
    NeuronTrajectory,
    Question,
    SamplePair,
    SampleSeries,
    ShortestPath,
    ShortestPathAnswer,
    StoredSample,
    StrongestEdges,
    Subgraph,
    ask,
)
from neuromfa.questions.engine.question import Faster
from neuromfa.questions.engine.subjects import Subject
from neuromfa.questions.layer_change import EdgeChange
from neuromfa.questions.layer_link import QUANTILES
from tests.integration.conftest import SERVERS

SERIES = Path(__file__).parents[2] / "series" / "stdlib-14m"
S = TypeVar("S", bound=Subject)
A = TypeVar("A")

ENGINES: tuple[EngineChoice, ...] = ("cypher", "numpy")
MADE, BUNDLED = "tests/questions", "tests/bundled"
ROWS = (
    ("input", ("input",)),
    ("qkv", ("query", "key", "value")),
    ("attention", ("attention",)),
    ("dense", ("dense",)),
    ("mlp", ("mlp", "mlp")),
)


def layered(
    seed: int, *, quarters: bool, blocks: int = 2, width: int = 5, density: float = 0.6
) -> SampleGraph:
    """A random transformer; `quarters` draws few distances, multiples of 1/4, so that much is equally far."""
    draw = np.random.default_rng(seed)
    rows = [(block, *row) for block in range(blocks) for row in ROWS] + [(blocks, "output", ("output",))]
    layers = tuple(_layer(draw, block, row, kinds, width) for block, row, kinds in rows)
    artificial = tuple(layer.row == "qkv" for layer in layers[:-1])
    edges = tuple(
        _wiring(layers[k].size, layers[k + 1].size)
        if artificial[k]
        else _edges(draw, layers[k].size, layers[k + 1].size, density, quarters=quarters)
        for k in range(len(layers) - 1)
    )
    dimensions = tuple(
        np.where(draw.random(layer.size) < 0.3, np.nan, np.round(draw.random(layer.size), 1))
        for layer in layers
    )
    return SampleGraph(
        layers=layers,
        edges=edges,
        artificial=artificial,
        max_distance=200.0,
        beyond=0,
        graph_hash=f"questions {seed} {quarters}",
        provenance=Provenance("", None, "", "made", "a" * 64, "float32", seed, width, "exact"),
        measures=NeuronMeasures(dimensions, dimensions),
    )


def _layer(draw: np.random.Generator, block: int, row: str, kinds: tuple[str, ...], width: int) -> Layer:
    # a name may stand twice, as with an architecture file that gives a row two parts of one kind
    units = [
        draw.integers(0, 3 if kind in ("key", "value") else 10**6, width).astype(np.int64) for kind in kinds
    ]
    if row == "mlp":
        return Layer(block, row, (Part("mlp", np.unique(np.concatenate(units))),))
    return Layer(block, row, tuple(map(Part, kinds, units)))


def _edges(
    draw: np.random.Generator, n_source: int, n_target: int, density: float, *, quarters: bool
) -> EdgeColumns:
    source, target = np.nonzero(draw.random((n_source, n_target)) < density)
    n = source.size
    distance = draw.integers(1, 24, n) / 4 if quarters else draw.exponential(40.0, n) + 0.2
    weight = draw.choice([-1.0, 1.0], n) / distance
    inside = distance <= 200.0
    return EdgeColumns(source[inside], target[inside], distance[inside], weight[inside])


def _wiring(n_source: int, n_target: int) -> EdgeColumns:
    wired = np.ones((n_source, n_target), dtype=bool)
    wired[:n_target] = np.eye(n_target, dtype=bool)
    source, target = np.nonzero(wired)
    return EdgeColumns(source, target, np.ones(source.size), np.full(source.size, np.nan))


def made_tests(graph: SampleGraph) -> NeuronTests:
    """Made up tests with few different p, so that much is equally small, and a third untested."""
    draw = np.random.default_rng(graph.provenance.seed)

    def measure() -> TestedMeasure:
        columns = [
            tuple(
                np.where(draw.random(layer.size) < 0.3, np.nan, np.round(draw.random(layer.size), 1))
                for layer in graph.layers
            )
            for _ in range(4)
        ]
        return TestedMeasure(*columns)

    return NeuronTests(nfd=measure(), strength=measure(), draws=99)


OPTIONS = AnalysisOptions(samples=2, nodes=16, nulls=False, neurons=1)
GRAPHS = [layered(1, quarters=True), layered(2, quarters=False), layered(3, quarters=True, density=0.25)]


@pytest.fixture(scope="module", params=SERVERS)
def filled(request: pytest.FixtureRequest) -> Iterator[GraphStore]:
    """A store on each server with the random graphs and three steps of the bundled series."""
    server = request.getfixturevalue(f"{request.param}_server")
    with server.open() as store:
        store.write_model(MADE, source="made by a test")
        for step, shift in ((0, 100), (8, 0)):
            store.write_checkpoint(MADE, step, revision=f"step{step}")
            for graph in GRAPHS:
                store.write_sample(MADE, step, later(graph, shift))
                if step:
                    store.write_tests(MADE, step, graph.graph_hash, made_tests(graph), options=OPTIONS)
        request_ = IngestRequest(
            source=str(SERIES),
            steps="0,512,2000",
            model_id=BUNDLED,
            options=OPTIONS,
        )
        ingest(request_, store)
        yield store


def later(graph: SampleGraph, shift: int) -> SampleGraph:
    """The same neurons with the weights of another step."""
    if not shift:
        return graph
    other = layered(graph.provenance.seed, quarters="True" in graph.graph_hash)
    draw = np.random.default_rng(shift)
    edges = tuple(
        columns
        if artificial
        else _edges(draw, graph.layers[k].size, graph.layers[k + 1].size, 0.5, quarters=False)
        for k, (columns, artificial) in enumerate(zip(other.edges, graph.artificial, strict=True))
    )
    return replace(graph, edges=edges, graph_hash=f"{graph.graph_hash} {shift}")


@pytest.fixture(scope="module")
def explorer(filled: GraphStore) -> Explorer:
    """One memory for all tests; those of the memory itself make their own."""
    return Explorer(filled)


@pytest.fixture(params=[1, 2, 3, "bundled"])
def sample(request: pytest.FixtureRequest, explorer: Explorer) -> StoredSample:
    """Each of the graphs in turn."""
    if request.param == "bundled":
        return explorer.sample(BUNDLED, 2000)
    return explorer.sample(MADE, 8, request.param)


@pytest.fixture
def made(explorer: Explorer) -> StoredSample:
    return explorer.sample(MADE, 8, 1)


def graph_of(sample: StoredSample) -> SampleGraph:
    return sample.graph()


def both(subject: S, question: Question[S, A]) -> A:
    """Ask both engines, compare, and return the answer."""
    cypher, numpy = (ask(subject, question, engine=engine) for engine in ENGINES)
    assert cypher == numpy
    return numpy


def names_of(graph: SampleGraph) -> list[str]:
    return [name for layer in graph.layers for name in layer.names()]


def some_names(graph: SampleGraph, k: int, count: int) -> list[str]:
    """A few names of one layer, spread over it."""
    names = list(dict.fromkeys(graph.layers[k].names()))
    return names[:: max(1, len(names) // count)][:count]


# scipy's view of the same graph


def matrix(graph: SampleGraph, *, longest: float, gamma: float) -> csr_array:
    """Edges within a distance, each gamma longer: a path is then gamma too long, whatever its hops."""
    first = np.concatenate([[0], np.cumsum([layer.size for layer in graph.layers])])
    source = np.concatenate([columns.source + first[k] for k, columns in enumerate(graph.edges)])
    target = np.concatenate([columns.target + first[k + 1] for k, columns in enumerate(graph.edges)])
    distance = np.concatenate([columns.distance for columns in graph.edges])
    kept = distance <= longest
    ends = (source[kept], target[kept])
    return csr_array((distance[kept] + gamma, ends), shape=(first[-1], first[-1]))


def by_dijkstra(
    graph: SampleGraph, source: int, *, longest: float, gamma: float, directed: bool = True
) -> np.ndarray:
    distances = dijkstra(matrix(graph, longest=longest, gamma=gamma), directed=directed, indices=source)
    distances = np.where(np.arange(distances.size) == source, 0.0, distances - gamma)
    return np.where(distances <= longest * (1 + 1e-12), distances, np.inf)


def within(graph: SampleGraph, first: int, last: int) -> SampleGraph:
    """The graph with the edges between two layers only; neurons keep their numbers."""
    empty = EdgeColumns(*(np.zeros(0, np.int64),) * 2, *(np.zeros(0),) * 2)
    edges = tuple(columns if first <= k < last else empty for k, columns in enumerate(graph.edges))
    return replace(graph, edges=edges)


# neurons against chance


@pytest.mark.parametrize("by", ["either", "nfd", "strength"])
@pytest.mark.parametrize(("layer", "level"), [(None, 0.35), (4, 1.0), (None, 0.05)])
def test_departures_by_their_smallest_p(
    sample: StoredSample, by: str, layer: int | None, level: float
) -> None:
    tests = graph_of(sample).tests
    assert tests is not None
    asked = Departures(by=by, layer=layer, level=level, limit=7)
    first = both(sample, asked)
    rest = (
        both(sample, asked.model_copy(update={"cursor": first.next, "limit": 1000})) if first.next else None
    )
    found = [*first.items, *(rest.items if rest else ())]
    measures = [tests.nfd, tests.strength] if by == "either" else [getattr(tests, by)]
    p = np.fmin.reduce(
        [np.concatenate(one.p_adjusted if layer is None else [one.p_adjusted[layer]]) for one in measures]
    )
    assert len(found) == np.count_nonzero(p < level)
    own = [min(x for x in (one.nfd_p_adjusted, one.strength_p_adjusted) if x is not None) for one in found]
    assert by != "either" or own == sorted(p[p < level].tolist())
    assert first.draws == 99


def test_samples_that_were_not_tested_say_so(explorer: Explorer) -> None:
    untested = explorer.sample(MADE, 0, 1)
    assert graph_of(untested).tests is None
    with pytest.raises(
        OptionError, match="were not tested against chance: ingest it with neurons = 1 or more"
    ):
        ask(untested, Departures())


# paths


@pytest.mark.parametrize(("gamma", "longest"), [(5.0, 150.0), (0.0, 150.0), (2.5, 30.0)])
def test_paths_are_shortest(sample: StoredSample, gamma: float, longest: float) -> None:
    graph = graph_of(sample)
    names = names_of(graph)
    source = some_names(graph, 0, 3)[-1]
    expected = by_dijkstra(graph, names.index(source), longest=longest, gamma=gamma)
    for k in (0, 2, 4, 8):
        target = some_names(graph, k, 2)[-1]
        path = both(sample, ShortestPath(source=source, target=target, gamma=gamma, max_distance=longest))
        distance = expected[names.index(target)]
        if np.isinf(distance):
            assert path.distance is None
            assert path.edges == ()
            assert path.reason
        else:
            assert path.distance == pytest.approx(distance, rel=1e-9)
            check_path(graph, path, gamma)


def check_path(graph: SampleGraph, path: ShortestPathAnswer, gamma: float) -> None:
    """Every hop is an edge of the graph, they follow each other, and their sum is the distance bit by bit."""
    edges = edges_by_name(graph)
    total = 0.0
    for i, hop in enumerate(path.edges):
        assert (hop.distance, hop.weight) in edges[hop.source, hop.target]
        total = (total + gamma if i else total) + hop.distance
    assert total == path.distance
    assert all(left.target == right.source for left, right in pairwise(path.edges))
    if path.edges:
        assert (path.edges[0].source, path.edges[-1].target) == (path.source, path.target)


def edges_by_name(graph: SampleGraph) -> dict[tuple[str, str], set[tuple[float, float | None]]]:
    found: dict[tuple[str, str], set[tuple[float, float | None]]] = {}
    for k, columns in enumerate(graph.edges):
        left, right = graph.layers[k].names(), graph.layers[k + 1].names()
        rows = zip(*(column.tolist() for column in vars(columns).values()), strict=True)
        for source, target, distance, weight in rows:
            value = (distance, None if graph.artificial[k] else weight)
            found.setdefault((left[source], right[target]), set()).add(value)
    return found


def test_all_paths_of_a_small_graph(made: StoredSample) -> None:
    """Every pair of the first block, where many paths are equally short: the engines choose the same ones."""
    graph = graph_of(made)
    sources = some_names(graph, 0, 2) + some_names(graph, 1, 1)
    targets = [name for k in (3, 4, 5) for name in some_names(graph, k, 2)]
    for source in sources:
        for target in targets:
            both(made, ShortestPath(source=source, target=target))


@pytest.mark.parametrize("horizon", [1, 5])
def test_estimates_reach_a_few_layers(sample: StoredSample, horizon: int) -> None:
    graph = graph_of(sample)
    names = names_of(graph)
    source = some_names(graph, 2, 2)[0]
    near = within(graph, 2, 2 + horizon)
    expected = by_dijkstra(near, names.index(source), longest=150.0, gamma=5.0)
    for k in (3, 4, 7):
        target = some_names(graph, k, 2)[0]
        path = both(sample, ShortestPath(source=source, target=target, method="estimate", horizon=horizon))
        distance = expected[names.index(target)]
        assert path.distance == (None if np.isinf(distance) else pytest.approx(distance, rel=1e-9))
        if k - 2 > horizon:
            assert path.reason == f"the target is {k - 2} layers away and the estimate reaches {horizon}"


def test_a_neuron_is_at_no_distance_from_itself(made: StoredSample) -> None:
    name = some_names(graph_of(made), 3, 1)[0]
    path = both(made, ShortestPath(source=name, target=name))
    assert (path.distance, path.edges, path.reason) == (0.0, (), None)


# balls


@pytest.mark.parametrize(
    ("layer", "radius", "gamma", "horizon"),
    [
        (0, 150.0, 5.0, None),
        (1, 60.5, 5.0, None),
        (2, 25.0, 0.0, 3),
        (4, 2.5, 5.0, None),
        (-1, 150.0, 5.0, None),
    ],
)
def test_balls_and_masses(
    sample: StoredSample, layer: int, radius: float, gamma: float, horizon: int | None
) -> None:
    graph = graph_of(sample)
    names = names_of(graph)
    layer %= len(graph.layers)
    source = some_names(graph, layer, 3)[-1]
    near = graph if horizon is None else within(graph, layer, layer + horizon)
    expected = by_dijkstra(near, names.index(source), longest=radius, gamma=gamma)
    answer = both(sample, Ball(source=source, radius=radius, gamma=gamma, horizon=horizon, limit=None))
    inside = np.flatnonzero(np.isfinite(expected))
    assert answer.size == inside.size == len(answer.members)
    assert sorted(member.name for member in answer.members) == sorted(names[i] for i in inside)
    found = [member.distance for member in answer.members]
    assert found == sorted(found)
    assert found == pytest.approx(np.sort(expected[inside]), rel=1e-9)
    check_masses(near, names.index(source), answer, expected)


def check_masses(graph: SampleGraph, source: int, answer: BallAnswer, distances: np.ndarray) -> None:
    """Whom wiring alone reaches as early counts in no mass."""
    wired = replace(
        graph,
        edges=tuple(
            columns if artificial else within(graph, 0, 0).edges[0]
            for columns, artificial in zip(graph.edges, graph.artificial, strict=True)
        ),
    )
    unweighted = by_dijkstra(wired, source, longest=answer.radius, gamma=answer.gamma)
    counted = np.isfinite(distances) & (distances < unweighted)
    radii = np.maximum(1, np.rint(distances[counted]))
    assert answer.radii == tuple(range(1, max(1, int(np.rint(answer.radius))) + 1))
    assert answer.masses == tuple(1 + int((radii <= r).sum()) for r in answer.radii)


# boxes


@pytest.mark.parametrize("method", ["memb", "burning", "colouring"])
@pytest.mark.parametrize(("radius", "gamma"), [(1.5, 0.0), (7.25, 2.0), (40.0, 5.0)])
def test_boxes(made: StoredSample, method: Any, radius: float, gamma: float) -> None:
    check_boxes(made, method, radius, gamma, first=0, last=made.last_layer)


@pytest.mark.parametrize("method", ["memb", "burning", "colouring"])
def test_boxes_of_real_weights(explorer: Explorer, method: Any) -> None:
    check_boxes(explorer.sample(BUNDLED, 2000), method, 10.0, 5.0, first=3, last=5)


def check_boxes(
    sample: StoredSample, method: Any, radius: float, gamma: float, *, first: int, last: int
) -> None:
    answer = both(
        sample,
        BoxCover(radius=radius, method=method, gamma=gamma, first_layer=first, last_layer=last, limit=None),
    )
    graph = graph_of(sample)
    names = [name for layer in graph.layers[first : last + 1] for name in layer.names()]
    covered = [name for box in answer.boxes for name in box.neurons]
    assert sorted(covered) == sorted(names)
    assert answer.n_neurons == len(names)
    assert answer.n_boxes == len(answer.boxes)
    assert answer.sizes == tuple(len(box.neurons) for box in answer.boxes)
    start = sum(layer.size for layer in graph.layers[:first])
    part = within(graph, first, last)
    far = np.stack(
        [
            by_dijkstra(part, start + i, longest=200.0, gamma=gamma, directed=False)[
                start : start + len(names)
            ]
            for i in range(len(names))
        ]
    )
    for box in answer.boxes:
        # of several neurons with one name any may be meant
        where = [[i for i, name in enumerate(names) if name == member] for member in box.neurons]
        if method == "memb":
            centres = [i for i, name in enumerate(names) if name == box.centre]
            reach = [min(far[c, i] for c in centres for i in member) for member in where]
            assert max(reach) <= radius * (1 + 1e-9)
        else:
            apart = [min(far[i, j] for i in a for j in b) for a in where for b in where]
            assert max(apart) <= 2 * radius * (1 + 1e-9)


def test_no_radius_is_as_many_boxes_as_neurons(made: StoredSample) -> None:
    answer = both(made, BoxCover(radius=0.01))
    assert answer.n_boxes == answer.n_neurons == made.manifest.n_neurons


# lists that are cut


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        (Ball(source="x", limit=None), ("members",)),
        (BoxCover(radius=3.0, limit=None), ("boxes",)),
        (LayerMasses(layer=0, limit=None), ("names", "masses")),
    ],
)
def test_a_limit_cuts_a_list_and_nothing_else(
    made: StoredSample, question: Question[StoredSample, Any], shown: tuple[str, ...]
) -> None:
    if isinstance(question, Ball):
        question = question.model_copy(update={"source": some_names(graph_of(made), 0, 1)[0]})
    whole, part = (both(made, question.model_copy(update={"limit": limit})) for limit in (None, 2))
    assert all(len(getattr(whole, name)) > 2 for name in shown)
    assert part == replace(whole, **{name: getattr(whole, name)[:2] for name in shown})


# radii and masses of a layer


@pytest.mark.parametrize("profile", ["exact", "paper"])
@pytest.mark.parametrize("longest", [150.0, 3.5])
def test_radii_and_masses_of_a_layer(sample: StoredSample, profile: Any, longest: float) -> None:
    graph, lowest = graph_of(sample), {"exact": 0.0, "paper": 1.0}[profile]
    for layer in (0, 4):
        histogram = both(sample, LayerRadii(layer=layer, profile=profile, max_distance=longest))
        table = both(sample, LayerMasses(layer=layer, profile=profile, max_distance=longest))
        columns = graph.edges[layer]
        kept = (columns.distance > lowest) & (columns.distance <= longest)
        radii = np.maximum(1, np.rint(columns.distance[kept])).astype(int)
        assert dict(zip(histogram.radii, histogram.edges, strict=True)) == {
            int(r): int((radii == r).sum()) for r in np.unique(radii)
        }
        assert table.radii == tuple(range(1, round(longest) + 1))
        assert table.names == tuple(graph.layers[layer].names())
        for position, masses in enumerate(table.masses):
            own = radii[columns.source[kept] == position]
            assert masses == tuple(1 + int((own <= r).sum()) for r in table.radii)


@pytest.mark.parametrize("longest", [150.0, 3.5, 1e-6])
def test_how_a_layer_is_joined_to_the_next(sample: StoredSample, longest: float) -> None:
    graph = graph_of(sample)
    for layer in (0, 2, 4):
        question = LayerLink(layer=layer, max_distance=longest)
        cypher, numpy = (ask(sample, question, engine=engine) for engine in ENGINES)
        distances = sorted(d for d in graph.edges[layer].distance.tolist() if d <= longest)
        pairs = graph.layers[layer].size * graph.layers[layer + 1].size
        assert (numpy.pairs, numpy.edges, numpy.share) == (pairs, len(distances), len(distances) / pairs)
        if not distances:
            assert (numpy.mean, numpy.quantiles) == (None, ())
            assert cypher == numpy
            continue
        assert numpy.mean == pytest.approx(sum(distances) / len(distances), rel=1e-9)
        assert cypher.mean == pytest.approx(numpy.mean, rel=1e-9)
        assert replace(cypher, mean=None) == replace(numpy, mean=None)
        for share, quantile in zip(QUANTILES, numpy.quantiles, strict=True):
            below = sum(d < quantile for d in distances) / len(distances)
            assert below < share <= sum(d <= quantile for d in distances) / len(distances)


# edges and neurons


def test_strongest_edges(sample: StoredSample) -> None:
    graph = graph_of(sample)
    for layer in (None, 0, 1, sample.last_layer):
        answer = both(sample, StrongestEdges(layer=layer, top=40))
        weighted = [
            abs(weight)
            for k, columns in enumerate(graph.edges)
            if not graph.artificial[k] and layer in (None, k)
            for weight in columns.weight.tolist()
        ]
        assert [abs(edge.weight) for edge in answer.edges] == sorted(weighted, reverse=True)[:40]
        if layer in (1, sample.last_layer):
            assert answer.edges == ()


def test_neurons_by_place_and_by_dimension(sample: StoredSample) -> None:
    graph = graph_of(sample)
    whole = both(sample, NeuronList(limit=1000))
    assert [neuron.name for neuron in whole.items] == names_of(graph)
    assert whole.next is None
    highest = both(sample, NeuronList(order="dimension", limit=1000))
    measured = [neuron for neuron in whole.items if neuron.nfd is not None]
    assert list(highest.items) == sorted(measured, key=lambda neuron: -(neuron.nfd or 0.0))
    part = both(sample, NeuronList(layer=1, kind="key", order="place", limit=3, cursor="1"))
    keys = [neuron for neuron in whole.items if (neuron.layer, neuron.kind) == (1, "key")]
    assert list(part.items) == keys[1:4]
    assert part.next == ("4" if len(keys) > 4 else None)


def test_one_neuron_and_its_edges(sample: StoredSample) -> None:
    graph = graph_of(sample)
    for k in (0, 1, 4, sample.last_layer):
        name = some_names(graph, k, 2)[-1]
        position = graph.layers[k].names().index(name)
        detail = agreeing_detail(sample, name)
        into = [] if k == 0 else weights_at(graph, k - 1, target=position)
        out = [] if k == sample.last_layer else weights_at(graph, k, source=position)
        assert (detail.edges_in, detail.edges_out) == (len(into), len(out))
        assert detail.strength_in == pytest.approx(sum(map(abs, into)), rel=1e-9)
        assert detail.strength_out == pytest.approx(sum(map(abs, out)), rel=1e-9)
        for edges, weights in ((detail.strongest_in, into), (detail.strongest_out, out)):
            assert [abs(edge.weight or 0.0) for edge in edges] == sorted(map(abs, weights), reverse=True)[:5]
        assert (detail.neuron.layer, detail.neuron.position) == (k, position)
        assert detail.neuron.row == graph.layers[k].row


def agreeing_detail(sample: StoredSample, name: str) -> NeuronDetailAnswer:
    """Ask both engines; sums of strengths may differ in their last bits, for their order is the server's."""
    cypher, numpy = (
        ask(sample, NeuronDetail(name=name, top=5, max_distance=100.0), engine=engine) for engine in ENGINES
    )
    assert cypher.strength_in == pytest.approx(numpy.strength_in, rel=1e-9)
    assert cypher.strength_out == pytest.approx(numpy.strength_out, rel=1e-9)
    strengths = {"strength_in": 0.0, "strength_out": 0.0}
    assert replace(cypher, **strengths) == replace(numpy, **strengths)
    return numpy


def weights_at(
    graph: SampleGraph, link: int, *, source: int | None = None, target: int | None = None
) -> list[float]:
    if graph.artificial[link]:
        return []
    columns = graph.edges[link]
    own = columns.source == source if target is None else columns.target == target
    weights: list[float] = columns.weight[own & (columns.distance <= 100.0)].tolist()
    return weights


def test_drawings(sample: StoredSample) -> None:
    for first, last, top in ((0, 5, 7), (1, 3, 4), (1, 2, 5), (3, 4, 200)):
        answer = both(sample, Subgraph(layers=f"{first}-{last}", top=top))
        shown = {neuron.name for neuron in answer.neurons}
        assert {edge.source for edge in answer.edges} | {edge.target for edge in answer.edges} <= shown
        strongest = ask(sample, StrongestEdges(layer=first, top=top), engine="numpy").edges
        assert set(strongest) <= set(answer.edges)
        if (first, last) == (0, 5):
            assert any(edge.weight is None for edge in answer.edges)


# over steps


def test_the_change_of_a_layer_pair(explorer: Explorer) -> None:
    for model, steps, seed in ((MADE, (0, 8), 1), (MADE, (0, 8), 2), (BUNDLED, (512, 2000), 0)):
        before, after = (explorer.sample(model, step, seed) for step in steps)
        for layer in (0, 1, 4):
            change = both(SamplePair((before, after)), LayerChange(layer=layer, max_distance=100.0, top=30))
            check_change(graph_of(before), graph_of(after), layer, change)


def check_change(old: SampleGraph, new: SampleGraph, layer: int, change: LayerChangeAnswer) -> None:
    was, now = (weights_by_place(graph, layer) for graph in (old, new))
    assert (change.edges_before, change.edges_after) == (len(was), len(now))
    assert change.edges_both == len(set(was) & set(now))
    all_changes = {place: now.get(place, 0.0) - was.get(place, 0.0) for place in set(was) | set(now)}
    order = sorted(all_changes, key=lambda place: (-abs(all_changes[place]), place))[:30]
    left, right = old.layers[layer].names(), old.layers[layer + 1].names()
    assert change.largest == tuple(
        EdgeChange(left[s], right[t], was.get((s, t)), now.get((s, t)), all_changes[s, t]) for s, t in order
    )


def weights_by_place(graph: SampleGraph, layer: int) -> dict[tuple[int, int], float]:
    if graph.artificial[layer]:
        return {}
    columns = graph.edges[layer]
    rows = zip(*(column.tolist() for column in vars(columns).values()), strict=True)
    return {(source, target): weight for source, target, distance, weight in rows if distance <= 100.0}


def test_no_change_to_itself(made: StoredSample) -> None:
    change = both(SamplePair((made, made)), LayerChange(layer=0))
    assert change.edges_before == change.edges_after == change.edges_both > 0
    assert {edge.change for edge in change.largest} == {0.0}


def test_the_trajectory_of_a_neuron(explorer: Explorer) -> None:
    samples = explorer.series(BUNDLED)
    assert [sample.manifest.step for sample in samples.samples] == [0, 512, 2000]
    name = some_names(graph_of(samples.samples[0]), 4, 1)[0]
    cypher, numpy = (ask(samples, NeuronTrajectory(neuron=name), engine=engine) for engine in ENGINES)
    assert [point.step for point in numpy.points] == [0, 512, 2000]
    for left, right in zip(cypher.points, numpy.points, strict=True):
        assert left.strength_in == pytest.approx(right.strength_in, rel=1e-9)
        assert left.strength_out == pytest.approx(right.strength_out, rel=1e-9)
        strengths = {"strength_in": 0.0, "strength_out": 0.0}
        assert replace(left, **strengths) == replace(right, **strengths)
    for sample, point in zip(samples.samples, numpy.points, strict=True):
        detail = ask(sample, NeuronDetail(name=name), engine="numpy")
        assert (point.nfd, point.edges_in, point.edges_out) == (
            detail.neuron.nfd,
            detail.edges_in,
            detail.edges_out,
        )


@pytest.mark.parametrize("number", ["alpha0", "width", "emergence"])
def test_the_provenance_of_a_number(explorer: Explorer, filled: GraphStore, number: Any) -> None:
    found = both(explorer.result(BUNDLED, 2000), Lineage(number=number))
    result = filled.result(BUNDLED, 2000)
    assert found.estimate == getattr(result, number)
    assert (found.analysis_hash, found.revision) == (result.analysis_hash, "step2000")
    assert found.options == filled.analyses(BUNDLED)[0].options
    assert found.method_version == METHOD_VERSION
    assert [one.stored for one in found.samples] == [True, False]
    manifest = filled.sample(BUNDLED, 2000, 0)
    assert found.samples[0].graph_hash == manifest.graph_hash
    assert found.samples[0].checksum == manifest.checksum
    assert found.network is not None
    assert found.network.architecture_hash == manifest.architecture_hash
    if number == "emergence":
        start = filled.result(BUNDLED, 0)
        assert found.baseline is not None
        assert (found.baseline.step, found.baseline.analysis_hash) == (0, start.analysis_hash)
    else:
        mean = np.mean([getattr(one, number) for one in found.samples])
        assert found.estimate.value == pytest.approx(float(mean), rel=1e-12)
        assert found.baseline is None


def test_provenance_of_what_is_not_there(filled: GraphStore) -> None:
    for engine in ENGINES:
        for model, step, told in ((BUNDLED, 7, "there are: 0, 512, 2000"), (MADE, 8, "no result")):
            with pytest.raises(NotStored, match=told):
                ask(Explorer(filled).result(model, step), Lineage(), engine=engine)


# engines, limits, and what happens to a sample meanwhile


def test_auto_asks_the_server_first_and_the_arrays_once_they_are_there(
    filled: GraphStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = Explorer(filled).sample(BUNDLED, 512)
    name = ask(sample, NeuronList(limit=1), engine="cypher").items[0].name
    faster = Ball.about.faster
    cold = ask(sample, Ball(source=name))
    assert (len(sample.cache) == 0) == (faster.cold == "cypher")
    ask(sample, Ball(source=name), engine="numpy")
    assert len(sample.cache) == 1
    monkeypatch.setattr(filled, "query", lambda *_, **__: pytest.fail("the server was asked"))
    assert ask(sample, Ball(source=name)) == cold


def test_long_frontiers_are_asked_in_parts(sample: StoredSample, monkeypatch: pytest.MonkeyPatch) -> None:
    name = some_names(graph_of(sample), 0, 1)[0]
    whole = ask(sample, Ball(source=name), engine="cypher")
    monkeypatch.setattr("neuromfa.questions.engine.relaxation.EDGES_A_QUERY", 40)
    assert ask(sample, Ball(source=name), engine="cypher") == whole
    assert whole == ask(sample, Ball(source=name), engine="numpy")


def test_boxes_of_long_frontiers(made: StoredSample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuromfa.questions.engine.relaxation.EDGES_A_QUERY", 300)
    both(made, BoxCover(radius=3.0, last_layer=3))


def test_a_deleted_sample_gives_no_answer(filled: GraphStore, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = replace(layered(9, quarters=True), graph_hash="questions deleted")
    name = graph.layers[0].names()[0]
    for engine in ENGINES:
        filled.write_sample(MADE, 8, graph)
        sample = Explorer(filled).sample(MADE, 8, 9)
        filled.delete_sample(MADE, 8, 9)
        with pytest.raises(NotStored):
            ask(sample, Ball(source=name), engine=engine)
    filled.write_sample(MADE, 8, graph)
    sample = Explorer(filled).sample(MADE, 8, 9)
    query = filled.query

    def delete_in_between(asked: str, *rest: Any, **more: Any) -> Any:
        if asked == "key_names":
            rows = query(asked, *rest, **more)
            filled.delete_sample(MADE, 8, 9)
            return rows
        return query(asked, *rest, **more)

    monkeypatch.setattr(filled, "query", delete_in_between)
    with pytest.raises(
        NotStored, match="sample 9 of tests/questions at step 8 was deleted while it was read"
    ):
        ask(sample, Ball(source=name), engine="cypher")


@pytest.mark.parametrize("engine", ENGINES)
def test_the_time_of_a_question_is_limited(filled: GraphStore, engine: EngineChoice) -> None:
    sample = Explorer(filled, timeout_s=1e-9).sample(MADE, 8, 1)
    with pytest.raises(QueryTimeout, match="limit of 1e-09 s"):
        ask(sample, StrongestEdges(), engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "name", ["x", "B00.input.00000", "B00.input.-1", "B00.mlp", "B.input.1", "B00.input.٣"]
)
def test_names_that_nobody_has(made: StoredSample, engine: EngineChoice, name: str) -> None:
    with pytest.raises(NotStored, match=r"names look like B03\.mlp\.00127"):
        ask(made, NeuronDetail(name=name), engine=engine)


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda s: ask(s, NeuronList(), engine="sql"), "engine is auto, cypher or numpy, not 'sql'"),
        (lambda s: ask(s, NeuronList(order="size")), "order is place or dimension"),
        (lambda s: ask(s, NeuronList(layer=11)), "layers 0 to 10, not 11"),
        (
            lambda s: ask(s, NeuronList(limit=1001)),
            "limit is 1..1000, not 1001",
        ),
        (lambda s: ask(s, NeuronList(cursor="-1")), r"cursor is text of the form .*, or none, not '-1'"),
        (
            lambda s: ask(s, NeuronDetail(name="x", top=0)),
            "top is 1..1000, not 0",
        ),
        (lambda s: ask(s, NeuronDetail(name="x", max_distance=200.5)), "at most 200"),
        (
            lambda s: ask(s, ShortestPath(source="x", target="y", method="best")),
            "method is exact or estimate",
        ),
        (
            lambda s: ask(s, ShortestPath(source="x", target="y", horizon=0)),
            "horizon is at least 1 and below 10000",
        ),
        (lambda s: ask(s, ShortestPath(source="x", target="y", gamma=-1.0)), "gamma is at least 0 and below"),
        (
            lambda s: ask(s, ShortestPath(source="x", target="y", max_distance=float("nan"))),
            "max_distance is above 0 and at most 1e\\+06, not nan",
        ),
        (lambda s: ask(s, Ball(source="x", radius=0.0)), "radius is above 0"),
        (
            lambda s: ask(s, Ball(source="x", horizon=0)),
            "horizon is at least 1 and below 10000",
        ),
        (lambda s: ask(s, BoxCover(radius=1.0, method="tiles")), "method is memb, burning or colouring"),
        (lambda s: ask(s, BoxCover(radius=150.0, method="burning")), "twice it"),
        (lambda s: ask(s, BoxCover(radius=1.0, first_layer=3, last_layer=3)), "two layers or more"),
        (lambda s: ask(s, LayerRadii(layer=1)), r"layer 1 \(qkv\) has no weighted edges out"),
        (lambda s: ask(s, LayerMasses(layer=10)), r"layer 10 \(output\) has no weighted edges out"),
        (lambda s: ask(s, LayerMasses(layer=0, profile="fast")), "profile is exact or paper"),
        (lambda s: ask(s, Subgraph(layers="4-4")), "two layers or more"),
        (lambda s: ask(s, Subgraph(top=0)), "top is 1..5000, not 0"),
        (lambda s: ask(s, Subgraph(layers="0-10", top=501)), "1 to 5000 edges"),
        (
            lambda s: ask(s, Subgraph(layers="4")),
            "layers is text of the form .* such as 0-5, or none, not '4'",
        ),
        (lambda s: ask(s, LayerLink(layer=10)), r"layer 10 \(output\) has no weighted edges out"),
        (lambda s: ask(s, Ball(source="")), "source is text .* not ''"),
        (lambda s: ask(s, Ball()), "source is text .* it is missing"),
        (lambda s: ask(s, Ball(source="x", size=3)), "Ball takes source, radius, .* not 'size'"),
        (lambda _: ask(SampleSeries(()), NeuronTrajectory(neuron="x")), "1 to 1000 steps"),
    ],
)
def test_what_is_refused(made: StoredSample, ask: Callable[[StoredSample], Any], told: str) -> None:
    with pytest.raises(OptionError, match=told):
        ask(made)


@pytest.mark.parametrize(("engine", "most"), [("cypher", 512), ("numpy", 4096)])
def test_all_pairs_of_too_many_neurons(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch, engine: Any, most: int
) -> None:
    sample = explorer.sample(BUNDLED, 0)
    if engine == "numpy":
        monkeypatch.setattr("neuromfa.questions.box_cover.MOST_NEURONS", {"cypher": 512, engine: most // 8})
    with pytest.raises(
        OptionError, match=rf"hold 784 neurons, and all pairs of at most .* \(engine {engine}\)"
    ):
        ask(sample, BoxCover(radius=5.0), engine=engine)


def test_auto_covers_what_only_numpy_can(filled: GraphStore, monkeypatch: pytest.MonkeyPatch) -> None:
    by_server = replace(BoxCover.about, faster=Faster(cold="cypher", warm="cypher"))
    monkeypatch.setattr(BoxCover, "about", by_server)
    sample = Explorer(filled).sample(BUNDLED, 0)
    assert ask(sample, BoxCover(radius=5.0)).n_neurons == 784


def test_samples_of_other_neurons_have_no_difference(explorer: Explorer) -> None:
    with pytest.raises(OptionError, match="hold different neurons"):
        ask(SamplePair((explorer.sample(MADE, 8, 1), explorer.sample(MADE, 8, 2))), LayerChange(layer=0))


def test_a_model_without_graphs_of_a_seed(explorer: Explorer) -> None:
    with pytest.raises(NotStored, match="no graph of seed 77 at any step"):
        explorer.series(MADE, 77)
    with pytest.raises(NotStored, match="'nobody' is not in the store"):
        explorer.series("nobody")
    samples = explorer.series(BUNDLED)
    for engine in ENGINES:
        with pytest.raises(NotStored, match="no step of tests/bundled with seed 0 has a neuron 'B00'"):
            ask(samples, NeuronTrajectory(neuron="B00"), engine=engine)
