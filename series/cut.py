"""Cut the small series that travels in the wheel out of the bundled one: `python -m series.cut`.

Three steps and the first two blocks of the main series, embeddings and all, so that every folder still is a checkpoint
that transformers loads. No weight is changed. The same input gives the same bytes again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from safetensors import numpy as safetensors

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "series" / "stdlib-14m"
TARGET = ROOT / "neuromfa" / "data" / "series" / "stdlib-14m-2-blocks"
STEPS, BLOCKS = (0, 512, 2000), 2
BLOCK_PREFIX = "gpt_neox.layers."


def main(target: Path = TARGET) -> None:
    """Write the series anew, with its provenance."""
    shutil.rmtree(target, ignore_errors=True)
    for step in STEPS:
        cut(SOURCE / f"step{step}", target / f"step{step}")
    (target / "provenance.json").write_text(_json(provenance(target)), encoding="utf-8")


def cut(source: Path, target: Path) -> None:
    """Write a checkpoint with the first blocks of another one."""
    target.mkdir(parents=True)
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    (target / "config.json").write_text(_json(config | {"num_hidden_layers": BLOCKS}), encoding="utf-8")
    tensors = safetensors.load_file(source / "model.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if _is_kept(name)}
    safetensors.save_file(kept, target / "model.safetensors", metadata={"format": "pt"})
    (target / "model.safetensors").chmod(0o644)  # it is written for its owner only, and a wheel keeps that


def provenance(target: Path) -> dict[str, object]:
    """Return where the weights are from: the recipe of the whole series, and what was left out of it."""
    whole = json.loads((SOURCE / "provenance.json").read_text(encoding="utf-8"))
    return {
        "name": target.name,
        "cut_from": f"series/{SOURCE.name}: the first {BLOCKS} of its {whole['recipe']['num_hidden_layers']} "
        "blocks and the embeddings, unchanged, by series/cut.py",
        "licence": whole["licence"],
        "recipe": whole["recipe"],
        "corpus": whole["corpus"],
        "checkpoints": [_record(target / f"step{step}" / "model.safetensors", step) for step in STEPS],
    }


def _is_kept(name: str) -> bool:
    if not name.startswith(BLOCK_PREFIX):
        return True
    return int(name.removeprefix(BLOCK_PREFIX).partition(".")[0]) < BLOCKS


def _record(path: Path, step: int) -> dict[str, object]:
    content = path.read_bytes()
    name = f"{path.parent.name}/{path.name}"
    return {"step": step, "file": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _json(record: object) -> str:
    return json.dumps(record, indent=2) + "\n"


if __name__ == "__main__":
    main()
