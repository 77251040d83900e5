"""Runs of the bundled conditions with other seeds, and whether conditions differ beyond run-to-run noise.

`python -m evidence.replicates FOLDER` measures trained replicates (series/README.md) and publishes the numbers of each
as series/replicates/NAME.json with its last checkpoint; `compared` sets the published runs beside each other.
"""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from evidence.bundled import SERIES
from neuromfa.analysis import analyze
from neuromfa.checkpoints import open_series
from neuromfa.comparison import Group, Source, compare
from neuromfa.options import AnalysisOptions
from neuromfa.results import SeriesResult, from_json, to_json
from series.train import RECIPES, REPLICATE_SEEDS, replicate

PUBLISHED = SERIES / "replicates"


def measure(trained: Path) -> None:
    """Publish every run: the bundled ones from their folders, the replicates from `trained`."""
    PUBLISHED.mkdir(exist_ok=True)
    for recipe in RECIPES.values():
        for seed in (recipe.seed, *REPLICATE_SEEDS):
            name = replicate(recipe, seed).name
            folder = SERIES / name if seed == recipe.seed else trained / name
            result = analyze(open_series(str(folder)), AnalysisOptions())
            (PUBLISHED / f"{name}.json").write_text(to_json(_slim(result)) + "\n", encoding="utf-8")
            if seed != recipe.seed:
                _publish_last(folder, PUBLISHED / name, step=recipe.steps)
            print(f"{name}: {result.verdict.sentence if result.verdict else 'no verdict'}", flush=True)


def _slim(result: SeriesResult) -> SeriesResult:
    """Return a result without the long lists of its spectra."""
    return replace(result, checkpoints=[replace(one, dimensions=[]) for one in result.checkpoints])


def _publish_last(folder: Path, out: Path, *, step: int) -> None:
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(folder / f"step{step}", out / f"step{step}")
    for name in ("provenance.json", "training-log.csv"):
        shutil.copy(folder / name, out)


def groups() -> dict[str, list[str]]:
    """Return the runs of every condition, by the name of its bundled series."""
    return {
        recipe.name: [replicate(recipe, seed).name for seed in (recipe.seed, *REPLICATE_SEEDS)]
        for recipe in RECIPES.values()
    }


def compared() -> dict[str, Any]:
    """Return between-run values of every condition at the last step, and how the conditions differ."""
    runs = [name for names in groups().values() for name in names]
    results = [from_json(SeriesResult, (PUBLISHED / f"{name}.json").read_bytes()) for name in runs]
    found = compare(
        [replace(Source.of(result), id=name) for name, result in zip(runs, results, strict=True)],
        groups=[Group(name, tuple(names)) for name, names in groups().items()],
    )
    return {
        "groups": [json.loads(to_json(group)) for group in found.groups],
        "pairs": [json.loads(to_json(pair)) for pair in found.group_pairs],
        "runs": {result.id: result.verdict and result.verdict.g for result in found.series},
    }


if __name__ == "__main__":
    measure(Path(sys.argv[1]))
