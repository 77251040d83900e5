"""Every architecture, against what transformers and torchvision themselves compute with planted weights."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from safetensors.numpy import load_file

from neuromfa.checkpoints.architecture.detect import nearest_family
from neuromfa.checkpoints.architecture.files import bundled, list_architectures, load_architecture
from neuromfa.checkpoints.architecture.fitted import FittedMatrix
from neuromfa.checkpoints.architecture.schema import Architecture, schema
from neuromfa.checkpoints.sampling.networks import sample_checkpoint
from neuromfa.checkpoints.series import open_series
from neuromfa.errors import CorruptFile, UnsupportedArchitecture, UnsupportedFormat
from tests.data import families
from tests.requirements import missing
from tests.unit.checkpoints.memory import MemoryTensors
from tests.unit.checkpoints.truth import expected_weights, expected_wiring, weighted

ROOT = Path(__file__).parents[3]
TINY = ROOT / "tests" / "data" / "tiny"
CHAINS = ("mlp", "resnet", "resnet_torchvision")
GATED = ("llama", "mistral", "qwen2", "t5_encoder_gated")
HEAD_SIZES = {"llama": 6, "mistral": 6, "qwen2": 4}
FAMILIES = sorted(folder.name for folder in TINY.iterdir() if folder.is_dir())
BLOCK_FAMILIES = [name for name in FAMILIES if name not in CHAINS]
PLAIN_ROWS = ["input", "qkv", "attention", "dense", "mlp"]
GATED_ROWS = ["input", "qkv", "attention", "dense", "gated", "mlp"]


def sampled(family, *, nodes=5, seeds=(0, 1, 2), row_rule="exact", architecture=None):
    (checkpoint,) = open_series(str(TINY / family), architecture=architecture).checkpoints
    return sample_checkpoint(checkpoint, nodes=nodes, seeds=seeds, row_rule=row_rule)


def truth_of(family):
    with np.load(TINY / family / "truth.npz") as file:
        return dict(file)


@pytest.mark.parametrize("family", BLOCK_FAMILIES)
def test_sampled_weights_are_what_the_library_computes(family):
    truth = truth_of(family)
    for network in sampled(family).networks:
        for k in weighted(network):
            np.testing.assert_array_equal(network.links[k].weights, expected_weights(network, k, truth))


@pytest.mark.parametrize("family", BLOCK_FAMILIES)
def test_a_whole_network_is_what_the_library_computes(family):
    truth = truth_of(family)
    (network,) = sampled(family, nodes=None, seeds=(0,)).networks
    for k in weighted(network):
        np.testing.assert_array_equal(network.links[k].weights, expected_weights(network, k, truth))
    assert all(layer.whole for layer in network.layers)


@pytest.mark.parametrize("family", CHAINS)
def test_a_chain_is_what_the_library_computes(family):
    truth = truth_of(family)
    for nodes in (3, None):
        for network in sampled(family, nodes=nodes, seeds=(0,)).networks:
            assert len(network.links) == len(truth)
            for k, link in enumerate(network.links):
                source, target = network.layers[k], network.layers[k + 1]
                strength = truth[str(k)][target.units][:, source.units]
                np.testing.assert_array_equal(link.weights, strength)


@pytest.mark.parametrize("family", BLOCK_FAMILIES)
def test_rows_stand_in_the_order_of_the_method(family):
    rows = GATED_ROWS if family in GATED else PLAIN_ROWS
    blocks = 1 if family == "albert" else 2
    (network,) = sampled(family, seeds=(0,)).networks
    assert [layer.row for layer in network.layers] == rows * blocks + ["output"]
    assert [layer.block for layer in network.layers] == [b for b in range(blocks) for _ in rows] + [blocks]
    sizes = {"input": 5, "qkv": 15, "attention": 5, "dense": 5, "gated": 20, "mlp": 10, "output": 5}
    for layer in network.layers:
        if family in HEAD_SIZES and layer.row == "qkv":
            query, key, value = (part.units.size for part in layer.parts)
            assert query == 5 >= key == value > 0
        else:
            assert layer.size == sizes[layer.row]
    for k, link in enumerate(network.links):
        shape = (network.layers[k + 1].size, network.layers[k].size)
        assert (link.wiring if link.artificial else link.weights).shape == shape
        assert link.artificial == network.artificial[k] == (network.layers[k].row in ("qkv", "gated"))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_tensor_is_used_or_skipped_with_a_reason(family):
    (checkpoint,) = open_series(str(TINY / family)).checkpoints
    coverage = sampled(family).tensors
    skipped = [entry.name for entry in coverage.skipped]
    assert sorted([*coverage.used, *skipped]) == list(checkpoint.open().names())
    assert not [entry for entry in coverage.skipped if "not known" in entry.reason]
    matrices = [name for name in coverage.used if name.endswith(".weight")]
    assert len(matrices) == len(coverage.used)


@pytest.mark.parametrize(
    ("family", "name", "reason"),
    [
        ("gpt_neox", "embed_out.weight", "unembedding"),
        ("gpt_neox", "gpt_neox.embed_in.weight", "embedding"),
        ("gpt2", "wpe.weight", "embedding"),
        ("bert", "bert.encoder.layer.1.output.LayerNorm.weight", "normalisation"),
        ("albert", "albert.encoder.embedding_hidden_mapping_in.weight", "embedding"),
        ("llama", "model.norm.weight", "normalisation"),
        ("opt", "model.decoder.project_out.weight", "unembedding"),
        ("vit", "classifier.weight", "head on top of the blocks"),
        (
            "t5_encoder",
            "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
            "relative position bias",
        ),
        (
            "t5_encoder_gated",
            "decoder.block.1.layer.2.DenseReluDense.wo.weight",
            "decoder; the encoder is read",
        ),
        ("mlp", "10.bias", "bias"),
        (
            "resnet",
            "resnet.encoder.stages.1.layers.0.shortcut.convolution.weight",
            "downsample path, off the main path",
        ),
        ("resnet_torchvision", "layer2.0.downsample.0.weight", "downsample path, off the main path"),
        ("resnet_torchvision", "fc.weight", "head on top of the blocks"),
    ],
)
def test_reasons_for_skipping(family, name, reason):
    reasons = {entry.name: entry.reason for entry in sampled(family).tensors.skipped}
    assert reasons[name] == reason


@pytest.mark.parametrize("family", FAMILIES)
def test_the_right_architecture_is_found(family):
    (network, *_) = sampled(family).networks
    assert network.provenance.architecture == family.removesuffix("_lm")
    assert network.provenance.dtype == "float32"


def test_a_key_row_that_heads_share_is_one_neuron():
    (network,) = sampled("llama", nodes=None, seeds=(0,)).networks
    query, key, value = network.layers[1].parts
    # 4 heads of 6 units share 2 key heads: the first 12 units use key rows 0 to 5, the others 6 to 11
    assert query.units.tolist() == list(range(24))
    assert key.units.tolist() == value.units.tolist() == list(range(12))
    wired = network.links[1].wiring
    keys, values = wired[:, 24:36], wired[:, 36:48]
    np.testing.assert_array_equal(keys, np.kron(np.eye(2, dtype=bool), np.ones((12, 6), dtype=bool)))
    np.testing.assert_array_equal(values, keys)
    assert network.links[0].weights.shape == (48, 12)


def test_keys_stand_in_the_order_in_which_drawn_units_use_them():
    (network,) = sampled("llama", nodes=9, seeds=(1,)).networks
    query, key, value = network.layers[1].parts
    used = [unit // 12 * 6 + unit % 6 for unit in query.units.tolist()]
    assert key.units.tolist() == value.units.tolist() == list(dict.fromkeys(used))
    assert key.units.size < query.units.size


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("nodes", [7, None])
def test_no_neuron_stands_twice(family, nodes):
    (network,) = sampled(family, nodes=nodes, seeds=(2,)).networks
    names = [name for layer in network.layers for name in layer.names()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("family", HEAD_SIZES)
@pytest.mark.parametrize("nodes", [5, 9, None])
def test_shared_keys_and_values_feed_the_heads_that_share_them(family, nodes):
    truth = truth_of(family)
    for network in sampled(family, nodes=nodes).networks:
        for k in (1, 7):
            expected = expected_wiring(network, k, truth, HEAD_SIZES[family])
            np.testing.assert_array_equal(network.links[k].wiring, expected)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda matrix, units, rows: np.ones((units.size, rows.size), dtype=bool),
        lambda matrix, units, rows: np.equal.outer(
            units // matrix.head_size % matrix.shared_heads, rows // matrix.head_size
        ),
        lambda matrix, units, rows: np.equal.outer(units // matrix.head_size, rows // matrix.head_size),
        lambda matrix, units, rows: np.equal.outer(units % matrix.head_size, rows % matrix.head_size),
    ],
    ids=["to all", "groups interleaved", "to one head", "to one unit of each head"],
)
def test_a_wrong_fan_out_cannot_pass(wrong, monkeypatch):
    monkeypatch.setattr(
        FittedMatrix, "used_by", lambda matrix, units: wrong(matrix, units, matrix.neurons(units))
    )
    truth = truth_of("llama")
    (network,) = sampled("llama", nodes=9, seeds=(0,)).networks
    assert not np.array_equal(
        network.links[1].wiring, expected_wiring(network, 1, truth, HEAD_SIZES["llama"])
    )


def test_row_rule_paper_takes_the_rows_of_fused_tensors_as_they_stand():
    (network,) = sampled("gpt_neox", seeds=(3,), row_rule="paper").networks
    row = network.layers[1]
    attention = network.layers[2].units
    assert row.kinds == ["qkv"] * 15
    np.testing.assert_array_equal(row.units, np.concatenate([attention, attention + 12, attention + 24]))
    planted_rows = (network.links[0].weights[:, 0].astype(np.int64) >> 8) & 255
    np.testing.assert_array_equal(planted_rows, row.units)
    exact = sampled("gpt_neox", seeds=(3,)).networks[0]
    assert not np.array_equal(exact.links[0].weights, network.links[0].weights)
    assert network.layers[1].names()[0] == f"B00.qkv.{attention[0]:05d}"


def test_row_rules_agree_where_parts_are_not_interleaved_by_head():
    for family in ("gpt2", "bert", "llama"):
        exact, paper = (sampled(family, row_rule=rule).networks[0] for rule in ("exact", "paper"))
        for k in weighted(exact):
            np.testing.assert_array_equal(exact.links[k].weights, paper.links[k].weights)


def changed(name, tmp_path, *changes):
    """A user's architecture file: a bundled one with texts replaced."""
    text = json.dumps(bundled(name).model_dump(mode="json", exclude_none=True))
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / f"{name}.json"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("family", "changes"),
    [
        ("gpt_neox", [("per_head_qkv", "qkv")]),
        ("gpt2", [('"fused": "qkv"', '"fused": "per_head_qkv", "heads": "blocks"')]),
        ("bert", [("self.query.weight", "self.key.weight")]),
        ("bert", [('"orientation": "out_in"', '"orientation": "in_out"')]),
        ("llama", [('"shared_heads": "kv_heads"', '"shared_heads": "heads"')]),
        ("llama", [("gate_proj", "up_proj")]),
        ("gpt2", [('"orientation": "in_out"', '"orientation": "out_in"')]),
        ("opt", [("self_attn.k_proj", "self_attn.v_proj")]),
        ("t5_encoder", [('"orientation": "out_in"', '"orientation": "in_out"')]),
    ],
)
def test_a_wrong_description_cannot_pass(family, changes, tmp_path):
    """The planted numbers tell a wrong orientation, split, head layout or group from the right one."""
    path = changed(family, tmp_path, *changes)
    try:
        (network,) = sampled(family, seeds=(0,), architecture=path).networks
    except CorruptFile:
        return
    truth = truth_of(family)
    wrong = [
        k
        for k in weighted(network)
        if not np.array_equal(network.links[k].weights, expected_weights(network, k, truth))
    ]
    assert wrong


