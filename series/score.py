"""Score the bundled checkpoints on held-out text and write `scores.csv` beside them: `python -m series.score`.

What a model of bytes can be asked without any download: the next byte of held-out files, over all places and over
three kinds of places. All series are asked the same, the one that learnt from shuffled bytes too.
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from series.corpus import read_corpus
from series.train import RECIPES, Recipe, heldout_windows, require_torch, say

WINDOWS = 2048
NAMES = ("step", "task", "metric", "value", "stderr")
WORD = np.frombuffer(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", np.uint8)
CLOSING = np.frombuffer(b")]}", np.uint8)
NEWLINE, SPACE = b"\n "

Windows = NDArray[np.int64]
Mask = NDArray[np.bool_]
Row = tuple[int, str, str, float, float]


def places(windows: Windows) -> dict[str, Mask]:
    """Choose the places of every task.

    Parameters
    ----------
    windows : shape (n, context + 1), bytes

    Returns
    -------
    chosen : for each task a mask of shape (n, context) over the bytes to be predicted
    """
    before, target = windows[:, :-1], windows[:, 1:]
    in_word = np.isin(before, WORD) & np.isin(target, WORD)
    return {
        "next_byte": np.ones(target.shape, np.bool_),
        "inside_words": in_word,
        "indentation": _line_begins(before),
        "closing_brackets": np.isin(target, CLOSING),
    }


def _line_begins(before: Windows) -> Mask:
    """Mark places where only spaces stand between the last line break in the window and the byte to come."""
    begins = np.zeros(before.shape, np.bool_)
    open_line = np.zeros(len(before), np.bool_)
    for k in range(before.shape[1]):
        open_line = (before[:, k] == NEWLINE) | (open_line & (before[:, k] == SPACE))
        begins[:, k] = open_line
    return begins


def rows_of(folder: Path, step: int, windows: Windows) -> Iterator[Row]:
    """Yield what one checkpoint scores: accuracy in every task, and the loss in nats a byte."""
    hits, losses = answers(folder, windows)
    for task, chosen in places(windows).items():
        n = int(chosen.sum())
        share = float(hits[chosen].mean())
        yield step, task, "acc", share, math.sqrt(share * (1 - share) / n)
    yield step, "next_byte", "loss", float(losses.mean()), float(losses.std() / math.sqrt(losses.size))


def answers(folder: Path, windows: Windows) -> tuple[Mask, NDArray[np.float32]]:
    """Return where the likeliest byte is the right one, and the loss, both of shape (n, context)."""
    import torch
    from transformers import GPTNeoXForCausalLM

    model = GPTNeoXForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    hits, losses = [], []
    with torch.no_grad():
        for part in torch.from_numpy(windows).split(256):
            logits = model(input_ids=part[:, :-1], use_cache=False).logits
            losses.append(
                torch.nn.functional.cross_entropy(logits.transpose(1, 2), part[:, 1:], reduction="none")
            )
            hits.append(logits.argmax(-1) == part[:, 1:])
    return torch.cat(hits).numpy(), torch.cat(losses).numpy()


def score(recipe: Recipe, windows: Windows, *, out: Path) -> Path:
    """Write the scores of one series into its folder."""
    path = out / recipe.name / "scores.csv"
    rows = [row for step in recipe.save_steps for row in rows_of(path.parent / f"step{step}", step, windows)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(NAMES)
        writer.writerows([*row[:3], f"{row[3]:.6g}", f"{row[4]:.3g}"] for row in rows)
    return path


def main() -> int:
    """Score all series."""
    require_torch()
    heldout = read_corpus().heldout
    for recipe in RECIPES.values():
        windows = heldout_windows(heldout, recipe=replace(recipe, heldout_windows=WINDOWS))
        say(f"wrote {score(recipe, windows, out=Path(__file__).parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
