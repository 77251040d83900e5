"""Draws, wiring, one pass over the file, whole networks and hashes."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from neuromfa.checkpoints.architecture.fitted import FittedMatrix
from neuromfa.checkpoints.sampling.links import WholeLinks, kernel_norm, wiring
from neuromfa.checkpoints.sampling.networks import sample_checkpoint, sample_networks
from neuromfa.checkpoints.series import open_series
from neuromfa.errors import OptionError
from tests.unit.checkpoints.memory import MemoryTensors

PARITY = Path(__file__).parents[2] / "data" / "parity"
EXPECTED = json.loads((PARITY / "expected.json").read_text())
TINY = Path(__file__).parents[2] / "data" / "tiny"
COUNTS = ("source_nodes", "candidate_nodes", "kept_nodes", "kept_edges", "r_min", "r_max", "n_radii")


def parity(step, *, nodes=64, seeds=range(4), row_rule="paper"):
    return sample_checkpoint(
        open_series(str(PARITY / "neox")).at(step), nodes=nodes, seeds=seeds, row_rule=row_rule
    )


def counted(network):
    """The counts of the parity set, by its conventions 3 to 5, from the network alone."""
    kept_nodes = kept_edges = 0
    radii = set()
    for k in network.source_layers:
        distances = 1 / np.abs(network.links[k].weights.astype(np.float64))
        in_range = (distances > 1) & (distances <= 150)
        kept = in_range.sum(axis=0) > 10
        kept_nodes += int(kept.sum())
        kept_edges += int(in_range[:, kept].sum())
        radii |= set(np.rint(distances[:, kept][in_range[:, kept]]).astype(int).tolist())
    sources = sum(layer.size for layer in network.layers[:-1])
    candidates = sum(network.layers[k].size for k in network.source_layers)
    return (sources, candidates, kept_nodes, kept_edges, min(radii), max(radii), len(radii))


@pytest.mark.parametrize("step", [0, 256])
def test_counts_equal_those_of_the_released_code(step):
    for network, expected in zip(parity(step).networks, EXPECTED["checkpoints"][str(step)], strict=True):
        assert counted(network) == tuple(expected[name] for name in COUNTS)


def test_draws_are_the_numbers_of_the_method():
    """Literal transcription of method.md 1.1: n1, t, n4, n5 block by block, then n6."""
    d, wide, size, blocks = 96, 384, 7, 3
    for network in parity(0, nodes=size, seeds=(5, 11), row_rule="exact").networks:
        random = np.random.RandomState(network.provenance.seed)
        rows = []
        for _ in range(blocks):
            n1 = random.choice(d, size, replace=False)
            t = random.choice(d, size, replace=False)
            n4 = random.choice(d, size, replace=False)
            n5 = random.choice(wide, 2 * size, replace=False)
            rows += [n1, np.concatenate([t, t, t]), t, n4, n5]
        rows.append(random.choice(d, size, replace=False))
        for layer, units in zip(network.layers, rows, strict=True):
            np.testing.assert_array_equal(layer.units, units)


def test_gate_and_up_units_share_the_draw_of_their_mlp_units():
    (checkpoint,) = open_series(str(TINY / "llama")).checkpoints
    (network,) = sample_checkpoint(checkpoint, nodes=4, seeds=[9], row_rule="exact").networks
    gate, up = network.layers[4].parts
    np.testing.assert_array_equal(gate.units, network.layers[5].units)
    np.testing.assert_array_equal(up.units, network.layers[5].units)
    np.testing.assert_array_equal(network.links[4].wiring, np.hstack([np.eye(8, dtype=bool)] * 2))
    assert [kind for kind in ("gate", "up") for _ in range(8)] == network.layers[4].kinds


def test_wiring_of_attention_by_hand():
    units, plain = np.array([3, 1]), heads_of_two(heads=4, shared=4)
    assert wiring("attention", sources=[plain] * 3, units=units).tolist() == [
        [True, False, True, True, True, True],
        [False, True, True, True, True, True],
    ]
    assert wiring("own", sources=[plain] * 2, units=units).tolist() == [
        [True, False, True, False],
        [False, True, False, True],
    ]


def test_wiring_of_shared_heads_by_hand():
    """Of four heads with two units each, the first two share one key head, the others another."""
    query, key = heads_of_two(heads=4, shared=4), heads_of_two(heads=4, shared=2)
    units = np.array([0, 7, 2, 1])
    # unit 7 is the second of head 3, which uses the second key head: rows 2 and 3; 0 and 2 use the same row
    assert key.target_rows(units, row_rule="exact").tolist() == [0, 3, 1]
    assert wiring("attention", sources=[query, key], units=units).astype(int).tolist() == [
        [1, 0, 0, 0, 1, 0, 1],
        [0, 1, 0, 0, 0, 1, 0],
        [0, 0, 1, 0, 1, 0, 1],
        [0, 0, 0, 1, 1, 0, 1],
    ]


def test_one_key_head_for_all_feeds_all():
    query, key = heads_of_two(heads=4, shared=4), heads_of_two(heads=4, shared=1)
    wired = wiring("attention", sources=[query, key], units=np.array([6, 1, 0]))
    assert key.neurons(np.array([6, 1, 0])).tolist() == [0, 1]
    assert wired[:, 3:].all()


def heads_of_two(*, heads, shared):
    """A matrix whose heads have two units each, `shared` of them in the tensor."""
    return FittedMatrix(
        tensor="made",
        parts=1,
        target=2 * heads,
        source=3,
        in_out=False,
        fused="none",
        heads=heads,
        shared_heads=shared,
        place=0,
        kernel=None,
        init=("normal", 1.0),
    )


def test_the_same_seed_draws_the_same_neurons_at_every_step_and_in_any_company():
    first, later = parity(0, seeds=[2]).networks[0], parity(256, seeds=[0, 7, 2]).networks[2]
    for a, b in zip(first.layers, later.layers, strict=True):
        np.testing.assert_array_equal(a.units, b.units)
    alone = parity(256, seeds=[2])
    for a, b in zip(alone.networks[0].links, later.links, strict=True):
        np.testing.assert_array_equal(a.weights, b.weights)
    assert alone.weights_hashes[0] == parity(256, seeds=[0, 7, 2]).weights_hashes[2]


def test_all_seeds_are_read_in_one_pass():
    one, ten = parity(0, nodes=8, seeds=[0]), parity(0, nodes=8, seeds=range(10))
    assert ten.requests <= 2 * one.requests
    assert ten.bytes_read < 10 * one.bytes_read


def test_each_matrix_is_asked_for_once_with_its_sampled_rows_only():
    tensors = {"0.weight": np.ones((50, 40), np.float32), "1.weight": np.ones((30, 50), np.float32)}
    store = MemoryTensors(tensors)
    sample_networks(
        store,
        {},
        nodes=5,
        seeds=[0, 1],
        row_rule="exact",
        series="m",
        step=None,
        revision="r",
    )
    assert store.requests == 2
    assert store.bytes_read <= 2 * (10 * 10 * 4)


def test_a_layer_smaller_than_the_sample_is_taken_whole_and_says_so():
    (checkpoint,) = open_series(str(TINY / "gpt_neox")).checkpoints
    (network,) = sample_checkpoint(checkpoint, nodes=11, seeds=[1], row_rule="exact").networks
    assert {layer.row: layer.whole for layer in network.layers} == {
        "input": False,
        "qkv": False,
        "attention": False,
        "dense": False,
        "mlp": True,
        "output": False,
    }
    mlp = network.layers[4].units
    assert sorted(mlp) == list(range(20))
    assert mlp.tolist() != list(range(20))


@pytest.mark.parametrize("family", ["gpt_neox", "gpt2", "llama", "resnet"])
def test_a_sample_of_everything_is_the_whole_network_in_another_order(family):
    (checkpoint,) = open_series(str(TINY / family)).checkpoints
    (drawn,) = sample_checkpoint(checkpoint, nodes=4096, seeds=[3], row_rule="exact").networks
    (whole,) = sample_checkpoint(checkpoint, nodes=None, seeds=[3], row_rule="exact").networks
    for k, artificial in enumerate(drawn.artificial):
        source, target = (np.lexsort((drawn.layers[j].units, drawn.layers[j].kinds)) for j in (k, k + 1))
        source_w, target_w = (np.lexsort((whole.layers[j].units, whole.layers[j].kinds)) for j in (k, k + 1))
        edges, edges_w = (
            link.wiring if artificial else link.weights for link in (drawn.links[k], whole.links[k])
        )
        np.testing.assert_array_equal(edges[np.ix_(target, source)], edges_w[np.ix_(target_w, source_w)])


def test_whole_networks_read_one_matrix_when_it_is_asked_for():
    sampled = parity(0, nodes=None, seeds=[0], row_rule="exact")
    (network,) = sampled.networks
    header = sampled.bytes_read
    assert header < 20_000
    assert [layer.size for layer in network.layers[:5]] == [96, 288, 96, 96, 384]
    assert network.links[0].weights.shape == (288, 96)
    assert sampled.bytes_read == header + 288 * 96 * 4
    assert network.links[1].artificial
    assert sampled.bytes_read == header + 288 * 96 * 4
    assert sampled.requests >= 2


def test_links_of_a_whole_network_are_a_sequence():
    links = parity(0, nodes=None, seeds=[0]).networks[0].links
    assert isinstance(links, WholeLinks)
    assert len(links) == 15
    np.testing.assert_array_equal(links[-1].weights, links[14].weights)
    assert [link.matrix for link in links[1:3]] == ["wiring qkv to attention", links[2].matrix]
    with pytest.raises(IndexError):
        links[15]


def test_hash_of_a_whole_network_does_not_depend_on_when_it_is_asked_for():
    before, after, jumped = (parity(0, nodes=None, seeds=[0]) for _ in range(3))
    expected = before.weights_hashes
    assert sum(not link.artificial for link in after.networks[0].links) == 12
    bytes_after = after.bytes_read
    assert after.weights_hashes == expected
    assert after.bytes_read == bytes_after
    assert jumped.networks[0].links[4] is not None
    assert jumped.weights_hashes == expected


def test_hashes_are_the_sha256_of_the_weights_and_of_their_list():
    tensors = {"0.weight": np.arange(6, dtype=np.float32).reshape(3, 2)}
    result = sample_networks(
        MemoryTensors(tensors),
        {},
        nodes=None,
        seeds=[0],
        row_rule="exact",
        series="m",
        step=None,
        revision="r",
    )
    content = b"<f4(3, 2)" + tensors["0.weight"].tobytes()
    digest = hashlib.sha256(content).hexdigest()
    assert result.link_hashes == ((digest,),)
    assert result.weights_hashes == (hashlib.sha256(f'["{digest}"]'.encode()).hexdigest(),)


def test_hashes_tell_weights_and_seeds_apart():
    hashes = {*parity(0).weights_hashes, *parity(256).weights_hashes}
    assert len(hashes) == 8
    assert parity(0).weights_hashes == parity(0).weights_hashes


def test_transposed_reads_come_out_row_major():
    (checkpoint,) = open_series(str(TINY / "gpt2")).checkpoints
    (network,) = sample_checkpoint(checkpoint, nodes=5, seeds=[0], row_rule="exact").networks
    assert all(link.weights.flags.c_contiguous for link in network.links if not link.artificial)


def test_stored_number_formats_are_kept_and_named():
    tensors = {"0.weight": np.ones((3, 2), np.float16), "1.weight": np.ones((2, 3), np.float32)}
    result = sample_networks(
        MemoryTensors(tensors),
        {},
        nodes=2,
        seeds=[0],
        row_rule="exact",
        series="m",
        step=4,
        revision="r",
    )
    (network,) = result.networks
    assert [link.weights.dtype for link in network.links] == [np.float16, np.float32]
    provenance = network.provenance
    assert (provenance.dtype, provenance.series, provenance.step) == ("float16+float32", "m", 4)
    assert (provenance.revision, provenance.seed, provenance.nodes) == ("r", 0, 2)


def test_kernel_norm_by_hand_and_without_warnings():
    kernels = np.array([[[3.0, 4.0], [0.0, 0.0]]], np.float32)
    assert kernel_norm(kernels).tolist() == [[5.0, 0.0]]
    assert kernel_norm(np.array([[[1e200, 1e200]]])).tolist() == [[np.inf]]
    assert np.isnan(kernel_norm(np.array([[[np.nan, 1.0]]]))[0, 0])


def test_an_unknown_row_rule_is_refused():
    with pytest.raises(OptionError, match="row_rule is exact or paper"):
        parity(0, row_rule="fast")