def test_a_file_of_the_user_may_extend_a_bundled_one(tmp_path):
    path = tmp_path / "mine.json"
    skip = [{"tensors": ["*.LayerNorm.bias"], "reason": "mine"}]
    path.write_text(json.dumps({"name": "mine", "title": "Mine", "extends": "bert", "skip": skip}))
    result = sampled("bert", architecture=path)
    assert result.networks[0].provenance.architecture == "mine"
    reasons = Counter(entry.reason for entry in result.tensors.skipped)
    assert reasons["mine"] == 6
    assert reasons["bias"] > 0


def test_a_bundled_architecture_can_be_named_for_another_model_type():
    tensors = MemoryTensors({name: np.ones((4, 4), np.float32) for name in ("a.0.weight", "a.1.weight")})
    assert load_architecture(Path("mlp")).name == "mlp"
    assert nearest_family(tensors.names()) == "mlp"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "is not JSON"),
        ("[1]", "is not a JSON object"),
        ("[" * 100_000, "is not JSON"),
        ('{"name": "x", "title": "x"}', "either blocks or a chain"),
        (
            '{"name": "x", "title": "x", "chain": {"tensors": ["*"], "init": {"spread": "1"}}, "color": 1}',
            "color",
        ),
        ('{"extends": "nothing"}', "no bundled architecture 'nothing'"),
        ('{"extends": "../secrets"}', "no bundled architecture"),
        ('{"extends": "bert", "sizes": {}}', "sizes lacks blocks, feed_forward, hidden"),
        ('{"extends": "bert", "skip": 3}', "not valid at skip"),
        ('{"extends": "mlp", "name": "DROP TABLE"}', "not valid at name"),
        ('{"extends": "mlp", "chain": {"tensors": ["*"], "rows": ["a", "b`) DELETE", "c"]}}', "chain.rows.1"),
        ('{"extends": "bert", "blocks": {"repeat": "blocks", "rows": [], "links": []}}', "blocks.rows"),
    ],
)
def test_faults_in_an_architecture_file_are_named(text, fault, tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(UnsupportedArchitecture, match=re.escape(fault)):
        load_architecture(path)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"draw": "n4"', '"draw": "t", "times": 2', "rows of the draw t differ in size, times or experts"),
        ('"kinds": ["input"]', '"kinds": ["a", "b"]', "the first row of a block has one kind"),
        ('"kinds": ["dense"]', '"kinds": ["a", "b"]', "needs one fused matrix or one for each of a, b"),
        ('"kinds": ["output"]', '"kinds": ["a", "b"]', "the output row has one kind"),
        ('{"wiring": "attention"}, ', "", "as many links as rows"),
        ('"wiring": "attention"', '"wiring": "some"', "wiring"),
        ('"wiring": "attention"', '"matrices": []', "either matrices or wiring"),
        ('"draw": "t"', '"draw": "u"', "both rows hold the same draw"),
        ('"heads": "heads", ', "", "needs `heads`"),
        (
            '"fused": "per_head_qkv"',
            '"fused": "none"',
            "one fused matrix or one for each of query, key, value",
        ),
        (
            '"fused": "per_head_qkv"',
            '"fused": "qkv", "shared_heads": "heads"',
            "cannot be fused and have shared",
        ),
    ],
)
def test_contradictions_in_an_architecture_file_are_named(old, new, fault, tmp_path):
    text = json.dumps(bundled("gpt_neox").model_dump(mode="json", exclude_defaults=True))
    assert old in text
    path = tmp_path / "mine.json"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(UnsupportedArchitecture, match=re.escape(fault)):
        load_architecture(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{"wiring": "attention"}', '{"wiring": "own"}'),
        ('q_proj.weight", ', 'q_proj.weight", "heads": "heads", "shared_heads": "kv_heads", '),
    ],
)
def test_shared_heads_hold_keys_and_values_before_attention(old, new, tmp_path):
    text = json.dumps(bundled("llama").model_dump(mode="json", exclude_defaults=True))
    assert old in text
    path = tmp_path / "mine.json"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(
        UnsupportedArchitecture, match="has shared heads: it holds keys or values, after the queries"
    ):
        load_architecture(path)


