"""Folders of torch.distributed.checkpoint, written here from the published layout: read chunk by chunk, run never."""

import io
import pickle
from pathlib import Path

import numpy as np
import pytest

from neuromfa.checkpoints.formats.open_tensors import open_tensors
from neuromfa.checkpoints.sampling.networks import sample_checkpoint
from neuromfa.checkpoints.series import open_series
from neuromfa.checkpoints.transport.folder import LocalFolder
from neuromfa.errors import CheckpointMissing, CorruptFile, UnsafeFormat, UnsupportedFormat

from .lie_about import neox, pretended_torch, write_config, write_model, write_torch

HOME = "torch.distributed.checkpoint.metadata"
FILES = "torch.distributed.checkpoint.filesystem"
SERIAL = "torch.serialization"


class Made:
    """An object whose class pretends to be one of torch's."""

    def __init__(self, **state):
        self.__dict__.update(state)


def write_distributed(folder, tensors, *, ranks=2, change=None):
    """Write tensors in chunks of rows, one file a rank, and the metadata that tells where each lies.

    Parameters
    ----------
    change : changes the metadata before it is written
    """
    folder.mkdir(parents=True, exist_ok=True)
    contents = [b""] * ranks
    entries, places = {}, {}
    for name, array in tensors.items():
        chunks, begin = [], 0
        for rank, part in enumerate(np.array_split(array, min(ranks, len(array)))):
            archive = write_torch(folder / "chunk", part).read_bytes()
            offsets = (begin, *[0] * (array.ndim - 1))
            places[name, offsets] = (f"__{rank}_0.distcp", len(contents[rank]), len(archive))
            chunks.append((offsets, part.shape))
            contents[rank] += archive
            begin += len(part)
        entries[name] = (array.shape, chunks)
    (folder / "chunk").unlink()
    for rank, content in enumerate(contents):
        (folder / f"__{rank}_0.distcp").write_bytes(content)
    (folder / ".metadata").write_bytes(metadata(entries, places, change or (lambda value, named: value)))
    return folder


def metadata(entries, places, change):
    """Return the pickle torch writes: dataclasses by their state, sizes as torch.Size, a number format by its name."""
    with pretended_torch(HOME, FILES, SERIAL) as named:

        def made(module, name, **state):
            kind = named(module, name, type)
            kind.__init__, kind.__reduce_ex__ = Made.__init__, object.__reduce_ex__
            return kind(**state)

        def size(values):
            kind = named("torch", "Size", type)
            value = kind()
            kind.__reduce_ex__ = lambda self, _: (kind, (self.values,))
            value.values = tuple(values)
            return value

        float32 = named("torch", "float32", type)
        layout = named(SERIAL, "_get_layout", type)

        class Strided:
            def __reduce_ex__(self, _):
                return layout, ("torch.strided",)

        form = made(HOME, "TensorProperties")
        form_kind = type(form)
        form_kind.__getstate__ = lambda self: (float32, Strided(), False, None, False)
        records = {
            name: made(
                HOME,
                "TensorStorageMetadata",
                properties=form,
                size=size(shape),
                chunks=[
                    made(HOME, "ChunkStorageMetadata", offsets=size(at), sizes=size(of)) for at, of in chunks
                ],
            )
            for name, (shape, chunks) in entries.items()
        } | {"epoch": made(HOME, "BytesStorageMetadata")}
        index = {
            made(HOME, "MetadataIndex", fqn=name, offset=size(at), index=number): made(
                FILES, "_StorageInfo", relative_path=path, offset=start, length=length
            )
            for number, ((name, at), (path, start, length)) in enumerate(places.items())
        }
        whole = made(
            HOME,
            "Metadata",
            state_dict_metadata=records,
            planner_data={name: tuple(name.split(".")) for name in records},
            storage_data=index,
            storage_meta=made(HOME, "StorageMeta", checkpoint_id=Path("somewhere"), modules=[]),
        )
        out = io.BytesIO()
        pickle.Pickler(out, 4).dump(change(whole, made))
        return out.getvalue()


def sampled(folder):
    (checkpoint,) = open_series(str(folder)).checkpoints
    return sample_checkpoint(checkpoint, nodes=6, seeds=[0, 1], row_rule="exact")


@pytest.mark.parametrize("ranks", [1, 2, 5])
@pytest.mark.parametrize("prefix", ["", "model.", "module._orig_mod."])
def test_chunks_of_several_files_are_the_same_network(tmp_path, ranks, prefix):
    tensors = {prefix + name: array for name, array in neox().items()}
    folder = write_config(write_distributed(tmp_path / "dcp", tensors, ranks=ranks))
    found = sampled(folder)
    assert found.weights_hashes == sampled(write_model(tmp_path / "plain")).weights_hashes
    assert found.tensors.notes[0] == f"{ranks} files of torch.distributed.checkpoint read"
    assert sorted(found.tensors.used) == sorted(name for name in found.tensors.used if " at " not in name)


def test_rows_and_columns_across_chunks(tmp_path):
    array = np.random.default_rng(0).normal(size=(11, 7)).astype(np.float32)
    tensors = open_tensors(
        LocalFolder(write_distributed(tmp_path / "d", {"w": array, "v": array[:, 0]}, ranks=3))
    )
    rows, columns = np.array([10, 0, 5, 5, 3]), np.array([6, 1])
    assert tensors.names() == ("v", "w")
    assert tensors.info("w").shape == (11, 7)
    assert (tensors.read("w") == array).all()
    assert (tensors.read("w", rows=rows, columns=columns) == array[rows][:, columns]).all()
    assert (tensors.read("w", rows=rows) == array[rows]).all()
    assert (tensors.read("v", rows=rows) == array[rows, 0]).all()
    with pytest.raises(IndexError):
        tensors.read("w", rows=np.array([11]))


