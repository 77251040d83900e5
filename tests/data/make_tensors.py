"""Makes tests/data/tensors with torch itself: one set of numbers in every format, and what torch reads from it.

Run by hand where torch is installed: ``python tests/data/make_tensors.py``. The tests need the files, not torch.
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).with_name("tensors")
NUMBERS = 96
SPECIAL = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    float("inf"),
    float("-inf"),
    float("nan"),
    1e-45,
    1e-40,
    6e-8,
    65504.0,
    3.3e38,
]


def values(dtype: torch.dtype) -> torch.Tensor:
    """Return specials, denormals among them, and random numbers, shape (12, 9)."""
    generator = torch.Generator().manual_seed(7)
    numbers = torch.randn(NUMBERS, generator=generator, dtype=torch.float64)
    scales = torch.logspace(-8, 4, NUMBERS, dtype=torch.float64)
    return torch.cat([torch.tensor(SPECIAL, dtype=torch.float64), numbers * scales]).to(dtype).reshape(12, 9)


def plain() -> dict[str, torch.Tensor]:
    """Return what every container can hold."""
    tensors = {name: values(getattr(torch, name)) for name in ("float64", "float32", "float16", "bfloat16")}
    tensors["kernel"] = torch.randn(5, 4, 3, 3, generator=torch.Generator().manual_seed(8)).to(torch.bfloat16)
    tensors["bias"] = values(torch.float16).flatten()[:17].clone()
    tensors["scalar"] = torch.tensor(2.5)
    tensors["counts"] = torch.arange(-3, 4)
    tensors["mask"] = torch.tensor([[True, False], [False, True]])
    return tensors


def eight_bit() -> dict[str, torch.Tensor]:
    """Return all 256 bit patterns of both 8-bit floats."""
    bits = torch.arange(256, dtype=torch.uint8)
    return {name: bits.view(getattr(torch, name)).clone() for name in ("float8_e4m3fn", "float8_e5m2")}


def views() -> dict[str, torch.Tensor]:
    """Return tensors that share storages or lie across them, as a ``.bin`` may hold them."""
    base = torch.arange(60, dtype=torch.float32).reshape(6, 10) / 7
    return {
        "tied.first": base,
        "tied.second": base,
        "transposed": base.t(),
        "inner": base[1:5, 2:9],
        "every_second": base[::2, ::3],
        "parameter": torch.nn.Parameter(base[3].clone()),
        "permuted": torch.arange(24, dtype=torch.float16).reshape(2, 3, 4).permute(2, 0, 1),
    }


def write_shards(folder: Path, tensors: dict[str, torch.Tensor], single: str) -> None:
    """Write two shards and the index that Hugging Face models have."""
    folder.mkdir(parents=True, exist_ok=True)
    stem, suffix = single.rsplit(".", 1)
    weight_map = {}
    for number in (1, 2):
        shard = f"{stem}-0000{number}-of-00002.{suffix}"
        part = {
            name: tensor for place, (name, tensor) in enumerate(tensors.items()) if place % 2 == number - 1
        }
        save_file(part, folder / shard) if suffix == "safetensors" else torch.save(part, folder / shard)
        weight_map |= dict.fromkeys(part, shard)
    index = {"metadata": {"total_size": 0}, "weight_map": weight_map}
    (folder / f"{single}.index.json").write_text(json.dumps(index, indent=1) + "\n")


def main() -> None:
    """Write every container and the numbers torch sees in them."""
    for name in ("safetensors", "zip", "legacy"):
        (FOLDER / name).mkdir(parents=True, exist_ok=True)
    save_file(plain() | eight_bit(), FOLDER / "safetensors" / "model.safetensors")
    torch.save(plain() | eight_bit() | views(), FOLDER / "zip" / "pytorch_model.bin")
    torch.save(
        plain() | views(), FOLDER / "legacy" / "pytorch_model.bin", _use_new_zipfile_serialization=False
    )
    write_shards(FOLDER / "sharded", plain(), "model.safetensors")
    write_shards(FOLDER / "sharded_bin", plain(), "pytorch_model.bin")
    seen = {
        name: tensor.detach().to(torch.float64).contiguous().numpy()
        for name, tensor in (plain() | eight_bit() | views()).items()
    }
    np.savez_compressed(FOLDER / "expected_float64.npz", **seen)


if __name__ == "__main__":
    main()
