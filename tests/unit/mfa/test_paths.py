"""Algorithms 5 and 6 against hand-computed graphs, a brute-force oracle, scipy, and engine against engine."""

import inspect
import subprocess
import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from neuromfa.errors import MissingExtra, OptionError
from neuromfa.mfa import _kernels, adjustment, balls, boxes, minplus, multihop, paths, products, sandbox
from neuromfa.mfa.distance import edges_of
from neuromfa.mfa.minplus import LayerDistances, layer_distances, link_steps, sweep
from neuromfa.mfa.paths import (
    PathGraph,
    ball,
    distances_from,
    graph_of_edges,
    mass_curve,
    path_graph,
    shortest_path,
    tight_edges,
)
from neuromfa.mfa.products import (
    CompiledProducts,
    Engine,
    PlainProducts,
    fold,
    installed_engine,
    min_plus,
    products_of,
)
from neuromfa.network import Link, SampleGraph
from tests.unit.mfa.conftest import interpreted_kernels
from tests.unit.mfa.graphs import (
    CHAIN,
    DIAMOND,
    EDGE_OF_RANGE,
    INF,
    NAMED,
    SPARSE,
    WIRED,
    Named,
    attention,
    graph_of,
    layers_of,
    network_of,
    oracle,
    path_of,
    star_of,
    table_of,
    transformer,
)

# Options without a default, and what is data to one function and an option to another.
OPTIONS = {"base", "gamma", "longest", "n", "n_total", "order", "q", "radius", "rule", "scale"}
EITHER = {"artificial", "max_distance", "radii"}

by_name = pytest.mark.parametrize("named", NAMED, ids=lambda named: named.name)


def table_from(reached: list[LayerDistances], graph: SampleGraph) -> np.ndarray:
    """All layers of a sweep in one table, 0 on the diagonal, as the oracle writes it."""
    starts = np.cumsum([0, *(layer.size for layer in graph.layers)])
    table = np.full((starts[-1], starts[-1]), INF)
    np.fill_diagonal(table, 0.0)
    for layer in reached:
        assert (np.diff(layer.sources) > 0).all()
        assert layer.distances.shape == (layer.sources.size, graph.layers[layer.layer].size)
        table[layer.sources, starts[layer.layer] : starts[layer.layer + 1]] = layer.distances
    return table


def sweep_table(graph: SampleGraph, **options) -> np.ndarray:
    return table_from(list(layer_distances(graph, **options)), graph)


def search_table(graph: PathGraph, **options) -> np.ndarray:
    return np.stack([distances_from(graph, source, **options) for source in range(graph.n)])


# Distances in quarters add up exactly, so ties and paths of just the cut come up again and again.
quarters = st.integers(1, 60).map(lambda k: k / 4)


@st.composite
def layered(draw: st.DrawFn, *, largest: int = 4) -> SampleGraph:
    sizes = draw(st.lists(st.integers(1, largest), min_size=2, max_size=5))
    artificial = [draw(st.booleans()) for _ in sizes[1:]]
    matrices = []
    for n_source, n_target, wired in zip(sizes, sizes[1:], artificial, strict=False):
        entry = st.one_of(st.just(INF), st.just(1.0) if wired else quarters)
        rows = st.lists(entry, min_size=n_target, max_size=n_target)
        matrices.append(np.array(draw(st.lists(rows, min_size=n_source, max_size=n_source))))
    return graph_of(matrices, artificial)


cuts = st.integers(1, 120).map(lambda k: k / 4)
gammas = st.sampled_from([0.0, 0.25, 1.0, 5.0])
horizons = st.sampled_from([None, 1, 2, 3])


