"""`neuromfa architectures --try`: what a model would be read as, and a first file for one that nobody knows."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from neuromfa.app.cli.architectures import architectures
from neuromfa.checkpoints.architecture.trial import try_checkpoint
from neuromfa.checkpoints.sampling.networks import sample_checkpoint
from neuromfa.checkpoints.series import open_series
from neuromfa.errors import OptionError, UnsupportedArchitecture
from tests.data import families
from tests.unit.checkpoints.memory import MemoryTensors

TINY = Path(__file__).parents[2] / "data" / "tiny"

# The names of Meta's own Llama files.
META = {
    "model.layers": "net.blocks",
    "self_attn.q_proj": "attention.wq",
    "self_attn.k_proj": "attention.wk",
    "self_attn.v_proj": "attention.wv",
    "self_attn.o_proj": "attention.wo",
    "mlp.gate_proj": "feed_forward.w1",
    "mlp.up_proj": "feed_forward.w3",
    "mlp.down_proj": "feed_forward.w2",
}
TRUNK = {
    "bert.encoder.layer": "trunk.h",
    "self.query": "self.to_q",
    "self.key": "self.to_k",
    "self.value": "self.to_v",
    "intermediate.dense": "ffn.fc1",
    "attention.output.dense": "attention.out_proj",
    "output.dense": "ffn.fc2",
}


def renamed(name: str, names: dict[str, str]) -> str:
    for old, new in names.items():
        name = name.replace(old, new)
    return name


def stored(folder: Path, family: str, names: dict[str, str], **config: object) -> Path:
    """The weights of a tiny model under other names."""
    folder.mkdir(parents=True)
    tensors = load_file(TINY / family / "model.safetensors")
    save_file(
        {renamed(name, names): values for name, values in tensors.items()}, folder / "model.safetensors"
    )
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def hashes(folder: Path, architecture: Path | None = None):
    (checkpoint,) = open_series(str(folder), architecture=architecture).checkpoints
    return sample_checkpoint(checkpoint, nodes=5, seeds=[0, 1], row_rule="exact").link_hashes


def test_a_known_model_is_told_with_what_each_tensor_is():
    record = families.load("phi3")
    trial = try_checkpoint(MemoryTensors(record.tensors, record.config))
    assert (trial.found, trial.refusal, trial.flag) == ("phi3", None, None)
    parts = {one.name: (one.shape, one.tensors, one.part) for one in trial.tensors}
    assert parts["model.layers.*.self_attn.qkv_proj.weight"] == (
        [32, 16],
        2,
        "input to query, input to key, input to value",
    )
    assert parts["model.layers.*.mlp.down_proj.weight"] == ([16, 20], 2, "mlp to the next block")
    assert parts["lm_head.weight"][2] == "skipped: unembedding"


def test_a_family_that_fits_is_told_with_the_flag_and_the_flag_works(tmp_path, capsys):
    config = json.loads((TINY / "llama" / "config.json").read_text())
    folder = stored(tmp_path / "m", "llama", {}, **{**config, "model_type": "newest"})
    with pytest.raises(UnsupportedArchitecture, match="pass --architecture llama"):
        hashes(folder)
    architectures(tried=str(folder))
    assert "pass --architecture llama to read it" in " ".join(capsys.readouterr().out.split())
    assert hashes(folder, Path("llama")) == hashes(TINY / "llama")


@pytest.mark.parametrize(
    ("family", "names", "config"),
    [
        ("llama", META, {"n_heads": 4, "n_kv_heads": 2}),
        ("bert", TRUNK, {}),
        (
            "gpt2_lm",
            {"transformer.h": "body.stage", "attn.c_attn": "attn.qkv", "attn.c_proj": "attn.proj"},
            {},
        ),
        ("opt", {"model.decoder.layers": "stack.layer", "self_attn": "att"}, {}),
    ],
)
def test_a_first_file_reads_a_model_that_nobody_knows(tmp_path, capsys, family, names, config):
    folder = stored(tmp_path / "m", family, names, model_type="unheard", **config)
    path = tmp_path / "mine.json"
    architectures(tried=str(folder), write=path)
    told = " ".join(capsys.readouterr().err.split())
    assert "is a first draft" in told
    assert f"pass --architecture {path}" in told
    assert hashes(folder, path) == hashes(TINY / family)


def test_a_file_that_is_there_is_not_written_over(tmp_path):
    (tmp_path / "mine.json").write_text("{}")
    with pytest.raises(OptionError, match="exists and is not written over"):
        architectures(tried=str(TINY / "llama"), write=tmp_path / "mine.json")


def test_without_blocks_no_file_is_written(tmp_path):
    save_file({"strange.weight": np.ones((4, 4), np.float32)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"model_type": "strange"}')
    with pytest.raises(
        OptionError, match="no blocks with attention and feed-forward matrices can be made out"
    ):
        architectures(tried=str(tmp_path), write=tmp_path / "mine.json")
    assert not (tmp_path / "mine.json").exists()
    with pytest.raises(OptionError, match="--write needs a model"):
        architectures(write=tmp_path / "mine.json")
