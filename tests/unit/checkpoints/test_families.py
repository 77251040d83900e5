"""Every family that is recorded without its weights, against what transformers computes with planted ones."""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from neuromfa.checkpoints.architecture.files import bundled, list_architectures
from neuromfa.checkpoints.architecture.fitted import FittedMatrix
from neuromfa.checkpoints.architecture.match import fit
from neuromfa.checkpoints.sampling.networks import SampledCheckpoint, sample_checkpoint, sample_networks
from neuromfa.checkpoints.series import open_series
from neuromfa.errors import CorruptFile, UnsupportedArchitecture
from tests.data import families
from tests.requirements import missing
from tests.unit.checkpoints.memory import MemoryTensors
from tests.unit.checkpoints.truth import expected_weights, expected_wiring, weighted

loaded = cache(families.load)


def store_of(name: str) -> MemoryTensors:
    record = loaded(name)
    return MemoryTensors(record.tensors, record.config)


def sampled(
    name: str, *, nodes: int | None = 5, seeds=(0, 1, 2), row_rule="exact", architecture: Path | None = None
) -> SampledCheckpoint:
    store = store_of(name)
    given = architecture or loaded(name).given
    where = {"series": name, "step": None, "revision": "r", "architecture": given}
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
    keys = [
        matrix
        for matrix in fit(store, store.config, architecture=loaded(name).given).links[0].by_kind
        if matrix.grouped
    ]
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
    proved = {loaded(name).config.get("model_type") for name in families.NAMES}
    tiny = Path(families.__file__).parents[1] / "tiny"
    proved |= {json.loads(path.read_text())["model_type"] for path in tiny.glob("*/config.json")}
    claimed = {one for known in list_architectures() for one in known.model_types}
    # types that a person writes beside weights that have no config.json
    assert claimed - proved == {"mlp", "nanogpt"}