class TestHandComputed:
    @by_name
    def test_distances_from_all_sources(self, named: Named, engine: Engine):
        found = sweep_table(named.graph, gamma=named.gamma, max_distance=named.cut, engine=engine)
        assert np.array_equal(found, table_of(named, undirected=False))

    @by_name
    @pytest.mark.parametrize("undirected", [False, True])
    def test_distances_from_one_neuron(self, named: Named, undirected: bool):
        graph = path_graph(named.graph, max_distance=named.cut, undirected=undirected)
        assert np.array_equal(search_table(graph, gamma=named.gamma), table_of(named, undirected=undirected))

    @by_name
    @pytest.mark.parametrize("undirected", [False, True])
    def test_the_oracle_agrees(self, named: Named, undirected: bool):
        found = oracle(named.graph, gamma=named.gamma, cut=named.cut, undirected=undirected)
        assert np.array_equal(found, table_of(named, undirected=undirected))

    @by_name
    def test_path(self, named: Named):
        graph = path_graph(named.graph, max_distance=named.cut)
        path = shortest_path(graph, named.path[0], named.path[-1], gamma=named.gamma)
        assert path is not None
        assert path.neurons == named.path
        assert path.distance == named.directed[named.path[0], named.path[-1]]
        assert sum(path.edges) + named.gamma * (len(path.edges) - 1) == path.distance

    def test_no_path_within_the_cut_is_none(self):
        graph = path_graph(EDGE_OF_RANGE.graph, max_distance=150.0)
        assert shortest_path(graph, 0, 2, gamma=5.0, max_distance=132.0) is None
        assert shortest_path(graph, 0, 2, gamma=5.0, max_distance=133.0) is not None
        assert shortest_path(graph, 2, 0, gamma=5.0) is None

    def test_a_path_to_itself_has_no_edge(self):
        path = shortest_path(path_graph(CHAIN.graph, max_distance=150.0), 1, 1, gamma=5.0)
        assert path is not None
        assert (path.neurons, path.edges, path.distance) == ((1,), (), 0.0)

    def test_undirected_path_goes_back(self):
        graph = path_graph(WIRED.graph, max_distance=150.0, undirected=True)
        path = shortest_path(graph, 1, 4, gamma=5.0)
        assert path is not None
        assert (path.neurons, path.edges, path.distance) == ((1, 3, 2, 4), (1.0, 1.0, 1.0), 13.0)

    def test_of_equal_paths_the_one_with_fewest_hops(self):
        # 0 - 1 - 2 - 3 of 1 each and 0 - 4 - 3 of 1 and 2.
        graph = graph_of_edges(
            np.array([0, 1, 2, 0, 4]), np.array([1, 2, 3, 4, 3]), np.array([1.0, 1.0, 1.0, 1.0, 2.0]), n=5
        )
        path = shortest_path(graph, 0, 3, gamma=0.0)
        assert path is not None
        assert path.neurons == (0, 4, 3)

    def test_of_parallel_edges_the_shorter_is_taken(self):
        graph = graph_of_edges(np.array([0, 0]), np.array([1, 1]), np.array([3.0, 2.0]), n=2)
        path = shortest_path(graph, 0, 1, gamma=0.0)
        assert path is not None
        assert path.edges == (2.0,)

    def test_edges_lost_to_rounding_do_not_trap_the_path(self):
        # The edge between 1 and 2 is too short to change a sum, so the two precede each other.
        graph = graph_of_edges(np.array([0, 1, 2]), np.array([1, 2, 3]), np.array([1.0, 1e-300, 1.0]), n=4)
        path = shortest_path(graph, 0, 3, gamma=0.0)
        assert path is not None
        assert path.neurons == (0, 1, 2, 3)

    def test_a_horizon_keeps_the_path_near(self):
        # 0 1 3 2 is 10 + 1 + 1 but goes two layers away; the edge 0 2 is 20.
        graph = path_graph(WIRED.graph, max_distance=150.0, undirected=True)
        far = shortest_path(graph, 0, 2, gamma=0.0)
        near = shortest_path(graph, 0, 2, gamma=0.0, horizon=1)
        assert far is not None and near is not None
        assert (far.neurons, far.distance) == ((0, 1, 3, 2), 12.0)
        assert (near.neurons, near.distance) == ((0, 2), 20.0)

    def test_neurons_equally_near_stand_by_number(self):
        inside = ball(star_of(40), 7, radius=2.0, gamma=0.0)
        assert inside.neurons.tolist() == [7, 0, *(leaf for leaf in range(1, 41) if leaf != 7)]

    def test_ball_is_nearest_first_and_includes_its_radius(self):
        graph = path_graph(WIRED.graph, max_distance=150.0)
        inside = ball(graph, 0, radius=26.0, gamma=5.0)
        assert inside.neurons.tolist() == [0, 1, 3, 2, 4]
        assert inside.distances.tolist() == [0.0, 10.0, 16.0, 20.0, 26.0]
        assert ball(graph, 0, radius=25.75, gamma=5.0).neurons.tolist() == [0, 1, 3, 2]
        assert ball(graph, 0, radius=150.0, gamma=5.0, horizon=1).neurons.tolist() == [0, 1, 2]

    def test_mass_curve_counts_neurons_by_rounded_distance(self):
        curve = mass_curve(path_graph(WIRED.graph, max_distance=30.0), 0, gamma=5.0)
        assert curve.radii.tolist() == list(range(1, 31))
        steps = {10: 2, 16: 3, 20: 4, 26: 5, 28: 6}
        expected = [max([1, *(mass for radius, mass in steps.items() if radius <= r)]) for r in range(1, 31)]
        assert curve.masses.tolist() == expected

    def test_mass_curve_leaves_out_neurons_reached_by_wiring_alone(self):
        graph = path_graph(WIRED.graph, max_distance=8.0)
        assert mass_curve(graph, 2, gamma=5.0).masses.tolist() == [1, 1, 1, 1, 1, 1, 2, 2]

    def test_mass_curve_rounds_half_to_even_and_up_to_one(self):
        graph = path_graph(graph_of([np.array([[0.25, 1.5, 2.5, 3.5]])], [False]), max_distance=3.5)
        assert mass_curve(graph, 0, gamma=0.0).masses.tolist() == [2, 4, 4, 5]
        assert mass_curve(graph, 0, gamma=0.0, max_distance=0.25).masses.tolist() == [2]

    def test_mass_curve_with_a_horizon(self):
        graph = path_graph(CHAIN.graph, max_distance=10.0)
        assert mass_curve(graph, 0, gamma=5.0).masses[-1] == 3
        assert mass_curve(graph, 0, gamma=5.0, horizon=1).masses[-1] == 2
        assert mass_curve(graph, 0, gamma=5.0, max_distance=9.0).masses[-1] == 2