def test_a_missing_or_huge_architecture_file(tmp_path):
    with pytest.raises(UnsupportedArchitecture, match="cannot be read"):
        load_architecture(tmp_path / "nowhere.json")
    (tmp_path / "huge.json").write_bytes(b" " * (1 << 20) + b"{}")
    with pytest.raises(UnsupportedArchitecture, match="bytes"):
        load_architecture(tmp_path / "huge.json")


def llama_layer(**shapes):
    names = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj")
    names += ("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
    sizes = {"mlp.gate_proj": (6, 4), "mlp.up_proj": (6, 4), "mlp.down_proj": (4, 6), **shapes}
    return {f"model.layers.0.{name}.weight": np.ones(sizes.get(name, (4, 4)), np.float32) for name in names}


LLAMA = {
    "model_type": "llama",
    "num_hidden_layers": 1,
    "hidden_size": 4,
    "num_attention_heads": 2,
    "intermediate_size": 6,
}


def sample_memory(tensors, config, **options):
    from neuromfa.checkpoints.sampling.networks import sample_networks

    store = MemoryTensors(tensors, config)
    common = {"nodes": 2, "seeds": [0], "row_rule": "exact", "series": "m", "step": None, "revision": "r"}
    return sample_networks(store, store.config, **{**common, **options})


def test_an_unknown_model_names_its_tensors_and_the_nearest_family():
    tensors = {f"decoder.{b}.attention.query_key_value.kernel": np.ones((4, 4)) for b in range(30)}
    with pytest.raises(UnsupportedArchitecture) as error:
        sample_memory(tensors, {"model_type": "newer"})
    message = str(error.value)
    assert "decoder.0.attention.query_key_value.kernel" in message
    assert "and 18 more" in message
    assert "Nearest known family: gpt_neox" in message
    assert "--architecture" in message


def test_another_model_type_with_known_names_is_told_how_to_be_read():
    with pytest.raises(UnsupportedArchitecture, match="pass --architecture llama to read it as that"):
        sample_memory(llama_layer(), {**LLAMA, "model_type": "newer"})
    result = sample_memory(llama_layer(), {**LLAMA, "model_type": "newer"}, architecture=Path("llama"))
    assert result.networks[0].provenance.architecture == "llama"


def test_a_known_type_without_its_tensors_is_refused():
    with pytest.raises(UnsupportedArchitecture, match="does not hold the tensors"):
        sample_memory({"x.weight": np.ones((2, 2))}, LLAMA)


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ({"hidden_size": None}, "does not give hidden_size"),
        ({"hidden_size": "4"}, "hidden_size = '4'"),
        ({"hidden_size": True}, "hidden_size = True"),
        ({"hidden_size": 4.5}, "hidden = 4.5, not a number above 0"),
        ({"num_hidden_layers": 0}, "blocks = 0"),
        ({"num_hidden_layers": 10**12}, "1000000000000 blocks"),
        ({"num_hidden_layers": 2}, "no tensor model.layers.1.self_attn.q_proj.weight"),
        ({"num_attention_heads": 3, "head_dim": 2}, "has shape (4, 4), but config.json asks for (6, 4)"),
        ({"num_key_value_heads": 3}, "do not divide"),
        ({"intermediate_size": 7}, "has shape (6, 4), but config.json asks for (7, 4)"),
    ],
)
def test_a_config_that_contradicts_the_tensors(config, fault):
    with pytest.raises(CorruptFile, match=re.escape(fault)):
        sample_memory(llama_layer(), {**LLAMA, **config})