def test_an_optimizer_is_never_read(tmp_path):
    tensors = neox() | {"optimizer.state.x.exp_avg": np.ones((100_000, 4), np.float32)}
    plain = sampled(write_config(write_distributed(tmp_path / "plain", neox())))
    found = sampled(write_config(write_distributed(tmp_path / "dcp", tensors)))
    assert found.weights_hashes == plain.weights_hashes
    assert found.bytes_read < plain.bytes_read + 1_000
    assert not [each for each in found.tensors.skipped if "optimizer" in each.name]


def test_a_run_of_them_is_a_series(tmp_path):
    for step in (10, 20):
        write_config(write_distributed(tmp_path / f"step-{step}", neox(step)))
    assert [point.step for point in open_series(str(tmp_path)).checkpoints] == [10, 20]


def test_the_folder_that_fsdp_of_accelerate_writes_is_entered(tmp_path):
    """Beside it lie the optimizer's folder and the state of the run; config.json stands outside."""
    model = {f"model.{name}": array for name, array in neox(3).items()}
    for step in (10, 20):
        folder = write_config(tmp_path / "run" / f"checkpoint-{step}")
        write_distributed(folder / "pytorch_model_fsdp_0", model)
        write_distributed(folder / "optimizer_0", {"optim.x": np.ones((2, 2), np.float32)})
        (folder / "random_states_0.pkl").write_bytes(b"")
    assert [point.step for point in open_series(str(tmp_path / "run")).checkpoints] == [10, 20]
    found = sampled(tmp_path / "run" / "checkpoint-10")
    assert found.weights_hashes == sampled(write_model(tmp_path / "plain", neox(3))).weights_hashes
    assert "read from the folder pytorch_model_fsdp_0" in found.tensors.notes


def test_fsdp_whose_metadata_is_refused_names_the_command_that_joins_it(tmp_path):
    write_distributed(write_config(tmp_path) / "pytorch_model_fsdp_0", neox(), change=asking)
    with pytest.raises(UnsafeFormat, match=r"asks for builtins.print.*accelerate merge-weights"):
        sampled(tmp_path)


@pytest.mark.parametrize("base", ["weight", "base_layer.weight"])
def test_an_adapter_in_chunks_is_not_left_out_silently(tmp_path, base):
    tensors, module = neox(), "gpt_neox.layers.0.attention.dense"
    tensors[f"{module}.{base}"] = tensors.pop(f"{module}.weight")
    for kind, shape in (("A", (2, 16)), ("B", (16, 2))):
        tensors[f"{module}.lora_{kind}.default.weight"] = np.ones(shape, np.float32)
    with pytest.raises(UnsupportedFormat, match="holds an adapter in files of torch.distributed.checkpoint"):
        sampled(write_config(write_distributed(tmp_path / "dcp", tensors)))


def test_fsdp_of_several_models_is_not_guessed_at(tmp_path):
    for number in range(2):
        write_distributed(write_config(tmp_path) / f"pytorch_model_fsdp_{number}", neox())
    with pytest.raises(CheckpointMissing, match="FSDP .*accelerate merge-weights"):
        sampled(tmp_path)


class Asking:
    """Asks for a call when it is unpickled."""

    def __reduce__(self):
        return print, ("run",)


def changed(**attributes):
    """Return a change of one chunk's place."""

    def change(whole, _):
        for place in whole.storage_data.values():
            place.__dict__.update(attributes)
        return whole

    return change


def cut(whole, _):
    for entry in whole.state_dict_metadata.values():
        if hasattr(entry, "chunks"):
            del entry.chunks[-1]
    return whole


def asking(whole, _):
    whole.planner_data = Asking()
    return whole


def making(whole, made):
    whole.planner_data = made("torch", "Generator")
    return whole


@pytest.mark.parametrize(
    ("change", "kind", "fault"),
    [
        (asking, UnsafeFormat, "asks for builtins.print"),
        (making, UnsafeFormat, "asks for torch.Generator"),
        (changed(relative_path="../__0_0.distcp"), UnsafeFormat, "only files beside it are read"),
        (
            changed(relative_path="__9_0.distcp"),
            CheckpointMissing,
            "lacks __9_0.distcp, which its metadata names",
        ),
        (changed(offset=10**9), CorruptFile, "lies outside the file"),
        (changed(offset=0), CorruptFile, "the metadata says|cannot be followed"),
        (changed(length="x"), CorruptFile, "does not describe tensor"),
        (cut, CorruptFile, "its chunks do not make up its shape"),
        (lambda whole, _: {"state": 1}, CorruptFile, "does not say which tensors there are"),
    ],
)
def test_metadata_that_lies_is_refused_and_nothing_of_it_run(tmp_path, capsys, change, kind, fault):
    folder = write_config(write_distributed(tmp_path / "dcp", neox(), change=change))
    with pytest.raises(kind, match=fault):
        sampled(folder)
    assert capsys.readouterr().out == ""


def test_records_are_for_the_metadata_alone(tmp_path):
    folder = write_distributed(tmp_path / "dcp", {"w": np.ones((2, 2), np.float32)})
    (folder / "pytorch_model.bin").write_bytes((folder / ".metadata").read_bytes())
    with pytest.raises(UnsafeFormat, match="bare pickle"):
        open_tensors(LocalFolder(folder))