class TestNumbering:
    def test_numbers_and_places_are_inverse(self):
        graph = path_graph(SPARSE.graph, max_distance=150.0)
        places = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)]
        assert [graph.place(number) for number in range(graph.n)] == places
        assert [graph.number(layer=layer, position=position) for layer, position in places] == list(range(7))

    @pytest.mark.parametrize(("layer", "position"), [(3, 0), (-1, 0), (0, 2), (0, -1), (1, 2), (2, 3)])
    def test_a_neuron_that_is_not_there(self, layer: int, position: int):
        with pytest.raises(OptionError, match=f"no neuron {position} in layer {layer}: 3 layers"):
            path_graph(SPARSE.graph, max_distance=150.0).number(layer=layer, position=position)

    def test_edges_stand_by_source_shortest_first(self):
        graph = path_graph(DIAMOND.graph, max_distance=150.0, undirected=True)
        assert graph.start.tolist() == [0, 2, 4, 6, 8]
        assert graph.target.tolist() == [2, 1, 3, 0, 0, 3, 1, 2]
        assert graph.distance.tolist() == [1.0, 4.0, 4.0, 4.0, 1.0, 8.0, 4.0, 8.0]
        assert graph.source.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]

    def test_a_graph_of_edges_is_one_layer(self):
        graph = path_of(4)
        assert [graph.place(number) for number in range(4)] == [(0, 0), (0, 1), (0, 2), (0, 3)]
        assert [graph.number(layer=0, position=position) for position in range(4)] == [0, 1, 2, 3]

    def test_a_graph_of_directed_edges(self):
        ends = np.array([0, 1]), np.array([1, 2])
        graph = graph_of_edges(*ends, np.array([2.0, 3.0]), n=3, undirected=False)
        assert (graph.source.tolist(), graph.target.tolist()) == ([0, 1], [1, 2])
        assert distances_from(graph, 1, gamma=0.0).tolist() == [INF, 0.0, 3.0]

    def test_tight_edges_are_those_of_shortest_paths(self):
        # 0 -1- 1 -1- 2, an edge 0 2 of 3 that is no shortcut, and 3 -1- 4 out of reach.
        graph = graph_of_edges(
            np.array([0, 1, 0, 3]), np.array([1, 2, 2, 4]), np.array([1.0, 1.0, 3.0, 1.0]), n=5
        )
        tight = tight_edges(graph, distances_from(graph, 0, gamma=0.0), gamma=0.0)
        assert list(zip(graph.source[tight], graph.target[tight], strict=True)) == [(0, 1), (1, 2)]