@pytest.mark.slow
@pytest.mark.parametrize("name", families.NAMES)
def test_a_recorded_model_is_what_the_library_builds_today(name):
    if any(find_spec(library) is None for library in ("torch", "transformers", "torchvision")):
        missing("torch", "the recorded models are built by torch and transformers")
    from tests.data.make_families import recorded

    kept = json.loads((families.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    built = recorded(name)
    assert {**built, "origin": kept["origin"]} == kept


def links_of(described):
    blocks = described["blocks"]
    links = [*blocks["links"], *blocks.get("leading", {"links": []})["links"]]
    return [link["matrices"] for link in links if link.get("matrices")]


def turn(described):
    for matrices in links_of(described):
        for matrix in matrices:
            matrix["orientation"] = "out_in" if matrix["orientation"] == "in_out" else "in_out"


def exchange_parts(described):
    for matrices in links_of(described):
        matrices[0], matrices[-1] = matrices[-1], matrices[0]
        if matrices[0].get("fused", "none") != "none":
            other = "qkv" if matrices[0]["fused"] == "per_head_qkv" else "per_head_qkv"
            described["sizes"]["wrong"] = {"otherwise": "2"}
            matrices[0] |= {"fused": other, "heads": "wrong"}


def shift_rows(described):
    for matrices in links_of(described):
        for matrix in matrices:
            if "rows" in matrix:
                matrix["rows"]["first"] = f"{matrix['rows']['first']} + 1"


@pytest.mark.parametrize("wrong", [turn, exchange_parts, shift_rows])
@pytest.mark.parametrize("name", families.NAMES)
def test_a_wrong_description_cannot_pass(name, wrong, tmp_path):
    described = bundled(loaded(name).architecture).model_dump(mode="json", exclude_none=True)
    right = json.dumps(described)
    wrong(described)
    if json.dumps(described) == right:
        return  # nothing of the kind in this family
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(described))
    try:
        (network,) = sampled(name, nodes=None, seeds=(0,), architecture=path).networks
    except (CorruptFile, UnsupportedArchitecture):
        return
    truth = loaded(name).truth
    assert not all(
        np.array_equal(network.links[k].weights, expected_weights(network, k, truth))
        for k in weighted(network)
    )


def test_a_family_that_fits_by_shape_is_told_with_the_flag_that_reads_it():
    """Tensors of nanoGPT under the model_type of GPT-2, whose tensors lie the other way round."""
    store = store_of("nanogpt")
    store.config = {"model_type": "gpt2", "n_layer": 2, "n_embd": 12, "n_head": 3}
    with pytest.raises(
        CorruptFile, match="has shape .* it fits nanogpt: pass --architecture nanogpt to read"
    ):
        fit(store, store.config)
    assert fit(store, store.config, architecture=Path("nanogpt")).architecture.name == "nanogpt"
    store.config["model_type"] = "mine"
    with pytest.raises(
        UnsupportedArchitecture, match="Nearest known family: nanogpt.*--architecture nanogpt to"
    ):
        fit(store, store.config)


def test_the_shapes_decide_where_config_says_no_type():
    store = store_of("nanogpt")
    config = {"n_layer": 2, "n_embd": 12, "n_head": 3}
    assert fit(store, config).architecture.name == "nanogpt"
    turned = {
        name: values.T if "attn" in name or "mlp" in name else values
        for name, values in store.tensors.items()
    }
    assert fit(MemoryTensors(turned, config), config).architecture.name == "gpt2"


def test_the_row_rule_of_the_paper_leaves_other_layouts_as_they_are():
    for name in ("phi3", "falcon", "modernbert"):
        exact, paper = (sampled(name, row_rule=rule).networks[0] for rule in ("exact", "paper"))
        for k in weighted(exact):
            np.testing.assert_array_equal(exact.links[k].weights, paper.links[k].weights)


@pytest.mark.parametrize("name", ["mixtral", "gpt_oss", "granite_moe"])
def test_a_seed_draws_one_expert_of_each_block_and_numbers_its_units_behind_those_before(name):
    size = loaded(name).config["intermediate_size"]
    drawn = set()
    for network in sampled(name, nodes=4, seeds=range(40)).networks:
        for layer in network.layers:
            if layer.row in ("gated", "mlp"):
                (expert,) = set(layer.units // size)
                drawn.add((layer.block, int(expert)))
                assert layer.size == (16 if layer.row == "gated" else 8)
    assert drawn == {(block, expert) for block in range(2) for expert in range(3)}
    assert "of 3 experts in each block, a seed draws one" in sampled(name).tensors.notes


@pytest.mark.parametrize("name", ["mixtral", "gpt_oss", "granite_moe"])
def test_a_wrong_order_of_experts_cannot_pass(name, monkeypatch):
    right = FittedMatrix.tensor_of
    monkeypatch.setattr(
        FittedMatrix, "tensor_of", lambda matrix, expert: right(matrix, matrix.experts - 1 - expert)
    )
    truth = loaded(name).truth
    wrong = [
        k
        for network in sampled(name, seeds=range(3)).networks
        for k in weighted(network)
        if not np.array_equal(network.links[k].weights, expected_weights(network, k, truth))
    ]
    assert wrong


@pytest.mark.parametrize("name", ["mixtral", "gpt_oss", "granite_moe"])
def test_of_a_file_only_the_rows_of_the_drawn_experts_are_read(name, tmp_path):
    record = loaded(name)
    save_file(
        {key: np.ascontiguousarray(values) for key, values in record.tensors.items()},
        tmp_path / "model.safetensors",
    )
    (tmp_path / "config.json").write_text(json.dumps(record.config))
    (checkpoint,) = open_series(str(tmp_path)).checkpoints
    read = sample_checkpoint(checkpoint, nodes=2, seeds=[0, 1], row_rule="exact")
    assert read.link_hashes == sampled(name, nodes=2, seeds=[0, 1]).link_hashes
    experts = sum(
        values.nbytes for key, values in record.tensors.items() if "experts" in key or "linear" in key
    )
    assert read.bytes_read < (tmp_path / "model.safetensors").stat().st_size - experts // 3


def fitted_with(name, *, architecture=None, **config):
    store = store_of(name)
    return fit(store, store.config | config, architecture=architecture)


def test_keys_and_values_from_a_latent_row_feed_all_of_attention():
    (network,) = sampled("deepseek_v2", nodes=4, seeds=(0,)).networks
    rows = [layer.row for layer in network.layers[:4]]
    assert rows == ["input", "latent", "kv", "attention"]
    assert network.layers[2].kinds == ["key"] * 4 + ["value"] * 4
    assert network.links[2].wiring.shape == (4, 8)
    assert network.links[2].wiring.all()


def test_leading_blocks_are_dense_and_the_others_mixtures():
    fitted = fitted_with("deepseek_v2")
    drawn = {(row.block, row.row): (row.size, row.experts) for row in fitted.rows}
    assert drawn[0, "mlp"] == (20, 1)
    assert drawn[1, "mlp"] == (8, 3)
    assert "of 3 experts in each block from 1 on, a seed draws one" in fitted.coverage.notes
    units = [
        layer.units // 8
        for network in sampled("deepseek_v2", nodes=2, seeds=range(30)).networks
        for layer in network.layers
        if (layer.block, layer.row) == (1, "mlp")
    ]
    assert {int(expert) for own in units for expert in own} == {0, 1, 2}
    assert all(len(set(own)) == 1 for own in units)


def test_queries_of_a_latent_row_are_read_where_named_and_told_where_not():
    skipped = {entry.name: entry.reason for entry in fitted_with("deepseek_v3").coverage.skipped}
    assert "queries" in skipped["model.layers.0.self_attn.q_b_proj.weight"]
    (network,) = sampled("deepseek_v2_queries", nodes=4, seeds=(0,)).networks
    assert network.provenance.architecture == "deepseek_queries"
    np.testing.assert_array_equal(network.links[2].wiring, np.eye(4, dtype=bool))
    with pytest.raises(UnsupportedArchitecture, match="architecture file deepseek_queries"):
        fitted_with("deepseek_v2_lite", architecture=Path("deepseek_queries"))


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"moe_layer_freq": 2}, "moe_layer_freq = 2; deepseek describes 1 only"),
        ({"qk_nope_head_dim": 8}, "qk_nope_head_dim_less_v_head_dim = 2; deepseek describes 0 only"),
        ({"first_k_dense_replace": 3}, "first_k_dense_replace = 3, not a number of its 2 blocks"),
        ({"first_k_dense_replace": 0}, "no tensor .*layers.0.mlp.experts"),
        ({"kv_lora_rank": 12}, "has shape"),
        ({"num_hidden_layers": 1}, "there are weights of more"),
        ({"model_type": "deepseek_v9"}, "pass --architecture deepseek to read"),
    ],
)
def test_another_kind_of_latent_attention_is_refused_in_a_sentence(config, sentence):
    with pytest.raises((CorruptFile, UnsupportedArchitecture), match=sentence):
        fitted_with("deepseek_v2", **config)


