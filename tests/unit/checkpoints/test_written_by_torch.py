"""Folders that torch itself writes: distributed checkpoints, Lightning files, state dicts with an optimizer beside."""

from pathlib import Path

import numpy as np
import pytest

from neuromfa.checkpoints.formats.open_tensors import open_tensors
from neuromfa.checkpoints.sampling.networks import sample_checkpoint
from neuromfa.checkpoints.series import open_series
from neuromfa.checkpoints.transport.folder import LocalFolder
from neuromfa.errors import CheckpointMissing
from tests.made_series import tensors, write
from tests.requirements import missing

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(autouse=True)
def with_torch():
    try:
        import torch  # noqa: F401
    except ImportError:
        missing("torch", "these folders are written by torch")


@pytest.fixture
def state():
    """The weights of a small GPT-NeoX as torch has them."""
    import torch

    return {name: torch.from_numpy(array) for name, array in tensors(0.3).items()}


def hashes(folder: Path):
    (checkpoint,) = open_series(str(folder)).checkpoints
    return sample_checkpoint(checkpoint, nodes=8, seeds=[0, 1], row_rule="exact").link_hashes


@pytest.fixture
def plain(tmp_path):
    """What the same weights give as a plain file, and the folder's config.json."""
    folder = write(tmp_path / "plain", tensors(0.3))
    return hashes(folder), (folder / "config.json").read_text()


@pytest.mark.parametrize("under", [None, "model"])
def test_a_distributed_checkpoint_is_read(tmp_path, state, plain, under):
    from torch.distributed import checkpoint

    folder = tmp_path / "distributed"
    checkpoint.save({under: state} if under else state, checkpoint_id=folder, no_dist=True)
    (folder / "config.json").write_text(plain[1])
    assert hashes(folder) == plain[0]


def test_a_lightning_file_is_read_and_its_optimizer_left_alone(tmp_path, state, plain):
    import torch

    folder = tmp_path / "light"
    folder.mkdir()
    optimizer = {
        "state": {0: {"exp_avg": torch.zeros(400, 1000)}},
        "param_groups": [{"lr": 1e-3, "params": [0]}],
    }
    torch.save(
        {
            "epoch": 1,
            "global_step": 100,
            "pytorch-lightning_version": "2.5.0",
            "state_dict": {f"model.{name}": tensor for name, tensor in state.items()},
            "optimizer_states": [optimizer],
            "lr_schedulers": [],
            "loops": {},
        },
        folder / "last.ckpt",
    )
    (folder / "config.json").write_text(plain[1])
    assert hashes(folder) == plain[0]
    (checkpoint,) = open_series(str(folder)).checkpoints
    store = checkpoint.open()
    for name in store.names():
        store.read(name)
    assert store.bytes_read < 1_000_000  # the optimizer alone has 1.6 MB


def test_a_compiled_model_in_a_deepspeed_states_file_is_read_or_told(tmp_path, state):
    import torch

    folder = tmp_path / "checkpoint-500" / "global_step500"
    folder.mkdir(parents=True)
    torch.save({"module": state, "ds_version": "0.16"}, folder / "mp_rank_00_model_states.pt")
    torch.save({"optimizer_state_dict": {}}, folder / "bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt")
    with pytest.raises(CheckpointMissing, match="DeepSpeed ZeRO.*zero_to_fp32"):
        open_series(str(tmp_path / "checkpoint-500")).checkpoints[0].open()


def test_a_wrapped_module_saved_by_torch_is_read(tmp_path, state, plain):
    import torch

    folder = tmp_path / "wrapped"
    folder.mkdir()
    wrapped = {f"module._orig_mod.{name}": tensor for name, tensor in state.items()}
    torch.save(wrapped, folder / "pytorch_model.bin")
    (folder / "config.json").write_text(plain[1])
    assert hashes(folder) == plain[0]
    first = next(iter(tensors(0.3)))
    np.testing.assert_array_equal(open_tensors(LocalFolder(folder)).read(first), tensors(0.3)[first])