class TestAgainstOracle:
    @settings(max_examples=60)
    @given(graph=layered(), gamma=gammas, cut=cuts, horizon=horizons)
    def test_all_engines_give_the_floats_of_the_oracle(self, graph, gamma, cut, horizon):
        expected = oracle(graph, gamma=gamma, cut=cut, horizon=horizon)
        options = {"gamma": gamma, "max_distance": cut, "horizon": horizon}
        assert np.array_equal(sweep_table(graph, engine="numba", **options), expected)
        assert np.array_equal(sweep_table(graph, engine="numpy", **options), expected)
        assert np.array_equal(search_table(path_graph(graph, max_distance=cut), **options), expected)

    @settings(max_examples=60)
    @given(graph=layered(largest=3), gamma=gammas, cut=cuts, horizon=horizons)
    def test_undirected(self, graph, gamma, cut, horizon):
        expected = oracle(graph, gamma=gamma, cut=cut, horizon=horizon, undirected=True)
        found = path_graph(graph, max_distance=cut, undirected=True)
        assert np.array_equal(search_table(found, gamma=gamma, horizon=horizon), expected)

    @settings(max_examples=40)
    @given(graph=layered(), gamma=gammas, cut=cuts, undirected=st.booleans())
    def test_every_path_is_as_long_as_its_distance(self, graph, gamma, cut, undirected):
        walked = path_graph(graph, max_distance=cut, undirected=undirected)
        distances = distances_from(walked, 0, gamma=gamma)
        for target in range(walked.n):
            path = shortest_path(walked, 0, target, gamma=gamma)
            assert (path is None) == (distances[target] == INF)
            if path is not None:
                assert path.distance == distances[target]
                assert (path.neurons[0], path.neurons[-1]) == (0, target)
                assert sum(path.edges) + gamma * max(0, len(path.edges) - 1) == path.distance
                for edge, tail, head in zip(path.edges, path.neurons, path.neurons[1:], strict=False):
                    ends = slice(walked.start[tail], walked.start[tail + 1])
                    assert (head, edge) in zip(walked.target[ends], walked.distance[ends], strict=True)

    @settings(max_examples=40)
    @given(graph=layered(), gamma=gammas, cut=cuts)
    def test_balls_and_masses_follow_from_distances(self, graph, gamma, cut):
        walked = path_graph(graph, max_distance=cut)
        distances = distances_from(walked, 0, gamma=gamma)
        inside = ball(walked, 0, radius=cut, gamma=gamma)
        assert np.array_equal(inside.distances, np.sort(distances[distances < INF]))
        assert np.array_equal(distances[inside.neurons], inside.distances)
        weighted = np.cumsum([0, *(not wired for wired in graph.artificial)])
        layer_of = np.repeat(np.arange(len(graph.layers)), [layer.size for layer in graph.layers])
        counted = (distances < INF) & (weighted[layer_of] > 0)
        radii = np.maximum(1, np.rint(distances[counted]))
        curve = mass_curve(walked, 0, gamma=gamma)
        assert curve.masses.tolist() == [1 + int((radii <= r).sum()) for r in curve.radii]


def scipy_table(graph: PathGraph, *, gamma: float, cut: float) -> np.ndarray:
    """Scipy's Dijkstra on edges d + gamma, the gamma of the first hop taken off again."""
    matrix = csr_array((graph.distance + gamma, graph.target, graph.start), shape=(graph.n, graph.n))
    table = dijkstra(matrix, limit=(cut + gamma) * (1 + 1e-9)) - gamma
    np.fill_diagonal(table, 0.0)
    return table


