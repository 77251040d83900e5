"""Which files of a folder hold its weights, and what lies there where none does."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from neuromfa.checkpoints.transport.folder import INDEX_FILES, LOOKED_FOR, SINGLE_FILES, Folder, shown
from neuromfa.checkpoints.transport.step_names import step_name
from neuromfa.errors import CheckpointMissing, SourceError

SHARD = re.compile(r"([A-Za-z0-9_.]+)-(\d{1,6})-of-(\d{1,6})\.(safetensors|bin)", re.ASCII)
SLICE = re.compile(r"consolidated\.(\d{2})\.pth", re.ASCII)
SUFFIXES = (".safetensors", ".bin", ".ckpt", ".pt", ".pth")
PREFERRED = ("ckpt.pt", "last.ckpt", "consolidated.safetensors", "consolidated.00.pth", "model.pt")
NO_WEIGHTS = (
    *("adapter_*", "optimizer*", "scheduler*", "rng_state*", "random_states*", "scaler*", "training_args*"),
    *("*optim*", "*_states.pt", "trainer_state*", "tokenizer*"),
)

FSDP_FOLDER = "pytorch_model_fsdp_*"
MERGE_FSDP = "`accelerate merge-weights pytorch_model_fsdp_0 OUTPUT`"
MOST_LOOKED_INTO, MOST_NAMED = 8, 12


@dataclass(frozen=True)
class WeightFiles:
    """The files that hold the tensors of a folder.

    Attributes
    ----------
    promised : for each file the tensor names an index says it holds; empty without an index
    note : what a reader of the result should know of the choice, None where it is the usual one
    """

    promised: dict[str, frozenset[str]]
    note: str | None = None


def has_weights(folder: Folder) -> bool:
    """Tell whether a folder holds files of weights, or a part of them."""
    return lists_weights(folder) or has_usual_weights(folder)


def lists_weights(folder: Folder) -> bool:
    """Tell the same by the listing of the folder alone, where asking for each file costs a request."""
    files = folder.files()
    return bool(
        candidates(files) or set(INDEX_FILES) & set(files) or is_distributed(files) or fsdp_inside(folder)
    )


def has_usual_weights(folder: Folder) -> bool:
    """Tell whether a folder holds weights under a name that transformers gives."""
    return any(folder.has(filename) for filename in (*SINGLE_FILES, *INDEX_FILES))


def is_distributed(files: Iterable[str]) -> bool:
    """Tell whether files are those of a folder that torch.distributed.checkpoint writes."""
    names = set(files)
    return ".metadata" in names and any(name.endswith(".distcp") for name in names)


def fsdp_inside(folder: Folder) -> Folder | None:
    """Return the folder inside, as Accelerate lays it out, in which torch.distributed.checkpoint wrote the model."""
    names = [name for name in folder.folders() if fnmatchcase(name, FSDP_FOLDER)]
    inside = folder.inside(names[0]) if len(names) == 1 else None
    return inside if inside is not None and is_distributed(inside.files()) else None


def unusual_files(folder: Folder) -> WeightFiles:
    """Return the weights of a folder that holds none under the names transformers gives.

    Raises
    ------
    CheckpointMissing
        No weights, several that could be meant, or a part of them; says what lies there and what to do.
    """
    found = candidates(folder.files())
    if not found:
        raise CheckpointMissing(_without_weights(folder))
    shards = [name for name in found if SHARD.fullmatch(name)]
    if shards:
        return _shards_without_index(folder, shards)
    slices = [name for name in found if SLICE.fullmatch(name)]
    if len(slices) > 1:
        raise CheckpointMissing(
            f"{folder.name} holds {len(slices)} slices of every matrix ({slices[0]} ...), which are not joined here; "
            "transformers' convert_llama_weights_to_hf.py makes safetensors of them"
        )
    chosen = next((name for name in PREFERRED if name in found), found[0])
    if len(found) > 1 and chosen not in PREFERRED:
        raise CheckpointMissing(
            f"{folder.name} holds {len(found)} files that could be its weights ({', '.join(found[:8])}); "
            "keep one of them in a folder with its config.json, or tell with --naming where the step stands in them"
        )
    others = [name for name in found if name != chosen]
    beside = f"; also there and not read: {', '.join(others[:8])}" if others else ""
    return WeightFiles({chosen: frozenset()}, f"read from {chosen}{beside}")


def candidates(files: Iterable[str]) -> list[str]:
    """Return the files that can hold weights, by their names."""
    return sorted(
        name
        for name in files
        if name.endswith(SUFFIXES)
        and not name.startswith(".")
        and not any(fnmatchcase(name, pattern) for pattern in NO_WEIGHTS)
    )


def _shards_without_index(folder: Folder, shards: list[str]) -> WeightFiles:
    """Return all shards of one set, numbered from 1 to the count their names tell."""
    parts = [found.groups() for name in shards if (found := SHARD.fullmatch(name))]
    sets = {(stem, count, suffix) for stem, _, count, suffix in parts}
    if len(sets) > 1:
        raise CheckpointMissing(
            f"{folder.name} holds shards of {len(sets)} sets and no index that tells which to read; "
            "keep the shards of one set"
        )
    ((_, count, _),) = sets
    missing = sorted(set(range(1, int(count) + 1)) - {int(number) for _, number, _, _ in parts})
    if missing:
        raise CheckpointMissing(
            f"{folder.name} has no index and lacks shard {missing[0]} of {int(count)}; fetch the missing shards"
        )
    return WeightFiles(
        {name: frozenset() for name in shards}, f"{len(shards)} shards read by their names: there is no index"
    )


def _without_weights(folder: Folder) -> str:
    lies = what_lies_in(folder)
    if lies is not None:
        return f"{folder.name} holds {lies}"
    return (
        f"{folder.name} has no weights; looked for {LOOKED_FOR}, and for one .ckpt, .pt or .pth file; "
        f"{held_by(folder)}"
    )


def weights_inside(folder: Folder, name: str, *, or_steps: bool = False) -> bool:
    """Tell whether a folder inside lists weights, or steps too; one that cannot be looked into ends nothing."""
    inside = folder.inside(name)
    try:
        return lists_weights(inside) or (or_steps and any(map(step_name, inside.folders())))
    except SourceError:
        return False


def held_by(folder: Folder) -> str:
    """Return what a folder holds in place of what was looked for: the folder inside that has it, or the names."""
    for name in folder.folders()[:MOST_LOOKED_INTO]:
        if weights_inside(folder, name, or_steps=True):
            return f"its folder {shown(name)} holds weights or steps: name that one"
    names = [*(f"{name}/" for name in folder.folders()), *folder.files()]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"there is {', '.join(map(shown, names[:MOST_NAMED])) or 'nothing'}{more}"


def what_lies_in(folder: Folder) -> str | None:
    """Return what a folder without weights holds in their place and what to do with it, None when unknown."""
    names = [*folder.files(), *(f"{name}/" for name in folder.folders())]
    return next((told for fits, told in _KNOWN_HEAPS if fits(names)), None)


def _any(*patterns: str) -> Callable[[list[str]], bool]:
    """Return what tells whether one of some names fits one of the patterns; a folder's name ends with a slash."""
    return lambda names: any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


