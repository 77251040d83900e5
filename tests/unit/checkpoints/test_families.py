"""Every family that is recorded without its weights, against what transformers computes with planted ones."""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from neuromfa.checkpoints.architecture.match import fit
from neuromfa.checkpoints.architecture.schema import list_architectures
from neuromfa.checkpoints.sampling.networks import SampledCheckpoint, sample_networks
from tests.data import families
from tests.requirements import missing
from tests.unit.checkpoints.memory import MemoryTensors
from tests.unit.checkpoints.truth import expected_weights, expected_wiring, weighted

loaded = cache(families.load)


def store_of(name: str) -> MemoryTensors:
    record = loaded(name)
    return MemoryTensors(record.tensors, record.config)


def sampled(name: str, *, nodes: int | None = 5, seeds=(0, 1, 2), row_rule="exact") -> SampledCheckpoint:
    store = store_of(name)
    where = {"series": name, "step": None, "revision": "r"}
    return sample_networks(store, store.config, nodes=nodes, seeds=seeds, row_rule=row_rule, **where)


@pytest.mark.parametrize("nodes", [5, None])
@pytest.mark.parametrize("name", families.NAMES)
def test_weights_are_what_the_library_computes(name, nodes):
    truth = loaded(name).truth
    for network in sampled(name, nodes=nodes).networks:
        for k in weighted(network):
            np.testing.assert_array_equal(network.links[k].weights, expected_weights(network, k, truth))


@pytest.mark.parametrize("name", families.NAMES)
def test_keys_and_values_feed_the_heads_that_the_library_gives_them(name):
    store = store_of(name)
    keys = [matrix for matrix in fit(store, store.config).links[0].by_kind if matrix.grouped]
    if not keys:
        return
    for network in sampled(name, nodes=9).networks:
        for k in (k for k, layer in enumerate(network.layers) if layer.row == "qkv"):
            expected = expected_wiring(network, k, loaded(name).truth, keys[0].head_size)
            np.testing.assert_array_equal(network.links[k].wiring, expected)


@pytest.mark.parametrize("name", families.NAMES)
def test_the_family_is_found_and_every_tensor_told(name):
    result = sampled(name, seeds=(0,))
    (network,) = result.networks
    assert network.provenance.architecture == loaded(name).architecture
    skipped = [entry.name for entry in result.tensors.skipped]
    assert sorted([*result.tensors.used, *skipped]) == sorted(loaded(name).tensors)
    assert not [entry for entry in result.tensors.skipped if "not known" in entry.reason]
    matrices = {
        name for name in result.tensors.used if loaded(network.provenance.series).tensors[name].ndim > 1
    }
    assert matrices == set(result.tensors.used)


@pytest.mark.parametrize("name", families.NAMES)
def test_no_neuron_stands_twice(name):
    for network in sampled(name, nodes=7, seeds=(2,)).networks:
        names = [name for layer in network.layers for name in layer.names()]
        assert len(set(names)) == len(names)


def test_every_model_type_is_proved_by_a_model():
    proved = {loaded(name).config["model_type"] for name in families.NAMES}
    tiny = Path(families.__file__).parents[1] / "tiny"
    proved |= {json.loads(path.read_text())["model_type"] for path in tiny.glob("*/config.json")}
    claimed = {one for known in list_architectures() for one in known.model_types}
    assert claimed - proved == {"mlp"}  # the type that a person writes beside a plain MLP


@pytest.mark.slow
@pytest.mark.parametrize("name", families.NAMES)
def test_a_recorded_model_is_what_the_library_builds_today(name):
    if any(find_spec(library) is None for library in ("torch", "transformers", "torchvision")):
        missing("torch", "the recorded models are built by torch and transformers")
    from tests.data.make_families import FAMILIES, recorded

    kept = json.loads((families.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    built = recorded(name, FAMILIES[name])
    assert {**built, "origin": kept["origin"]} == kept