class TestAgainstScipy:
    @pytest.mark.parametrize("gamma", [0.0, 5.0])
    @pytest.mark.parametrize("std", [0.02, 0.08])
    def test_network_of_normal_weights(self, gamma: float, std: float, engine: Engine):
        network = transformer(2, 12, std, seed=3)
        graph = path_graph(network, max_distance=150.0)
        starts = np.cumsum([0, *(layer.size for layer in network.layers)])
        expected = scipy_table(graph, gamma=gamma, cut=150.0)
        assert not np.any(np.abs(expected[expected < INF] - 150.0) < 1e-6)
        expected[expected > 150.0] = INF
        for reached in layer_distances(network, gamma=gamma, max_distance=150.0, engine=engine):
            targets = slice(starts[reached.layer], starts[reached.layer + 1])
            block = np.full((starts[reached.layer], targets.stop - targets.start), INF)
            block[reached.sources] = reached.distances
            np.testing.assert_allclose(block, expected[: starts[reached.layer], targets], rtol=1e-9)

    @pytest.mark.parametrize("undirected", [False, True])
    def test_one_neuron(self, undirected: bool):
        graph = path_graph(transformer(2, 10, 0.05, seed=4), max_distance=150.0, undirected=undirected)
        expected = scipy_table(graph, gamma=5.0, cut=150.0)
        expected[expected > 150.0] = INF
        found = search_table(graph, gamma=5.0)
        np.testing.assert_allclose(found, expected, rtol=1e-9)

    def test_engines_give_the_same_floats_in_blocks(self, monkeypatch):
        monkeypatch.setattr("neuromfa.mfa.products.BLOCK_ROWS", 7)
        network = transformer(3, 24, 0.03, seed=5)
        options = {"gamma": 5.0, "max_distance": 150.0}
        compiled = layer_distances(network, engine="numba", **options)
        plain = layer_distances(network, engine="numpy", **options)
        n_pairs = 0
        for left, right in zip(compiled, plain, strict=True):
            assert np.array_equal(left.sources, right.sources)
            assert np.array_equal(left.distances, right.distances)
            n_pairs += int((left.distances < INF).sum())
        assert n_pairs > 100_000

    def test_sources_that_reach_nothing_are_dropped(self):
        network = transformer(4, 8, 0.02, seed=6)
        last = list(layer_distances(network, gamma=5.0, max_distance=100.0))[-1]
        assert last.sources[0] > 8 * 8
        assert (last.distances < INF).any(axis=1)[: -network.layers[-2].size].all()