def test_a_block_that_predicts_further_tokens_is_told():
    store = store_of("deepseek_v3")
    further = {
        name.replace("layers.1", "layers.2"): values
        for name, values in store.tensors.items()
        if "layers.1" in name
    }
    store.tensors |= further | {"model.layers.2.eh_proj.weight": np.zeros((12, 24), np.float32)}
    skipped = fit(store, store.config | {"num_nextn_predict_layers": 1}).coverage.skipped
    told = {entry.name: entry.reason for entry in skipped if "layers.2" in entry.name}
    assert told.keys() == further.keys() | {"model.layers.2.eh_proj.weight"}
    for name in ("eh_proj.weight", "self_attn.kv_b_proj.weight", "mlp.experts.2.up_proj.weight"):
        assert "further tokens" in told[f"model.layers.2.{name}"]
    assert not [reason for reason in told.values() if "not known" in reason]


def test_leading_blocks_must_be_known_by_a_tensor_that_all_blocks_have(tmp_path):
    described = bundled("deepseek").model_dump(mode="json", exclude_none=True)
    for link in described["blocks"]["leading"]["links"]:
        for matrix in link["matrices"]:
            matrix["tensor"] = f"first.{matrix['tensor']}"
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(described))
    with pytest.raises(UnsupportedArchitecture, match="leading blocks share a tensor name"):
        fitted_with("deepseek_v2", architecture=path)


@pytest.mark.parametrize("before", ["input", "attention"])
def test_wiring_to_all_follows_matrices(before, tmp_path):
    described = bundled("llama").model_dump(mode="json", exclude_none=True)
    links = described["blocks"]["links"]
    rows = described["blocks"]["rows"]
    place = [row["row"] for row in rows].index(before)
    rows.insert(place + 1, rows[place] | {"row": "again"})
    links.insert(place, {"wiring": "all"})
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(described))
    with pytest.raises(UnsupportedArchitecture, match="`all` leads on from a row that matrices feed"):
        fitted_with("qwen3", architecture=path)