def test_division_by_a_zero_head_count_is_an_error_in_words():
    with pytest.raises(UnsupportedArchitecture, match="cannot be computed"):
        sample_memory(llama_layer(), {**LLAMA, "num_attention_heads": 0})


def test_quantised_weights_are_refused():
    tensors = {name: array.astype(np.int8) for name, array in llama_layer().items()}
    with pytest.raises(UnsupportedFormat, match="int8"):
        sample_memory(tensors, LLAMA)


def test_a_value_outside_the_description_is_refused():
    (checkpoint,) = open_series(str(TINY / "albert")).checkpoints
    store = checkpoint.open()
    with pytest.raises(UnsupportedArchitecture, match="inner_group_num = 2; albert describes 1 only"):
        sample_memory(
            {name: store.read(name) for name in store.names()}, {**store.config, "inner_group_num": 2}
        )


@pytest.mark.parametrize(
    ("shapes", "fault"),
    [
        ({"0.weight": (3, 2), "1.weight": (4, 5)}, "1.weight takes 5 units, but 0.weight before it has 3"),
        ({"0.weight": (3,), "0.bias": (3,)}, "no tensor has the axes of a matrix"),
        ({"0.weight": (3, 2, 5, 5), "1.weight": (4, 3)}, "0.weight has 4 axes, which is no matrix"),
    ],
)
def test_tensors_that_are_no_chain(shapes, fault):
    with pytest.raises(UnsupportedArchitecture, match=re.escape(fault)):
        sample_memory({name: np.ones(shape) for name, shape in shapes.items()}, {"model_type": "mlp"})