class TestInputs:
    def test_a_stored_graph_gives_the_floats_of_its_network(self, engine: Engine):
        network = transformer(2, 8, 0.05, seed=7)
        edges, beyond = edges_of(network, scale=2.0, max_distance=200.0)
        graph = SampleGraph(
            network.layers, edges, network.artificial, 200.0, beyond, "hash", network.provenance
        )
        options = {"gamma": 5.0, "max_distance": 150.0, "engine": engine}
        pairs = zip(
            layer_distances(network, scale=2.0, **options), layer_distances(graph, **options), strict=True
        )
        for left, right in pairs:
            assert np.array_equal(left.sources, right.sources)
            assert np.array_equal(left.distances, right.distances)
        left = path_graph(network, max_distance=150.0, scale=2.0)
        right = path_graph(graph, max_distance=150.0)
        assert np.array_equal(left.distance, right.distance)
        assert np.array_equal(left.target, right.target)
        assert np.array_equal(left.artificial, right.artificial)
        assert left.max_distance == right.max_distance == 150.0

    def test_weights_that_are_no_edge(self, engine: Engine):
        weights = np.array([[0.0, np.nan, np.inf, -np.inf, 0.5, -0.25, 1e-3]]).T
        reached = next(layer_distances(network_of([weights]), gamma=5.0, max_distance=150.0, engine=engine))
        assert reached.distances.tolist() == [[INF, INF, INF, INF, 2.0, 4.0, INF]]

    def test_an_edge_of_just_the_cut_is_one(self, engine: Engine):
        network = network_of([np.array([[1 / 8], [1 / 9]])])
        reached = next(layer_distances(network, gamma=5.0, max_distance=8.0, engine=engine))
        assert reached.distances.tolist() == [[8.0, INF]]

    def test_links_are_taken_once_and_in_order(self):
        taken = []

        class Lazy(list):
            def __iter__(self):
                for k, link in enumerate(super().__iter__()):
                    taken.append(k)
                    yield link

        network = replace(transformer(1, 4, 0.05, seed=8), links=Lazy(transformer(1, 4, 0.05, seed=8).links))
        for reached in layer_distances(network, gamma=5.0, max_distance=150.0):
            assert taken == list(range(reached.layer))

    def test_sources_can_be_limited_to_some_layers(self, engine: Engine):
        steps = list(link_steps(WIRED.graph, scale=1.0, max_distance=150.0))
        reached = list(sweep(steps, gamma=5.0, longest=150.0, sources={0, 2}, engine=engine))
        assert [layer.sources.tolist() for layer in reached] == [[0], [0], [0, 3, 4]]

    def test_wiring_beyond_the_cut_is_no_edge(self, engine: Engine):
        graph = graph_of([np.array([[0.5]]), np.array([[1.0]]), np.array([[0.25]])], [False, True, False])
        found = sweep_table(graph, gamma=0.0, max_distance=0.75, engine=engine)
        assert found[0].tolist() == [0.0, 0.5, INF, INF]
        assert found[1].tolist() == [INF, 0.0, INF, INF]
        assert found[2].tolist() == [INF, INF, 0.0, 0.25]
        assert path_graph(graph, max_distance=0.75).distance.tolist() == [0.5, 0.25]

    def test_rescaled_distances(self):
        seen = []
        steps = link_steps(
            WIRED.graph,
            scale=1.0,
            max_distance=20.0,
            rescale=2.0,
            watch=lambda weights, distances: seen.append((weights.tolist(), distances.tolist())),
        )
        first, wiring, last = steps
        assert first.tolist() == [[20.0, INF]]
        assert wiring.edges(longest=20.0).tolist() == [[1.0, INF], [1.0, 1.0]]
        assert last.tolist() == [[14.0], [2.0]]
        assert seen == [([1 / 10, 1 / 20], [20.0, 40.0]), ([1 / 7, 1.0], [14.0, 2.0])]

    def test_a_network_shows_its_weights_too(self):
        seen = []
        weights = np.array([[0.5], [0.1]])
        (step,) = link_steps(
            network_of([weights]),
            scale=1.0,
            max_distance=8.0,
            rescale=0.5,
            watch=lambda weights, distances: seen.append((weights, distances.tolist())),
        )
        assert step.tolist() == [[1.0, 5.0]]
        assert seen[0][0] is weights
        assert seen[0][1] == [[1.0], [5.0]]

    def test_wiring_is_folded_into_groups(self):
        wiring = fold(attention(3))
        assert wiring.n_source == 9
        assert wiring.n_target == 3
        assert wiring.group_start.tolist() == [0, 1, 2, 3, 9]
        assert wiring.member.tolist() == list(range(9))
        assert wiring.target_group.tolist() == [0, 3, 1, 3, 2, 3]
        assert wiring.target_start.tolist() == [0, 2, 4, 6]
        assert np.array_equal(wiring.edges(longest=1.0) == 1.0, attention(3).T)

    def test_wide_wiring_is_grouped_by_all_its_targets(self):
        wiring = np.zeros((9, 2), dtype=np.bool_)
        wiring[8, 1] = True
        assert fold(wiring).group_start.tolist() == [0, 1, 2]

    @pytest.mark.parametrize("products", [CompiledProducts(), PlainProducts()])
    def test_wiring_with_nothing_wired(self, products):
        wiring = fold(np.zeros((2, 3), dtype=np.bool_))
        frontier = np.zeros((1, 3))
        out, alive = products.relay(frontier, wiring, gamma=0.0, longest=9.0, spare=1)
        assert out.shape == (1, 2)
        assert alive.size == 0

    def test_targets_without_wiring_stay_out_of_reach(self, engine: Engine):
        wiring = fold(np.array([[False, False], [True, False], [False, False], [False, True]]))
        frontier = np.array([[3.0, 4.0]])
        out, alive = products_of(engine).relay(frontier, wiring, gamma=2.0, longest=7.0, spare=0)
        assert out.tolist() == [[INF, 6.0, INF, 7.0]]
        assert alive.tolist() == [0]

    def test_every_row_of_an_odd_frontier_counts_once(self, engine: Engine):
        frontier = np.array([[1.0], [9.0], [2.0], [INF], [3.0]])
        out, alive = products_of(engine).product(
            frontier, np.array([[1.0, 4.0]]), gamma=0.5, longest=7.5, spare=2
        )
        assert alive.tolist() == [0, 2, 4]
        assert out[:3].tolist() == [[2.5, 5.5], [3.5, 6.5], [4.5, 7.5]]
        assert out.shape == (5, 2)

    @pytest.mark.parametrize("n_source", [1, 2, 3, 4, 5, 7, 8, 9])
    def test_products_of_any_width(self, n_source: int, engine: Engine):
        draw = np.random.default_rng(n_source)
        frontier, edges = draw.integers(1, 40, (6, n_source)) / 2, draw.integers(1, 40, (n_source, 5)) / 2
        frontier[draw.random(frontier.shape) < 0.2] = INF
        edges[draw.random(edges.shape) < 0.2] = INF
        expected = (frontier[:, :, np.newaxis] + 1.0 + edges).min(axis=1)
        expected[expected > 20.0] = INF
        out, alive = products_of(engine).product(frontier, edges, gamma=1.0, longest=20.0, spare=0)
        assert alive.tolist() == np.flatnonzero((expected < INF).any(axis=1)).tolist()
        assert np.array_equal(out, expected[alive])

    def test_pairs_that_need_every_edge(self):
        # The closest source has no edge to the target, so the bound stays low and all other edges are tried.
        n = 40
        frontier = np.full((1, n), 50.0)
        frontier[0, 0], frontier[0, n - 1] = 0.0, 10.0
        edge = np.arange(1.0, n + 1.0)[np.newaxis]
        edge[0, -1] = INF
        nearest = np.r_[1:n, 0][np.newaxis]
        found = min_plus(frontier, nearest, edge, gamma=0.0, longest=150.0)
        assert found.tolist() == [[10.0 + n - 1]]

    def test_an_empty_path_graph(self):
        graph = graph_of_edges(np.empty(0, dtype=int), np.empty(0, dtype=int), np.empty(0), n=3)
        assert distances_from(graph, 1, gamma=0.0).tolist() == [INF, 0.0, INF]


