"""Networks before training: the spreads of each library, the same neurons, the same bytes for a seed."""

import math
from pathlib import Path

import numpy as np
import pytest

from neuromfa.checkpoints.architecture.formulas import evaluate
from neuromfa.checkpoints.sampling.networks import sample_checkpoint
from neuromfa.checkpoints.sampling.reinit import reinit_networks, reinitialise_checkpoint
from neuromfa.checkpoints.series import open_series
from neuromfa.errors import UnsupportedArchitecture
from tests.unit.checkpoints.memory import MemoryTensors

TINY = Path(__file__).parents[2] / "data" / "tiny"
PARITY = Path(__file__).parents[2] / "data" / "parity"


def reinit(family, **options):
    (checkpoint,) = open_series(str(TINY / family)).checkpoints
    return reinitialise_checkpoint(
        checkpoint, **{"nodes": 5, "seeds": [0, 1], "row_rule": "exact", **options}
    )


def spreads(family, seeds=60):
    """Standard deviation of every matrix of block 0, over the whole tiny network and many seeds."""
    networks = reinit(family, nodes=4096, seeds=range(seeds)).networks
    first = [k for k in networks[0].source_layers if networks[0].layers[k].block == 0]
    return [float(np.std([network.links[k].weights for network in networks])) for k in first]


def at_depth(blocks):
    return 0.02 / math.sqrt(2 * blocks)


SMALL, WANG = math.sqrt(2 / (5 * 12)), 2 / (2 * math.sqrt(12))
PUBLISHED = {
    # query, key, value (T5 draws queries narrower, tested below); dense; first; second
    "gpt_neox": [SMALL, WANG, SMALL, WANG],
    "gpt2": [0.02, at_depth(2), 0.02, at_depth(2)],
    "bert": [0.02] * 4,
    "roberta": [0.02] * 4,
    "distilbert": [0.02] * 4,
    "albert": [0.02] * 4,
    "opt": [0.02] * 4,
    "vit": [0.02] * 4,
    "llama": [0.02] * 4,
    "mistral": [0.02] * 4,
    "qwen2": [0.02] * 4,
}


@pytest.mark.parametrize("family", PUBLISHED)
def test_spreads_are_those_of_the_library(family):
    np.testing.assert_allclose(spreads(family), PUBLISHED[family], rtol=0.02)


def test_t5_draws_each_kind_with_its_own_spread():
    networks = reinit("t5_encoder", nodes=4096, seeds=range(60)).networks
    weights = np.stack([network.links[0].weights for network in networks])
    query, key, value = (weights[:, 15 * k : 15 * (k + 1)].std() for k in range(3))
    np.testing.assert_allclose([query, key, value], [(12 * 5) ** -0.5, 12**-0.5, 12**-0.5], rtol=0.03)
    dense = np.std([network.links[2].weights for network in networks])
    second = np.std([network.links[4].weights for network in networks])
    np.testing.assert_allclose([dense, second], [15**-0.5, 20**-0.5], rtol=0.03)


def test_an_mlp_is_uniform_as_torch_draws_it():
    networks = reinit("mlp", nodes=4096, seeds=range(100)).networks
    weights = np.stack([network.links[0].weights for network in networks])
    bound = 1 / math.sqrt(5)
    assert 0.99 * bound < np.abs(weights).max() <= bound
    np.testing.assert_allclose(weights.std(), bound / math.sqrt(3), rtol=0.03)


def test_kernels_have_the_norms_of_kaiming_normal():
    networks = reinit("resnet", nodes=4096, seeds=range(100)).networks
    norms = np.stack([network.links[0].weights for network in networks])
    kernel, fan_out = 49, 6 * 49
    np.testing.assert_allclose((norms**2).mean(), kernel * 2 / fan_out, rtol=0.05)
    assert (norms > 0).all()


def test_the_neurons_are_those_of_the_trained_network():
    (checkpoint,) = open_series(str(TINY / "llama")).checkpoints
    real = sample_checkpoint(checkpoint, nodes=5, seeds=[4], row_rule="exact")
    drawn = reinitialise_checkpoint(checkpoint, nodes=5, seeds=[4], row_rule="exact")
    for a, b in zip(real.networks[0].layers, drawn.networks[0].layers, strict=True):
        np.testing.assert_array_equal(a.units, b.units)
    assert drawn.tensors == real.tensors
    assert drawn.networks[0].provenance.revision == "reinit"
    assert drawn.weights_hashes != real.weights_hashes


def test_the_same_seed_gives_the_same_bytes_at_every_step_and_in_any_company():
    series = open_series(str(PARITY / "neox"))
    alone = reinitialise_checkpoint(series.at(0), nodes=16, seeds=[3], row_rule="exact")
    later = reinitialise_checkpoint(series.at(256), nodes=16, seeds=[1, 3], row_rule="exact")
    assert alone.weights_hashes[0] == later.weights_hashes[1] != later.weights_hashes[0]


def test_matrices_of_one_network_are_drawn_independently():
    (network,) = reinit("bert", nodes=4096, seeds=[0]).networks
    blocks = [network.links[0].weights[12 * k : 12 * (k + 1)] for k in range(3)] + [network.links[2].weights]
    flat = [block.ravel()[:100] for block in blocks]
    assert len({tuple(values) for values in flat}) == 4


def test_a_key_row_shared_by_heads_is_drawn_once():
    (network,) = reinit("llama", nodes=4096, seeds=[0]).networks
    assert network.layers[1].parts[1].units.size == 12
    assert network.links[0].weights.shape == (48, 12)
    assert len(np.unique(network.links[0].weights, axis=0)) == 48


def test_only_the_header_is_read():
    (checkpoint,) = open_series(str(TINY / "bert")).checkpoints
    real, drawn = (
        take(checkpoint, nodes=5, seeds=[0], row_rule="exact")
        for take in (sample_checkpoint, reinitialise_checkpoint)
    )
    assert drawn.bytes_read < real.bytes_read
    store = MemoryTensors({"0.weight": np.ones((4, 3))})
    reinit_networks(store, {}, nodes=2, seeds=[0], row_rule="exact", series="m", step=None)
    assert store.bytes_read == 0


def test_whole_networks_before_training_are_drawn_when_asked_for():
    (network,) = reinit("gpt_neox", nodes=None, seeds=[0]).networks
    assert network.links[0].weights.shape == (36, 12)
    np.testing.assert_array_equal(network.links[0].weights, network.links[0].weights)


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("2", 2),
        ("0.02 / sqrt(2 * blocks)", 0.02 / math.sqrt(6)),
        ("sqrt(2 / (5 * hidden))", math.sqrt(2 / 60)),
        ("hidden // blocks + 1 - 2", 3),
    ],
)
def test_formulas(formula, value):
    assert evaluate(formula, {"hidden": 12, "blocks": 3}) == value


@pytest.mark.parametrize(
    "formula",
    [
        "",
        "1 +",
        "unknown",
        "__import__('os').system('true')",
        "hidden.real",
        "hidden[0]",
        "9 ** 9 ** 9",
        "sqrt(1, 2)",
        "sqrt(0 - 1)",
        "abs(1)",
        "1 / 0",
        "1e300 * 1e300",
        "'text'",
        "True",
        "1j",
        "lambda: 1",
        "(" * 150 + "1" + ")" * 150,
        "1 + " * 60 + "1",
    ],
)
def test_formulas_hold_nothing_but_arithmetic(formula):
    with pytest.raises(UnsupportedArchitecture, match="formula"):
        evaluate(formula, {"hidden": 12})
