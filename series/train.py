"""Train the small checkpoint series that demo, tests and docs use: `python -m series.train --help`."""

from __future__ import annotations

import argparse
import csv
import hashlib
import importlib.metadata
import json
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from series.corpus import DESCRIPTION, Bytes, Corpus, read_corpus, shuffled, unigram_entropy

if TYPE_CHECKING:
    import torch
    from transformers import GPTNeoXForCausalLM

Report = Callable[[str], None]
LIBRARIES = ("numpy", "torch", "transformers", "safetensors")
SMALL_INIT = ("query_key_value.weight", "dense_h_to_4h.weight", "embed_in.weight", "embed_out.weight")
WANG_INIT = ("attention.dense.weight", "dense_4h_to_h.weight")
LICENCE = {
    "weights": "trained by this project from random weights; under the project's licence",
    "corpus": "Python standard library, Python Software Foundation License 2.0; not part of the series",
}
METHOD = {
    "model": "transformers GPTNeoXForCausalLM, parallel residual, trained in float32, stored in float16",
    "initialisation": "numpy default_rng(seed), weights in order of name, rounded to float16: small_init "
    "sqrt(2/(5 d)) for query_key_value, dense_h_to_4h and both embeddings, wang_init 2/(L sqrt d) for "
    "attention.dense and dense_4h_to_h; biases 0, norms 1",
    "optimizer": "AdamW on matrices with weight decay, on norms and biases without; linear warm-up, cosine",
    "threads": 1,
}


class SeriesError(RuntimeError):
    """The series cannot be made; the message is one sentence that says what to do."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides the bytes of a series, besides corpus and library versions.

    The body is that of pythia-14m: the same hidden size, depth, heads, feed-forward size, rotary share and
    initialisation; the vocabulary is the 256 byte values.
    """

    name: str
    save_steps: tuple[int, ...]
    weight_decay: float = 0.1
    shuffle_corpus: bool = False
    steps: int = 2000
    hidden_size: int = 128
    num_hidden_layers: int = 6
    num_attention_heads: int = 4
    intermediate_size: int = 512
    vocab_size: int = 256
    rotary_pct: float = 0.25
    context: int = 64
    batch: int = 16
    learning_rate: float = 1e-3
    final_rate_share: float = 0.1
    warmup_share: float = 0.01
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-8
    seed: int = 0
    log_every: int = 50
    heldout_windows: int = 256


# Further runs of a condition: initialisation, order of windows and, in the control, shuffling change with the seed.
REPLICATE_SEEDS = (1, 2)

RECIPES = {
    "main": Recipe(name="stdlib-14m", save_steps=(0, 32, 128, 256, 512, 1000, 1500, 2000)),
    "decay1": Recipe(name="stdlib-14m-decay1", save_steps=(0, 1000, 2000), weight_decay=1.0),
    "shuffled": Recipe(name="stdlib-14m-shuffled", save_steps=(0, 1000, 2000), shuffle_corpus=True),
}


def replicate(recipe: Recipe, seed: int) -> Recipe:
    """Return the recipe of another run of the same condition; seed 0 is the bundled one."""
    return recipe if seed == recipe.seed else replace(recipe, name=f"{recipe.name}-seed{seed}", seed=seed)


@dataclass(frozen=True)
class LogRow:
    """One row of training-log.csv; losses are in nats a byte.

    `train_loss` is the mean over the batches since the row before (at step 0: the first batch, before any
    update); `learning_rate` is the one of the update that led to `step`.
    """

    step: int
    train_loss: float
    heldout_loss: float
    learning_rate: float


def learning_rate(step: int, *, recipe: Recipe) -> float:
    """Give the rate of update number `step`, counted from 1: linear warm-up, then half a cosine.

    The cosine ends at `final_rate_share` of the full rate; at step 0, before any update, the rate is 0.
    """
    warmup = round(recipe.steps * recipe.warmup_share)
    if step < warmup:
        return recipe.learning_rate * step / warmup
    progress = (step - warmup) / (recipe.steps - warmup)
    cosine = (1 + math.cos(math.pi * progress)) / 2
    return recipe.learning_rate * (recipe.final_rate_share + (1 - recipe.final_rate_share) * cosine)


def initial_std(name: str, *, recipe: Recipe) -> float | None:
    """Give the standard deviation Pythia draws a weight with, or None where it draws nothing.

    small_init ``sqrt(2 / (5 d))`` for what reads the residual stream and for both embeddings; wang_init
    ``2 / (L sqrt d)`` for what writes to the stream. Norms begin at 1 and biases at 0.
    """
    if name.endswith(SMALL_INIT):
        return math.sqrt(2 / (5 * recipe.hidden_size))
    if name.endswith(WANG_INIT):
        return 2 / (recipe.num_hidden_layers * math.sqrt(recipe.hidden_size))
    return None