class TestEngines:
    def test_auto_is_numba_where_it_is_installed(self):
        assert isinstance(products_of("auto"), CompiledProducts)
        assert isinstance(products_of("numba"), CompiledProducts)
        assert isinstance(products_of("numpy"), PlainProducts)
        assert installed_engine("numpy") == "numpy"

    def test_auto_is_numpy_without_it(self, without_numba):
        assert isinstance(products_of("auto"), PlainProducts)
        assert isinstance(products_of("numpy"), PlainProducts)
        assert installed_engine("auto") == installed_engine("numpy") == "numpy"
        found = sweep_table(WIRED.graph, gamma=5.0, max_distance=150.0)
        assert np.array_equal(found, table_of(WIRED, undirected=False))

    def test_numba_that_is_not_there_is_named(self, without_numba):
        with pytest.raises(MissingExtra, match=r"engine numba needs numba of the extra fast: .*\[fast\]'"):
            next(layer_distances(CHAIN.graph, gamma=5.0, max_distance=150.0, engine="numba"))

    def test_an_unknown_engine_is_refused(self):
        with pytest.raises(OptionError, match="engine is one of auto, numba, numpy, not 'numpi'"):
            products_of("numpi")  # type: ignore[arg-type]

    def test_numba_is_imported_only_when_it_works(self):
        program = (
            "import sys, neuromfa.mfa, neuromfa.mfa.paths, neuromfa.mfa.multihop, neuromfa.mfa.boxes\n"
            "assert 'numba' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", program], check=True)

    def test_kernels_compile_without_a_folder_to_write_to(self, monkeypatch):
        monkeypatch.setattr("numba.core.caching.CacheImpl._locator_classes", [])
        double = _kernels.compiled(lambda x: 2 * x)
        assert double(4) == 8
        assert double.py_func(4) == 8

    def test_kernels_keep_machine_code(self):
        assert _kernels.min_plus.stats.cache_path is not None

    def test_interpreted_kernels_are_plain_functions(self):
        assert not hasattr(interpreted_kernels().min_plus, "py_func")


PUBLIC = [
    (module, name)
    for module in (adjustment, balls, boxes, minplus, multihop, paths, products, sandbox)
    for name, each in vars(module).items()
    if inspect.isfunction(each) and each.__module__ == module.__name__ and not name.startswith("_")
]