_KNOWN_HEAPS: tuple[tuple[Callable[[list[str]], bool], str], ...] = (
    (
        _any(f"{FSDP_FOLDER}/"),
        f"sharded training state of FSDP and no weights beside it; run {MERGE_FSDP}, which makes safetensors of it",
    ),
    (
        _any("zero_to_fp32.py", "global_step*/", "*zero_pp_rank_*", "bf16_zero_pp_rank_*"),
        "sharded training state of DeepSpeed ZeRO and no weights; run `python zero_to_fp32.py . OUTPUT` in the "
        "folder that holds zero_to_fp32.py, which makes weights of it",
    ),
    (
        _any("layer_*_states.pt"),
        "layers of a DeepSpeed pipeline (GPT-NeoX), each in files of its own; run GPT-NeoX's "
        "`python tools/ckpts/convert_neox_to_hf.py`, which makes weights of them",
    ),
    (
        _any("mp_rank_*", "mp_rank_*/", "model_optim_rng.pt", "distrib_optim.pt"),
        "shards of Megatron-LM (or DeepSpeed) and no joined weights; run Megatron-LM's "
        "`python tools/checkpoint/convert.py`, which makes weights of them",
    ),
    (
        _any("*.nemo", "model_weights/", "model_weights.ckpt"),
        "a checkpoint of NeMo; run NeMo's `scripts/checkpoint_converters/convert_*_nemo_to_hf.py`, which makes "
        "safetensors of it",
    ),
    (
        _any("adapter_model.*", "adapter_config.json"),
        "an adapter only, without the model it changes; merge it with peft's `merge_and_unload()` and save the "
        "model, or lay the base weights and the adapter's factors into one file",
    ),
    (
        _any("*.distcp"),
        "files of torch.distributed.checkpoint without the .metadata that tells what lies in them; fetch that too",
    ),
    (
        _any("model_index.json"),
        "a pipeline of diffusers, whose models lie in folders of their own; name the folder of one of them",
    ),
    (
        _any("*.part", "*.partial", "*.incomplete", "*.crdownload", "*.aria2", "*.tmp"),
        "a download or a save that has not come to its end; let it finish, or start it again",
    ),
    (
        _any("*.safetensors.dvc", "*.bin.dvc", "*.pt.dvc"),
        "pointers of DVC in place of the files; run `dvc pull`",
    ),
    (
        _any("*.tar", "*.tar.gz", "*.tgz", "*.tar.zst", "*.zip"),
        "an archive and no weights beside it; unpack it",
    ),
    (
        _any("*.gguf"),
        "a GGUF file, which is quantised and not read; take the model's safetensors",
    ),
    (
        _any(
            *("*.msgpack", "*.h5", "*.keras", "*.onnx", "*.tflite", "*.npz", "*.pdparams", "*.mlpackage/"),
            *("openvino_model.xml", "*.engine", "_METADATA", "_CHECKPOINT_METADATA"),
        ),
        "weights of Flax, TensorFlow, ONNX or another program, which are not read; load and save the model in PyTorch",
    ),
)