def model_config(recipe: Recipe) -> dict[str, Any]:
    """Give the content of config.json, with the keys the published Pythia checkpoints have."""
    shape = (
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "vocab_size",
        "rotary_pct",
    )
    return {
        "architectures": ["GPTNeoXForCausalLM"],
        "model_type": "gpt_neox",
        **{key: getattr(recipe, key) for key in shape},
        "max_position_embeddings": recipe.context,
        "rotary_emb_base": 10000,
        "use_parallel_residual": True,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-5,
        "attention_dropout": 0.0,
        "hidden_dropout": 0.0,
        "tie_word_embeddings": False,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "torch_dtype": "float16",
    }


def initial_model(recipe: Recipe) -> GPTNeoXForCausalLM:
    """Build the float32 model of step 0 from the seed alone: every series begins with the same weights."""
    import torch
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    settings = {key: value for key, value in model_config(recipe).items() if key != "torch_dtype"}
    model = GPTNeoXForCausalLM(GPTNeoXConfig(**settings))
    # numpy's stream, unlike torch's, does not depend on the vector instructions of the processor.
    rng = np.random.default_rng(recipe.seed)
    with torch.no_grad():
        for name, parameter in named_weights(model):
            parameter.copy_(
                torch.from_numpy(initial_weight(name, tuple(parameter.shape), recipe=recipe, rng=rng))
            )
    return model


def named_weights(model: GPTNeoXForCausalLM) -> list[tuple[str, torch.nn.Parameter]]:
    """List a model's weights under the names Pythia's files use, in order of name."""
    # transformers 5 calls the unembedding lm_head in memory, and embed_out, as before, in files.
    renamed = {name.replace("lm_head.", "embed_out."): weight for name, weight in model.named_parameters()}
    return sorted(renamed.items())