@pytest.mark.parametrize(("module", "name"), PUBLIC, ids=lambda part: getattr(part, "__name__", part))
def test_options_are_named(module: ModuleType, name: str):
    """Options have names at every call; data may have one too."""
    for parameter in inspect.signature(getattr(module, name)).parameters.values():
        assert parameter.kind is not parameter.POSITIONAL_ONLY
        is_option = parameter.default is not parameter.empty or parameter.name in OPTIONS
        assert (parameter.kind is parameter.KEYWORD_ONLY) == is_option or parameter.name in EITHER


class TestRefused:
    def test_a_horizon_below_one(self):
        with pytest.raises(OptionError, match="a horizon is 1 layer or more, not 0"):
            next(layer_distances(CHAIN.graph, gamma=5.0, max_distance=150.0, horizon=0))
        with pytest.raises(OptionError, match="a horizon is 1 layer or more, not -1"):
            distances_from(path_graph(CHAIN.graph, max_distance=150.0), 0, gamma=5.0, horizon=-1)

    def test_more_range_than_was_stored(self):
        graph = graph_of(CHAIN.distances, CHAIN.artificial, max_distance=200.0)
        with pytest.raises(OptionError, match="holds edges up to distance 200, too few for paths up to 201"):
            next(layer_distances(graph, gamma=5.0, max_distance=201.0))
        with pytest.raises(OptionError, match="too few for paths up to 201"):
            path_graph(graph, max_distance=201.0)
        assert path_graph(graph, max_distance=200.0).n == 3

    def test_rescaling_moves_the_range_of_a_stored_graph(self):
        graph = graph_of(CHAIN.distances, CHAIN.artificial, max_distance=200.0)
        assert len(list(link_steps(graph, scale=1.0, max_distance=100.0, rescale=0.5))) == 2
        with pytest.raises(OptionError, match="too few for paths up to 101"):
            next(link_steps(graph, scale=1.0, max_distance=101.0, rescale=0.5))

    def test_more_range_than_the_graph_was_cut_at(self):
        graph = path_graph(CHAIN.graph, max_distance=9.0)
        with pytest.raises(OptionError, match="cut at distance 9, below 10"):
            distances_from(graph, 0, gamma=5.0, max_distance=10.0)
        assert distances_from(graph, 0, gamma=5.0, max_distance=9.0).tolist() == [0.0, 2.0, INF]

    @pytest.mark.parametrize("number", [-1, 3])
    def test_a_neuron_that_is_not_there(self, number: int):
        graph = path_graph(CHAIN.graph, max_distance=150.0)
        with pytest.raises(OptionError, match=f"no neuron {number}: the graph has 3"):
            distances_from(graph, number, gamma=5.0)
        with pytest.raises(OptionError, match=f"no neuron {number}: the graph has 3"):
            shortest_path(graph, 0, number, gamma=5.0)

    @pytest.mark.parametrize("distance", [0.0, -1.0, INF, np.nan])
    def test_distances_that_are_none(self, distance: float):
        with pytest.raises(OptionError, match="positive, finite distance"):
            graph_of_edges(np.array([0]), np.array([1]), np.array([distance]), n=2)

    @pytest.mark.parametrize(("source", "target"), [(0, 2), (2, 0), (-1, 0), (0, -1)])
    def test_nodes_outside_the_graph(self, source: int, target: int):
        with pytest.raises(OptionError, match="outside 0 ... 1"):
            graph_of_edges(np.array([source]), np.array([target]), np.array([1.0]), n=2)

    def test_a_mass_curve_without_an_end(self):
        with pytest.raises(OptionError, match="give max_distance"):
            mass_curve(path_of(3), 0, gamma=0.0)
        assert mass_curve(path_of(3), 0, gamma=0.0, max_distance=2.0).masses.tolist() == [2, 3]

    def test_a_link_with_nothing_in_it(self):
        network = replace(network_of([np.ones((1, 1))]), links=(Link("lost"),), layers=layers_of([1, 1]))
        with pytest.raises(ValueError, match="link lost has neither weights nor wiring"):
            next(layer_distances(network, gamma=5.0, max_distance=150.0))
