"""Box covering: hand-computed graphs, flowers, plain transcriptions of the methods, and what every covering is."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuromfa.errors import OptionError, TooFewRadii
from neuromfa.mfa.balls import Balls, all_balls
from neuromfa.mfa.boxes import (
    CoverMethod,
    box_dimension,
    burn,
    colour,
    cover,
    excluded_mass_centres,
    nearest_centre,
)
from neuromfa.mfa.paths import PathGraph, distances_from, graph_of_edges, path_graph
from neuromfa.mfa.products import Engine
from tests.unit.mfa.graphs import (
    INF,
    WIRED,
    complete,
    flower,
    flower_size,
    path_of,
    ring_of,
    star_of,
    table_of,
    transformer,
)

METHODS: tuple[CoverMethod, ...] = ("memb", "burning", "colouring")


def two_triangles() -> PathGraph:
    """Triangles 0 1 2 and 3 4 5 without a path between them, and node 6 alone."""
    return graph_of_edges(np.array([0, 1, 2, 3, 4, 5]), np.array([1, 2, 0, 4, 5, 3]), np.ones(6), n=7)


@st.composite
def graphs(draw: st.DrawFn) -> PathGraph:
    n = draw(st.integers(1, 12))
    pairs = [(i, j) for i in range(n) for j in range(i)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    distances = draw(
        st.lists(st.integers(1, 12).map(lambda k: k / 4), min_size=len(chosen), max_size=len(chosen))
    )
    ends = np.array(chosen, dtype=np.int64).reshape(-1, 2)
    return graph_of_edges(ends[:, 0], ends[:, 1], np.array(distances, dtype=float), n=n)


radii = st.integers(0, 24).map(lambda k: k / 4)
gammas = st.sampled_from([0.0, 0.5, 2.0])


def distance_table(graph: PathGraph, gamma: float) -> np.ndarray:
    """Distances from the lower number of each pair, as the balls take them."""
    table = np.stack([distances_from(graph, i, gamma=gamma) for i in range(graph.n)])
    return np.triu(table) + np.triu(table, 1).T


def greedy_centres(near: np.ndarray) -> list[int]:
    """Maximum excluded mass burning, word for word."""
    uncovered, centres = np.ones(len(near), dtype=bool), []
    while uncovered.any():
        excluded_mass = (near & uncovered).sum(axis=1)
        centres.append(int(excluded_mass.argmax()))
        uncovered &= ~near[centres[-1]]
    return centres


def burnt_boxes(near: np.ndarray, order: list[int], draw: np.random.Generator | None = None) -> list[int]:
    """Compact box burning, word for word."""
    box = [-1] * len(near)
    while -1 in box:
        number = max(box) + 1
        candidates = [i for i in order if box[i] < 0]
        if draw is not None:
            candidates = draw.permutation(candidates).tolist()
        while candidates:
            chosen = candidates.pop(0)
            box[chosen] = number
            candidates = [i for i in candidates if near[chosen, i]]
    return box


def coloured_boxes(near: np.ndarray, order: list[int]) -> list[int]:
    """Greedy colouring of the graph that joins all nodes further apart than the box, word for word."""
    colours = [-1] * len(near)
    for i in order:
        taken = {colours[j] for j in range(len(near)) if not near[i, j]}
        colours[i] = min(set(range(len(near) + 1)) - taken)
    return colours


class TestBalls:
    def test_hand_computed(self, engine: Engine):
        graph = path_graph(WIRED.graph, max_distance=150.0, undirected=True)
        for radius in (0.0, 7.0, 13.0, 19.0, 28.0, 150.0):
            balls = all_balls(graph, radius=radius, gamma=5.0, engine=engine)
            expected = table_of(WIRED, undirected=True) <= radius
            assert [balls.of(i).tolist() for i in range(graph.n)] == [
                np.flatnonzero(r).tolist() for r in expected
            ]
            assert balls.sizes.tolist() == expected.sum(axis=1).tolist()
            assert balls.n == graph.n
            assert balls.radius == radius

    @settings(max_examples=60)
    @given(graph=graphs(), radius=radii, gamma=gammas)
    def test_balls_follow_from_distances(self, graph, radius, gamma):
        near = distance_table(graph, gamma) <= radius
        for engine in ("numba", "numpy"):
            balls = all_balls(graph, radius=radius, gamma=gamma, engine=engine)
            assert [balls.of(i).tolist() for i in range(graph.n)] == [
                np.flatnonzero(row).tolist() for row in near
            ]

    def test_ring(self, engine: Engine):
        for radius in range(5):
            assert set(all_balls(ring_of(11), radius=radius, gamma=0.0, engine=engine).sizes) == {
                2 * radius + 1
            }

    @pytest.mark.parametrize("entries", [1, 30, 10**6])
    def test_chunks_change_nothing(self, entries: int, engine: Engine, monkeypatch):
        monkeypatch.setattr("neuromfa.mfa.balls.CHUNK_ENTRIES", entries)
        graph = flower(2, 2, 2)
        balls = all_balls(graph, radius=2.0, gamma=0.0, engine=engine)
        near = distance_table(graph, 0.0) <= 2.0
        assert [balls.of(i).tolist() for i in range(graph.n)] == [
            np.flatnonzero(row).tolist() for row in near
        ]

    def test_engines_agree_on_a_network(self):
        graph = path_graph(transformer(2, 16, 0.03, seed=1), max_distance=150.0, undirected=True)
        for radius in (10.0, 40.0, 90.0):
            left = all_balls(graph, radius=radius, gamma=5.0, engine="numba")
            right = all_balls(graph, radius=radius, gamma=5.0, engine="numpy")
            assert np.array_equal(left.start, right.start)
            assert np.array_equal(left.member, right.member)
            assert left.member.size > graph.n

    def test_the_relation_stays_symmetric_where_rounding_does_not(self, engine: Engine):
        # .1 + .2 + .3 is .6000000000000001 from one end and .6 from the other.
        graph = graph_of_edges(np.arange(3), np.arange(1, 4), np.array([0.1, 0.2, 0.3]), n=4)
        assert distances_from(graph, 0, gamma=0.0)[3] > 0.6
        assert distances_from(graph, 3, gamma=0.0)[0] <= 0.6
        balls = all_balls(graph, radius=0.6, gamma=0.0, engine=engine)
        assert balls.of(0).tolist() == [0, 1, 2]
        assert balls.of(3).tolist() == [1, 2, 3]

    @pytest.mark.parametrize("radius", [-0.5, 150.5, np.nan])
    def test_radii_that_are_none(self, radius: float):
        graph = path_graph(WIRED.graph, max_distance=150.0, undirected=True)
        with pytest.raises(OptionError, match="between 0 and the cut of the graph, 150"):
            all_balls(graph, radius=radius, gamma=5.0)

    def test_balls_that_fit_nowhere(self, engine: Engine, monkeypatch):
        # Six pairs each way.
        monkeypatch.setattr("neuromfa.mfa.balls.MOST_PAIRS", 12)
        assert all_balls(complete(4), radius=1.0, gamma=0.0, engine=engine).member.size == 16
        monkeypatch.setattr("neuromfa.mfa.balls.MOST_PAIRS", 11)
        with pytest.raises(
            OptionError, match="balls of radius 1 hold more than 11 nodes: take a smaller radius"
        ):
            all_balls(complete(4), radius=1.0, gamma=0.0, engine=engine)

    def test_members_of_all_chunks_are_counted(self, engine: Engine, monkeypatch):
        monkeypatch.setattr("neuromfa.mfa.balls.CHUNK_ENTRIES", 4)
        monkeypatch.setattr("neuromfa.mfa.balls.MOST_PAIRS", 11)
        with pytest.raises(OptionError, match="more than 11 nodes"):
            all_balls(complete(4), radius=1.0, gamma=0.0, engine=engine)

    def test_each_engine_does_its_own_work(self, monkeypatch):
        graph = path_of(5)
        with monkeypatch.context() as without:
            without.setattr("neuromfa.mfa.balls._grow_compiled", None)
            assert all_balls(graph, radius=1.0, gamma=0.0, engine="numpy").sizes.tolist() == [2, 3, 3, 3, 2]
        monkeypatch.setattr("neuromfa.mfa.balls._grow_by_labels", None)
        assert all_balls(graph, radius=1.0, gamma=0.0, engine="numba").sizes.tolist() == [2, 3, 3, 3, 2]


class TestHandComputed:
    def test_a_line_of_five(self):
        line = path_of(5)
        memb = cover(line, radius=1.0, gamma=0.0)
        assert memb.method == "memb"
        assert memb.radius == 1.0
        assert memb.centres is not None
        assert memb.centres.tolist() == [1, 3]
        assert (memb.n_boxes, memb.box.tolist()) == (2, [0, 0, 0, 1, 1])
        for method in ("burning", "colouring"):
            covering = cover(line, radius=1.0, gamma=0.0, method=method)
            assert covering.radius == 1.0
            assert covering.centres is None
            assert (covering.n_boxes, covering.box.tolist()) == (2, [0, 0, 0, 1, 1])

    def test_a_star_is_one_box(self):
        for method in METHODS:
            assert cover(star_of(6), radius=1.0, gamma=0.0, method=method).n_boxes == 1
        assert cover(star_of(6), radius=0.5, gamma=0.0).n_boxes == 7
        # With diameter 1 the hub shares its box with one leaf, all others are alone.
        assert cover(star_of(6), radius=0.5, gamma=0.0, method="burning").n_boxes == 6
        assert cover(star_of(6), radius=0.5, gamma=0.0, method="colouring").n_boxes == 6

    def test_a_centre_may_be_covered_already(self):
        # A line of seven, r = 2: node 2 covers 0-4; then 3, the lowest that covers both 5 and ... 4 covers 5 and 6.
        assert cover(path_of(7), radius=2.0, gamma=0.0).centres.tolist() == [2, 4]

    def test_gamma_counts(self):
        assert cover(path_of(3), radius=2.0, gamma=0.5, method="burning").n_boxes == 1
        assert cover(path_of(3), radius=1.0, gamma=0.5, method="burning").n_boxes == 2
        assert cover(path_of(3), radius=1.0, gamma=0.5).n_boxes == 1

    @pytest.mark.parametrize("method", METHODS)
    def test_nodes_without_a_path_never_share_a_box(self, method: CoverMethod):
        covering = cover(two_triangles(), radius=100.0, gamma=0.0, method=method)
        assert covering.n_boxes == 3
        assert covering.box.tolist() == [0, 0, 0, 1, 1, 1, 2]

    @pytest.mark.parametrize("method", METHODS)
    def test_no_node_no_box(self, method: CoverMethod):
        nothing = np.empty(0, dtype=np.int64)
        covering = cover(
            graph_of_edges(nothing, nothing, np.empty(0), n=0), radius=1.0, gamma=0.0, method=method
        )
        assert (covering.n_boxes, covering.box.size) == (0, 0)

    def test_boxes_of_another_order(self):
        balls = all_balls(path_of(5), radius=2.0, gamma=0.0)
        order = np.array([2, 0, 4, 1, 3])
        assert burn(balls, order=order).tolist() == [0, 0, 0, 1, 1]
        assert colour(balls, order=order).tolist() == [0, 0, 0, 1, 1]
        order = np.array([1, 3, 0, 2, 4])
        assert burn(balls, order=order).tolist() == [1, 0, 0, 0, 2]
        assert colour(balls, order=order).tolist() == [1, 0, 0, 0, 2]

    def test_a_seed_gives_an_order_and_keeps_it(self):
        graph = flower(2, 2, 3)
        for method in ("burning", "colouring"):
            one = cover(graph, radius=1.0, gamma=0.0, method=method, seed=1)
            assert np.array_equal(one.box, cover(graph, radius=1.0, gamma=0.0, method=method, seed=1).box)
            assert not np.array_equal(one.box, cover(graph, radius=1.0, gamma=0.0, method=method).box)

    def test_each_method_is_done_by_its_name(self):
        graph = path_graph(transformer(1, 12, 0.03, seed=9), max_distance=150.0, undirected=True)
        balls, draw = all_balls(graph, radius=60.0, gamma=5.0), np.random.default_rng(2)
        order = draw.permutation(graph.n)
        burnt, coloured = burn(balls, order=order, draw=draw), colour(balls, order=order)
        assert not np.array_equal(burnt, coloured)
        for method, box in (("burning", burnt), ("colouring", coloured)):
            covering = cover(graph, radius=30.0, gamma=5.0, method=method, seed=2)
            assert (covering.method, covering.n_boxes) == (method, box.max() + 1)
            assert np.array_equal(covering.box, box)

    def test_an_unknown_method(self):
        with pytest.raises(OptionError, match="by memb, burning, colouring, not by 'sand'"):
            cover(path_of(3), radius=1.0, gamma=0.0, method="sand")  # type: ignore[arg-type]

    def test_of_equal_centres_the_first(self):
        assert nearest_centre(path_of(5), np.array([4, 0]), radius=2.0, gamma=0.0).tolist() == [1, 1, 0, 0, 0]
        assert nearest_centre(path_of(5), np.array([0, 4]), radius=2.0, gamma=0.0).tolist() == [0, 0, 0, 1, 1]

    def test_a_box_reaches_through_rounding(self):
        # From node 3, the other way round, .6 is in range of the centre; from the centre the sum is a little more.
        graph = graph_of_edges(np.arange(3), np.arange(1, 4), np.array([0.1, 0.2, 0.3]), n=4)
        assert nearest_centre(graph, np.array([0]), radius=0.6, gamma=0.0).tolist() == [0, 0, 0, 0]


class TestEveryCovering:
    @settings(max_examples=60)
    @given(graph=graphs(), radius=radii, gamma=gammas)
    def test_memb_is_its_transcription(self, graph, radius, gamma):
        near = distance_table(graph, gamma) <= radius
        covering = cover(graph, radius=radius, gamma=gamma)
        assert covering.centres.tolist() == greedy_centres(near)
        assert covering.n_boxes == covering.centres.size
        assert near[covering.centres[covering.box], np.arange(graph.n)].all()
        assert covering.box[covering.centres].tolist() == list(range(covering.n_boxes))

    @settings(max_examples=60)
    @given(graph=graphs(), radius=radii, gamma=gammas)
    def test_a_node_is_in_the_box_of_its_nearest_centre(self, graph, radius, gamma):
        covering = cover(graph, radius=radius, gamma=gamma)
        distances = np.stack([distances_from(graph, c, gamma=gamma) for c in covering.centres.tolist()])
        assert covering.box.tolist() == distances.argmin(axis=0).tolist()

    @settings(max_examples=60)
    @given(graph=graphs(), radius=radii, gamma=gammas, order=st.randoms(use_true_random=False))
    def test_burning_and_colouring_are_their_transcriptions(self, graph, radius, gamma, order):
        nodes = list(range(graph.n))
        order.shuffle(nodes)
        balls = all_balls(graph, radius=radius, gamma=gamma)
        near = distance_table(graph, gamma) <= radius
        burnt = burnt_boxes(near, nodes)
        assert burn(balls, order=np.array(nodes)).tolist() == burnt
        assert colour(balls, order=np.array(nodes)).tolist() == coloured_boxes(near, nodes) == burnt
        drawn = burn(balls, order=np.array(nodes), draw=np.random.default_rng(1)).tolist()
        assert drawn == burnt_boxes(near, nodes, np.random.default_rng(1))

    @settings(max_examples=60)
    @given(
        graph=graphs(), radius=radii, gamma=gammas, method=st.sampled_from(METHODS), seed=st.integers(0, 3)
    )
    def test_boxes_are_small_and_hold_every_node(self, graph, radius, gamma, method, seed):
        covering = cover(graph, radius=radius, gamma=gamma, method=method, seed=seed)
        assert set(covering.box.tolist()) == set(range(covering.n_boxes))
        table = distance_table(graph, gamma)
        together = covering.box[:, np.newaxis] == covering.box
        limit = 2 * radius + (gamma if method == "memb" else 0.0)
        assert table[together].max() <= limit
        assert radius > 0 or covering.n_boxes == graph.n


class TestFlowers:
    @pytest.mark.parametrize(("u", "v", "last"), [(2, 2, 5), (3, 3, 4)])
    def test_sizes(self, u: int, v: int, last: int):
        for generation in range(last + 1):
            graph = flower(u, v, generation)
            assert graph.n == flower_size(u, v, generation)
            assert graph.target.size == 2 * (u + v) ** generation

    @pytest.mark.parametrize("k", [1, 2, 3, 4])
    def test_memb_covers_the_2_2_flower_exactly(self, k: int):
        covering = cover(flower(2, 2, 5), radius=2 ** (k - 1), gamma=0.0)
        assert covering.n_boxes == flower_size(2, 2, 5 - k)

    @pytest.mark.parametrize("k", [1, 2, 3])
    def test_memb_covers_the_3_3_flower_exactly(self, k: int):
        covering = cover(flower(3, 3, 4), radius=(3**k - 1) / 2, gamma=0.0)
        assert covering.n_boxes == flower_size(3, 3, 4 - k)


class TestDimension:
    def test_of_a_flower(self):
        found = box_dimension(flower(2, 2, 5), [1, 2, 4, 8], gamma=0.0)
        assert found.counts.tolist() == [172, 44, 12, 4]
        assert found.radii.tolist() == [1.0, 2.0, 4.0, 8.0]
        assert (found.radii.dtype, found.counts.dtype) == (np.float64, np.int64)
        x, y = np.log([1, 2, 4, 8]), np.log([172, 44, 12, 4])
        slope, level = np.polyfit(x, y, 1)
        assert found.d_b == pytest.approx(-slope, abs=1e-12)
        assert found.r_squared == pytest.approx(1 - np.var(y - slope * x - level) / np.var(y), abs=1e-12)
        assert found.fit_range == (1.0, 8.0)
        # N_n-k / N_n-k-1 tends to 4 from below while r doubles.
        assert 1.8 < found.d_b < 2.0

    def test_of_a_ring_it_is_one_but_for_the_centre(self):
        found = box_dimension(ring_of(360), [1, 4, 7, 13, 22], gamma=0.0)
        # Boxes of 2r + 1 nodes: 360 / 3, 9, 15, 27, 45.
        assert found.counts.tolist() == [120, 40, 24, 14, 8]
        assert found.d_b == pytest.approx(
            -np.polyfit(np.log([1, 4, 7, 13, 22]), np.log(360 / np.array([3, 9, 15, 27, 45])), 1)[0], abs=0.02
        )

    def test_radii_at_which_nothing_is_boxed_or_all_is_are_left_out_of_the_fit(self):
        found = box_dimension(path_of(64), [0, 0.5, 1, 2, 4, 100, 200], gamma=0.0)
        assert found.counts.tolist()[:2] == [64, 64]
        assert found.counts.tolist()[-2:] == [1, 1]
        assert found.fit_range == (1.0, 4.0)

    def test_components_are_what_is_left_in_the_end(self):
        line = np.arange(31)
        source = np.concatenate([line, line + 32])
        two_lines = graph_of_edges(source, source + 1, np.ones(source.size), n=64)
        found = box_dimension(two_lines, [1, 2, 4, 40], gamma=0.0)
        assert found.counts[-1] == 2
        assert found.fit_range == (1.0, 4.0)

    def test_a_node_without_edges_is_a_component(self):
        # A line of 31 nodes and node 31 alone: boxes of 3, 5, 9 and 31 nodes of the line, and one more.
        line = np.arange(30)
        found = box_dimension(graph_of_edges(line, line + 1, np.ones(30), n=32), [1, 2, 4, 30], gamma=0.0)
        assert found.counts.tolist() == [12, 8, 5, 2]
        assert found.fit_range == (1.0, 4.0)

    @pytest.mark.parametrize("method", METHODS)
    def test_numpy_does_without_compiled_code(self, method: CoverMethod, monkeypatch):
        # Boxes of 3, 5 and 9 nodes of the line.
        monkeypatch.setattr("neuromfa.mfa.balls._grow_compiled", None)
        found = box_dimension(path_of(64), [1, 2, 4], gamma=0.0, method=method, engine="numpy")
        assert found.counts.tolist() == [22, 13, 8]

    def test_a_range_of_ones_own(self):
        found = box_dimension(path_of(64), [0, 1, 2, 4, 8], gamma=0.0, fit_range=(0.0, 4.0))
        assert found.fit_range == (1.0, 4.0)
        found = box_dimension(path_of(64), [0, 1, 2, 4, 8], gamma=0.0, fit_range=(2.0, 8.0))
        assert found.counts.tolist() == [64, 22, 13, 8, 4]
        assert found.fit_range == (2.0, 8.0)

    def test_a_flat_range_has_no_variance_to_explain(self):
        found = box_dimension(path_of(4), [10, 20, 30], gamma=0.0, fit_range=(10.0, 30.0))
        assert found.d_b == pytest.approx(0.0, abs=1e-12)
        assert found.r_squared is None

    @pytest.mark.parametrize("method", METHODS)
    def test_methods_and_orders_reach_the_covering(self, method: CoverMethod):
        graph = flower(2, 2, 3)
        options = {"gamma": 0.25, "method": method, "seed": 3, "engine": "numpy"}
        found = box_dimension(graph, [1.0, 2.0, 3.0], **options)
        assert found.counts.tolist() == [cover(graph, radius=r, **options).n_boxes for r in (1.0, 2.0, 3.0)]

    def test_two_radii_are_enough(self):
        found = box_dimension(path_of(64), [1, 4], gamma=0.0)
        assert found.fit_range == (1.0, 4.0)
        assert found.d_b == pytest.approx(np.log(found.counts[0] / found.counts[1]) / np.log(4), abs=1e-12)

    def test_too_few_radii(self):
        with pytest.raises(TooFewRadii, match="1 of 3 radii can be fitted for d_B and a slope needs two"):
            box_dimension(path_of(9), [0, 1, 100], gamma=0.0)

    def test_weighted_distances_of_a_network(self):
        graph = path_graph(transformer(2, 16, 0.03, seed=2), max_distance=150.0, undirected=True)
        found = box_dimension(graph, [10, 20, 40, 60, 150], gamma=5.0)
        assert all(left >= right for left, right in pairwise(found.counts.tolist()))
        assert found.counts[-1] == 1
        assert found.d_b > 0


class TestLazyMasses:
    def test_a_stale_mass_is_looked_at_again(self):
        # Node 0 and node 1 both start with mass 3; covering 0, 1, 2 leaves 1 with nothing new.
        balls = Balls(
            np.array([0, 3, 6, 9, 10]), np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 3], dtype=np.int32), 1.0
        )
        assert excluded_mass_centres(balls).tolist() == [0, 3]

    def test_distances_beyond_every_other_are_no_obstacle(self):
        assert table_of(WIRED, undirected=True).max() < INF