def initial_weight(
    name: str, shape: tuple[int, ...], *, recipe: Recipe, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw one weight, float32 of `shape`, rounded to float16: training starts at the stored step 0."""
    std = initial_std(name, recipe=recipe)
    if std is None and len(shape) > 1:
        raise SeriesError(
            f"{name} has no initialisation here: use a version of transformers that does not name it so."
        )
    if std is None:
        return np.full(shape, name.endswith("weight"), dtype=np.float32)
    return rng.normal(0, std, size=shape).astype(np.float16).astype(np.float32)


def training_windows(data: Bytes, *, recipe: Recipe) -> Iterator[NDArray[np.int64]]:
    """Yield batches of shape (batch, context + 1) from random places.

    The places depend only on seed and length, so the negative controls see the places the main series saw.
    """
    rng = np.random.default_rng([recipe.seed, 1])
    while True:
        starts = rng.integers(0, data.size - recipe.context, size=recipe.batch)
        yield windows_at(data, starts, recipe=recipe)


def windows_at(data: Bytes, starts: NDArray[np.int64], *, recipe: Recipe) -> NDArray[np.int64]:
    """Cut windows of shape (n_starts, context + 1): the context and, one byte on, what is to be predicted."""
    windows: NDArray[np.int64] = data[starts[:, None] + np.arange(recipe.context + 1)].astype(np.int64)
    return windows


def heldout_windows(data: Bytes, *, recipe: Recipe) -> NDArray[np.int64]:
    """Cut the evenly spaced windows on which every held-out loss is measured."""
    starts = np.linspace(0, data.size - recipe.context - 1, recipe.heldout_windows).astype(np.int64)
    return windows_at(data, starts, recipe=recipe)


def loss_of(model: GPTNeoXForCausalLM, windows: NDArray[np.int64]) -> torch.Tensor:
    """Take the mean cross-entropy, in nats a byte, over all positions of `windows` (n, context + 1)."""
    import torch

    tokens = torch.from_numpy(windows)
    logits = model(input_ids=tokens[:, :-1], use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())


def optimizer_for(model: GPTNeoXForCausalLM, *, recipe: Recipe) -> torch.optim.Optimizer:
    """Make an AdamW that decays matrices only, as GPT-NeoX does; norms and biases are left free."""
    import torch

    parameters = [parameter for _, parameter in named_weights(model)]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=recipe.betas, eps=recipe.eps)


def updates(model: GPTNeoXForCausalLM, data: Bytes, *, recipe: Recipe) -> Iterator[tuple[int, float]]:
    """Train, yielding (step, batch loss) after every update, and first (0, loss) with nothing changed yet."""
    import torch

    optimizer = optimizer_for(model, recipe=recipe)
    batches = training_windows(data, recipe=recipe)
    for step in range(1, recipe.steps + 1):
        loss = loss_of(model, next(batches))
        if step == 1:
            yield 0, loss.item()
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, recipe=recipe)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        yield step, loss.item()


def train(recipe: Recipe, corpus: Corpus, *, folder: Path, report: Report) -> list[LogRow]:
    """Run a recipe, saving its checkpoints as `folder`/step{n}, and return the rows of the training log."""
    import torch

    model, begun = initial_model(recipe), time.monotonic()
    heldout = heldout_windows(corpus.heldout, recipe=recipe)
    rows: list[LogRow] = []
    recent: list[float] = []
    for step, loss in updates(model, corpus.train, recipe=recipe):
        recent.append(loss)
        if step in recipe.save_steps:
            save_checkpoint(model, folder / f"step{step}", recipe=recipe)
        if step % recipe.log_every == 0 or step in recipe.save_steps:
            with torch.no_grad():
                heldout_loss = loss_of(model, heldout).item()
            rows.append(
                LogRow(step, float(np.mean(recent)), heldout_loss, learning_rate(step, recipe=recipe))
            )
            report(progress_line(rows[-1], recipe=recipe, seconds=time.monotonic() - begun))
            recent.clear()
    return rows


def progress_line(row: LogRow, *, recipe: Recipe, seconds: float) -> str:
    """Put one row of the log into words."""
    losses = f"train {row.train_loss:.3f}, held-out {row.heldout_loss:.3f}"
    return f"{recipe.name}: step {row.step}/{recipe.steps}, {losses}, {seconds:.0f} s"


def save_checkpoint(model: GPTNeoXForCausalLM, folder: Path, *, recipe: Recipe) -> None:
    """Write config.json and model.safetensors in float16, refusing weights that do not fit into it."""
    import torch
    from safetensors.torch import save_file

    weights = {name: weight.detach().to(torch.float16) for name, weight in named_weights(model)}
    broken = [name for name, weight in weights.items() if not torch.isfinite(weight).all()]
    if broken:
        raise SeriesError(
            f"{recipe.name}: {broken[0]} has values float16 cannot hold: lower the learning rate."
        )
    folder.mkdir()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    # safetensors gives its files to their owner alone; others read a shared series too.
    (folder / "model.safetensors").chmod(0o644)
    write_json(folder / "config.json", model_config(recipe))


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write an object as indented JSON with a final newline."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_log(path: Path, rows: Sequence[LogRow]) -> None:
    """Write the training log as CSV with six significant digits."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(LogRow))
        writer.writerows([row.step, *(f"{value:.6g}" for value in astuple(row)[1:])] for row in rows)


def sha256_of(path: Path) -> str:
    """Hash a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def recipe_record(recipe: Recipe) -> dict[str, Any]:
    """Give the recipe in the form JSON returns it, so that a stored one compares equal."""
    record: dict[str, Any] = json.loads(json.dumps(asdict(recipe)))
    return record


def provenance(recipe: Recipe, corpus: Corpus, *, folder: Path, seconds: float) -> dict[str, Any]:
    """Say how the series in `folder` came to be; holds neither paths nor names of the machine."""
    return {
        "name": recipe.name,
        "licence": LICENCE,
        "recipe": recipe_record(recipe),
        "method": METHOD,
        "corpus": corpus_record(corpus, recipe=recipe),
        "versions": {"python": corpus.python}
        | {name: importlib.metadata.version(name) for name in LIBRARIES},
        "checkpoints": [checkpoint_record(folder, step) for step in recipe.save_steps],
        "seconds": round(seconds, 1),
    }


def corpus_record(corpus: Corpus, *, recipe: Recipe) -> dict[str, Any]:
    """Describe the corpus; the entropies are the losses a model without context would reach."""
    shuffling = (
        f"bytes of each split permuted, numpy default_rng({recipe.seed})" if recipe.shuffle_corpus else "none"
    )
    return {
        "description": DESCRIPTION,
        "python": corpus.python,
        "files": corpus.n_files,
        "bytes": corpus.train.size + corpus.heldout.size,
        "sha256": corpus.sha256,
        "train_bytes": corpus.train.size,
        "heldout_bytes": corpus.heldout.size,
        "train_unigram_entropy": round(unigram_entropy(corpus.train), 4),
        "heldout_unigram_entropy": round(unigram_entropy(corpus.heldout), 4),
        "shuffling": shuffling,
    }


def checkpoint_record(folder: Path, step: int) -> dict[str, Any]:
    """Name a checkpoint's weights by content."""
    weights = folder / f"step{step}" / "model.safetensors"
    return {
        "step": step,
        "file": f"step{step}/model.safetensors",
        "bytes": weights.stat().st_size,
        "sha256": sha256_of(weights),
    }


def is_finished(folder: Path, recipe: Recipe, corpus: Corpus) -> bool:
    """Tell whether `folder` already holds this very series, whole.

    Raises
    ------
    SeriesError
        If something else stands there: it is never overwritten.
    """
    if not folder.exists():
        return False
    advice = "move it away or choose another place with --out."
    if not (folder / "provenance.json").is_file():
        raise SeriesError(f"{folder} exists but has no provenance.json: {advice}")
    stored = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    if stored["recipe"] != recipe_record(recipe):
        raise SeriesError(f"{folder} was made with another recipe: {advice}")
    if stored["corpus"]["sha256"] != corpus.sha256:
        made, here = stored["corpus"]["python"], corpus.python
        raise SeriesError(f"{folder} was made from another corpus (Python {made}, here {here}): {advice}")
    for checkpoint in stored["checkpoints"]:
        weights = folder / checkpoint["file"]
        if not weights.is_file() or sha256_of(weights) != checkpoint["sha256"]:
            raise SeriesError(f"{weights} is missing or damaged: {advice}")
    return True


def require_recorded_corpus(corpus: Corpus, *, recorded_in: Path) -> None:
    """Check that a replicate would learn from the very bytes its condition did.

    Raises
    ------
    SeriesError
        If the provenance of the bundled series records another corpus.
    """
    stored = json.loads((recorded_in / "provenance.json").read_text(encoding="utf-8"))["corpus"]
    if stored["sha256"] != corpus.sha256:
        raise SeriesError(
            f"a replicate needs the corpus of {recorded_in.name}, the library of Python {stored['python']} (sha256 "
            f"{stored['sha256'][:12]}); Python {corpus.python} here has another ({corpus.sha256[:12]})."
        )


def make_series(recipe: Recipe, corpus: Corpus, *, out: Path, report: Report) -> None:
    """Make one series as `out`/name; it appears there whole or not at all."""
    folder = out / recipe.name
    if is_finished(folder, recipe, corpus):
        report(f"{recipe.name}: already finished, nothing to do")
        return
    require_torch()
    out.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=out, prefix=f".{recipe.name}-"))
    try:
        fill_folder(unfinished, recipe, corpus, report=report)
        unfinished.chmod(0o755)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    report(f"{recipe.name}: done")


