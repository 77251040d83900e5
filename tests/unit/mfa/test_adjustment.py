"""Algorithm 1: what a round does to the weights, and the story it tells."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from neuromfa.errors import OptionError
from neuromfa.mfa.adjustment import AdjustmentRound, adjustment_rounds, adjustment_story
from neuromfa.mfa.measure import measure
from neuromfa.network import Provenance
from neuromfa.options import AnalysisOptions


def weights_of(each: AdjustmentRound) -> np.ndarray:
    """Weights as an array of shape (n_layers - 1, n_target, n_source)."""
    return np.stack([link.weights for link in each.network.links])


class TestRounds:
    def test_the_first_network_is_drawn(self):
        first = next(adjustment_rounds(n_layers=4, size=50, mean_weight=0.02, seed=3))
        weights = weights_of(first)
        assert (first.number, first.raised.size, first.raised.dtype) == (0, 0, np.int64)
        assert weights.shape == (3, 50, 50)
        assert (weights > 0).all()
        assert weights.mean() == pytest.approx(0.02, rel=0.05)
        assert weights.std() == pytest.approx(0.02, rel=0.05)
        assert [layer.size for layer in first.network.layers] == [50] * 4
        assert [(layer.block, layer.row) for layer in first.network.layers] == [
            (block, "layer") for block in range(4)
        ]
        assert first.network.artificial == (False,) * 3

    def test_a_round_raises_the_drawn_and_keeps_the_total(self):
        before, after = list(adjustment_rounds(rounds=1, n_layers=3, size=20, factor=3.0, share=0.25, seed=1))
        assert after.number == 1
        assert after.raised.size == 10
        assert (np.diff(after.raised) > 0).all()
        old, new = weights_of(before), weights_of(after)
        assert new.sum() == pytest.approx(old.sum(), rel=1e-12)
        ratio = (new / old).transpose(0, 2, 1).reshape(40, 20)
        raised = np.isin(np.arange(40), after.raised)
        plain = ratio[~raised].mean()
        assert plain < 1.0
        np.testing.assert_allclose(ratio[~raised], plain, rtol=1e-12)
        np.testing.assert_allclose(ratio[raised], 3.0 * plain, rtol=1e-12)

    def test_rounds_are_numbered_in_provenance_too(self):
        rounds = list(adjustment_rounds(rounds=3, size=4, seed=9))
        assert [each.number for each in rounds] == [0, 1, 2, 3]
        assert [each.network.provenance for each in rounds] == [
            Provenance("algorithm-1", step, "generated", "layers", "", "float64", 9, None, "exact")
            for step in range(4)
        ]
        assert rounds[1].network.links[2].matrix == "round 1, layer 2"
        assert rounds[0].network.layers[0].names()[3] == "B00.layer.00003"

    def test_a_seed_gives_the_same_bytes(self):
        left, right = (
            [weights_of(each).tobytes() for each in adjustment_rounds(rounds=2, seed=5)] for _ in range(2)
        )
        other = [weights_of(each).tobytes() for each in adjustment_rounds(rounds=2, seed=6)]
        assert left == right
        assert not set(left) & set(other)

    def test_what_is_drawn_when_nothing_is_said(self):
        said = adjustment_rounds(
            rounds=8, n_layers=5, size=64, mean_weight=0.01, factor=1.5, share=0.1, seed=0
        )
        for left, right in zip(adjustment_rounds(), said, strict=True):
            assert np.array_equal(weights_of(left), weights_of(right))

    def test_the_strong_are_drawn_more_often(self):
        """Preferential attachment: the drawn had more strength than the others before the round."""
        rounds = list(adjustment_rounds(rounds=30, n_layers=2, size=100, factor=1.5, share=0.1, seed=2))
        excess = []
        for before, after in zip(rounds, rounds[1:], strict=False):
            strength = weights_of(before).sum(axis=1).ravel()
            excess.append(strength[after.raised].mean() / strength.mean())
        assert np.mean(excess[10:]) > 1.5

    def test_every_round_draws_at_least_one_neuron(self):
        rounds = list(adjustment_rounds(rounds=2, n_layers=2, size=3, share=0.01))
        assert [each.raised.size for each in rounds] == [0, 1, 1]

    def test_all_neurons_can_be_drawn(self):
        first, second = adjustment_rounds(rounds=1, n_layers=2, size=3, share=1.0)
        np.testing.assert_allclose(weights_of(first), weights_of(second), rtol=1e-12)

    def test_no_rounds_is_the_start_alone(self):
        assert len(list(adjustment_rounds(rounds=0, n_layers=2, size=1))) == 1

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("rounds", -1),
            ("n_layers", 1),
            ("size", 0),
            ("mean_weight", 0.0),
            ("mean_weight", -0.01),
            ("mean_weight", np.inf),
            ("factor", 1.0),
            ("factor", 0.5),
            ("factor", np.inf),
            ("share", 0.0),
            ("share", -0.1),
            ("share", 1.01),
        ],
    )
    def test_options_out_of_bounds(self, option: str, value: float):
        with pytest.raises(OptionError, match=f"{option} is .*, not {value}"):
            next(adjustment_rounds(**{option: value}))


class TestStory:
    @pytest.mark.parametrize("seed", [0, 1, 2])
    def test_alpha0_falls_and_the_width_wanders(self, seed: int):
        story = adjustment_story(adjustment_rounds(seed=seed))
        assert [each.number for each in story] == list(range(9))
        alpha0, width = np.array([[each.alpha0, each.width] for each in story]).T
        assert alpha0[-1] < 0.9 * alpha0[0]
        assert spearmanr(range(9), alpha0).statistic < -0.95
        assert (np.diff(width) > 0).any()
        assert (np.diff(width) < 0).any()
        assert width.min() > 0

    def test_a_story_is_measured_with_the_options_given(self):
        (only,) = adjustment_rounds(rounds=0, n_layers=3, size=30, seed=4)
        options = AnalysisOptions(max_distance=100.0, min_edges=5)
        (told,) = adjustment_story([only], options=options)
        measured = measure(only.network, options)
        assert (told.alpha0, told.width) == (measured.alpha0, measured.width)
        assert told.nodes_kept == measured.nodes_kept
        assert told.alpha0 != adjustment_story([only])[0].alpha0
