"""How often the verdict errs: on random weights of a trained checkpoint's own distribution, and on planted structure.

A trial takes the last checkpoint of the main series, permutes the entries of every stored part of every matrix, and,
where structure is planted, multiplies the weights of each source neuron by a log-normal factor. It is then written as
a checkpoint and measured as any other, with 10 samples of 64 neurons.
"""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from evidence.bundled import SERIES
from neuromfa.analysis import sample
from neuromfa.beyond_scale import paired_effect, verdict_of
from neuromfa.checkpoints import open_series
from neuromfa.options import AnalysisOptions

SOURCE = SERIES / "stdlib-14m" / "step2000"
MATRICES = ("query_key_value.weight", "dense.weight", "dense_h_to_4h.weight", "dense_4h_to_h.weight")
OPTIONS = AnalysisOptions()
SAMPLES = (3, 5, 10)
PLANTED = (0.0, 0.03, 0.05)
TRIALS = 200

Array = npt.NDArray[Any]


def rates(
    trials: int = TRIALS, *, planted: tuple[float, ...] = PLANTED, tell: Callable[[str], None] = print
) -> list[dict[str, Any]]:
    """Return the share of every answer for each planted deviation and number of samples."""
    found = []
    for deviation in planted:
        answers = {n: Counter[str]() for n in SAMPLES}
        for trial in range(trials):
            for n, answer in answers_of(trial, deviation).items():
                answers[n][answer] += 1
        for n, counts in answers.items():
            shares = {answer: counts[answer] / trials for answer in ("yes", "no", "undecided")}
            found.append({"planted": deviation, "samples": n, "trials": trials, **shares})
            tell(str(found[-1]))
    return found


def answers_of(trial: int, deviation: float) -> dict[int, str]:
    """Return the verdict of one trial from its first 3, 5 and all 10 samples."""
    with TemporaryDirectory() as folder:
        made = write_random(
            Path(folder) / "step2000", np.random.default_rng([trial, round(1000 * deviation)]), deviation
        )
        networks = sample(open_series(str(made.parent)).at(2000), OPTIONS).networks
        samples = paired_effect(networks, OPTIONS)
    verdicts = {n: verdict_of(samples[:n], networks[:n], baseline=None).structure.answer for n in SAMPLES}
    return {n: answer or "none" for n, answer in verdicts.items()}


def write_random(folder: Path, draw: np.random.Generator, deviation: float) -> Path:
    """Write a checkpoint whose weights are those of the main series in random order, with planted source scales."""
    folder.mkdir()
    shutil.copy(SOURCE / "config.json", folder)
    heads = json.loads((SOURCE / "config.json").read_text())["num_attention_heads"]
    arrays = load_file(SOURCE / "model.safetensors")
    for name, weights in arrays.items():
        if name.endswith(MATRICES):
            arrays[name] = _random(
                weights, draw, deviation, heads=heads if "query_key_value" in name else None
            )
    save_file(arrays, folder / "model.safetensors")
    return folder


def _random(
    weights: np.ndarray[Any, Any], draw: np.random.Generator, deviation: float, *, heads: int | None
) -> np.ndarray[Any, Any]:
    """Return a matrix (targets, sources) with the entries of every stored part in random order."""
    parts = weights.reshape(heads, 3, -1, weights.shape[1]) if heads else weights[np.newaxis, np.newaxis]
    moved = np.stack(
        [draw.permutation(part.ravel()).reshape(part.shape) for part in np.moveaxis(parts, 1, 0)], axis=1
    )
    scales = np.exp(deviation * draw.normal(size=weights.shape[1]))
    return np.ascontiguousarray(
        (np.stack(moved, axis=1).reshape(weights.shape) * scales).astype(weights.dtype)
    )