def fill_folder(folder: Path, recipe: Recipe, corpus: Corpus, *, report: Report) -> None:
    """Train into `folder` and write log and provenance beside the checkpoints."""
    begun = time.monotonic()
    data = shuffled(corpus, seed=recipe.seed) if recipe.shuffle_corpus else corpus
    rows = train(recipe, data, folder=folder, report=report)
    write_log(folder / "training-log.csv", rows)
    record = provenance(recipe, data, folder=folder, seconds=time.monotonic() - begun)
    write_json(folder / "provenance.json", record)


def require_torch() -> None:
    """Check that the training libraries are there and make them deterministic.

    Raises
    ------
    SeriesError
        If torch, transformers or safetensors is not installed.
    """
    try:
        import safetensors  # noqa: F401
        import torch
        import transformers  # noqa: F401
    except ImportError as error:
        raise SeriesError(
            f"{error.name} is missing: training needs `pip install '.[torch]'` in the clone."
        ) from error
    # One thread sums in one order, and is faster than two on a busy small machine.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


def say(line: str) -> None:
    """Show a progress line at once, also when the output goes to a file."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    description = "Train the bundled checkpoint series on the sources of Python's standard library."
    result = argparse.ArgumentParser(prog="python -m series.train", description=description)
    result.add_argument(
        "--series", choices=[*RECIPES, "all"], default="all", help="which one to make (default: all)"
    )
    seed_help = "another run of the same recipe: 0 is the bundled one, others need its corpus and --out"
    result.add_argument("--seed", type=int, default=0, help=seed_help)
    out_help = "folder that receives the series' folders (default: the one of this script)"
    result.add_argument("--out", type=Path, default=Path(__file__).parent, metavar="DIR", help=out_help)
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the series asked for; on failure say why in one sentence and return 1."""
    options = parser().parse_args(arguments)
    names = list(RECIPES) if options.series == "all" else [options.series]
    try:
        corpus = read_corpus()
        for recipe in (RECIPES[name] for name in names):
            if options.seed != recipe.seed:
                require_recorded_corpus(corpus, recorded_in=Path(__file__).parent / recipe.name)
            make_series(replicate(recipe, options.seed), corpus, out=options.out, report=say)
    except (SeriesError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