def test_an_explicit_order_reads_a_chain_whose_names_do_not_sort(tmp_path):
    tensors = {
        "inp.weight": np.ones((3, 2)),
        "hid.weight": np.full((4, 3), 2.0),
        "last.weight": np.full((5, 4), 3.0),
    }
    with pytest.raises(UnsupportedArchitecture, match="list the tensors in order"):
        sample_memory(tensors, {})
    path = tmp_path / "mine.json"
    chain = {"tensors": ["inp.weight", "hid.weight", "last.weight"], "init": {"spread": "1"}}
    path.write_text(json.dumps({"name": "mine", "title": "Mine", "chain": chain}))
    (network,) = sample_memory(tensors, {}, architecture=path, nodes=None).networks
    assert [layer.size for layer in network.layers] == [2, 3, 4, 5]
    assert [link.weights[0, 0] for link in network.links] == [1, 2, 3]


def test_bundled_files_and_tiny_models_are_the_same_list():
    names = {architecture.name for architecture in list_architectures()}
    tiny = {family.removesuffix("_lm") for family in FAMILIES}
    assert names == tiny | {families.load(name).architecture for name in families.NAMES}


def test_the_published_schema_is_that_of_the_code_and_every_file_obeys_it():
    published = json.loads((ROOT / "docs" / "architecture.schema.json").read_text())
    assert published == schema()
    for path in (ROOT / "neuromfa" / "checkpoints" / "architectures").glob("*.json"):
        jsonschema.validate(json.loads(path.read_text()), published)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"name": "x", "colour": "red"}, published)


