"""Which files of a folder hold its weights, and what lies there where none does."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from neuromfa.checkpoints.transport.folder import INDEX_FILES, LOOKED_FOR, SINGLE_FILES, Folder
from neuromfa.errors import CheckpointMissing

SHARD = re.compile(r"([A-Za-z0-9_.]+)-(\d{1,6})-of-(\d{1,6})\.(safetensors|bin)", re.ASCII)
SLICE = re.compile(r"consolidated\.(\d{2})\.pth", re.ASCII)
SUFFIXES = (".safetensors", ".bin", ".ckpt", ".pt", ".pth")
PREFERRED = ("ckpt.pt", "last.ckpt", "consolidated.safetensors", "consolidated.00.pth", "model.pt")
NO_WEIGHTS = (
    *("adapter_*", "optimizer*", "scheduler*", "rng_state*", "random_states*", "scaler*", "training_args*"),
    *("*optim*", "*_states.pt", "trainer_state*", "tokenizer*"),
)


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
    return has_usual_weights(folder) or bool(_candidates(folder.files())) or is_distributed(folder.files())


def has_usual_weights(folder: Folder) -> bool:
    """Tell whether a folder holds weights under a name that transformers gives."""
    return any(folder.has(filename) for filename in (*SINGLE_FILES, *INDEX_FILES))


def is_distributed(files: Iterable[str]) -> bool:
    """Tell whether files are those of a folder that torch.distributed.checkpoint writes."""
    names = set(files)
    return ".metadata" in names and any(name.endswith(".distcp") for name in names)


def unusual_files(folder: Folder) -> WeightFiles:
    """Return the weights of a folder that holds none under the names transformers gives.

    Raises
    ------
    CheckpointMissing
        No weights, several that could be meant, or a part of them; says what lies there and what to do.
    """
    candidates = _candidates(folder.files())
    if not candidates:
        raise CheckpointMissing(_without_weights(folder))
    shards = [name for name in candidates if SHARD.fullmatch(name)]
    if shards:
        return _shards_without_index(folder, shards)
    slices = [name for name in candidates if SLICE.fullmatch(name)]
    if len(slices) > 1:
        raise CheckpointMissing(
            f"{folder.name} holds {len(slices)} slices of every matrix ({slices[0]} ...), which are not joined here; "
            "transformers' convert_llama_weights_to_hf.py makes safetensors of them"
        )
    chosen = next((name for name in PREFERRED if name in candidates), candidates[0])
    if len(candidates) > 1 and chosen not in PREFERRED:
        raise CheckpointMissing(
            f"{folder.name} holds {len(candidates)} files that could be its weights ({', '.join(candidates[:8])}); "
            "keep one of them in a folder with its config.json"
        )
    return WeightFiles({chosen: frozenset()}, f"read from {chosen}")


def _candidates(files: Iterable[str]) -> list[str]:
    return sorted(
        name
        for name in files
        if name.endswith(SUFFIXES) and not any(fnmatchcase(name, pattern) for pattern in NO_WEIGHTS)
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
    return f"{folder.name} has no weights; looked for {LOOKED_FOR}, and for one .ckpt, .pt or .pth file"


def what_lies_in(folder: Folder) -> str | None:
    """Return what a folder without weights holds in their place and what to do with it, None when unknown."""
    names = [*folder.files(), *(f"{name}/" for name in folder.folders())]
    return next((told for fits, told in _KNOWN_HEAPS if fits(names)), None)


def _any(*patterns: str) -> Callable[[list[str]], bool]:
    """Return what tells whether one of some names fits one of the patterns; a folder's name ends with a slash."""
    return lambda names: any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


_KNOWN_HEAPS: tuple[tuple[Callable[[list[str]], bool], str], ...] = (
    (
        _any("pytorch_model_fsdp_*/"),
        "sharded training state of FSDP and no weights beside it; lay config.json into its folder "
        "pytorch_model_fsdp_0 and name that one, or run `accelerate merge-weights pytorch_model_fsdp_0 OUTPUT`, which "
        "makes safetensors of it",
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
        _any("*.gguf"),
        "a GGUF file, which is quantised and not read; take the model's safetensors",
    ),
    (
        _any("*.msgpack", "*.h5", "*.onnx", "*.tflite", "_METADATA", "_CHECKPOINT_METADATA"),
        "weights of Flax, TensorFlow or ONNX, which are not read; load and save the model in PyTorch",
    ),
)