def test_docs_name_every_architecture_and_every_key():
    text = (ROOT / "docs" / "architectures.md").read_text()
    for architecture in list_architectures():
        assert f"`{architecture.name}`" in text
        assert architecture.title in text
    keys = set(Architecture.model_fields) | {
        key for part in schema()["$defs"].values() for key in part.get("properties", {})
    }
    assert not [key for key in sorted(keys) if f"`{key}`" not in text]


def test_the_examples_of_the_docs_are_valid(tmp_path):
    text = (ROOT / "docs" / "architectures.md").read_text()
    examples = re.findall(r"```json\n(.*?)```", text, flags=re.DOTALL)
    names = []
    for example in examples:
        path = tmp_path / "example.json"
        path.write_text(example)
        names.append(load_architecture(path).name)
    assert names == ["my_bert", "autoencoder", "tiny_mixer"]


def test_the_complete_example_of_the_docs_reads_a_model(tmp_path):
    text = (ROOT / "docs" / "architectures.md").read_text()
    (tmp_path / "mixer.json").write_text(re.findall(r"```json\n(.*?)```", text, flags=re.DOTALL)[2])
    shapes = {"up": (12, 3), "down": (3, 12)}
    tensors = {
        f"model.blocks.{b}.{name}.weight": np.full(shape, 10.0 * b + shape[0])
        for b in range(2)
        for name, shape in shapes.items()
    }
    config = {"model_type": "mixer", "n_layers": 2, "dim": 3}
    (network,) = sample_memory(tensors, config, architecture=tmp_path / "mixer.json").networks
    assert [layer.size for layer in network.layers] == [2, 4, 2, 4, 2]
    assert [link.weights[0, 0] for link in network.links] == [12, 3, 22, 13]


@pytest.mark.slow
def test_the_tiny_models_are_what_the_libraries_build_today(tmp_path):
    if any(find_spec(library) is None for library in ("torch", "transformers", "torchvision")):
        missing("torch", "the tiny models are built by torch, transformers and torchvision")
    command = [sys.executable, str(ROOT / "tests" / "data" / "make_tiny.py"), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    for family in FAMILIES:
        built, kept = (load_file(folder / family / "model.safetensors") for folder in (tmp_path, TINY))
        assert built.keys() == kept.keys()
        assert all(np.array_equal(built[name], kept[name]) for name in kept)
        with np.load(tmp_path / family / "truth.npz") as file:
            truth = truth_of(family)
            assert set(file) == set(truth)
            assert all(np.array_equal(file[name], truth[name]) for name in truth)
