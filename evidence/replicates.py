"""Runs of the bundled conditions with other seeds, and whether conditions differ beyond run-to-run noise.

`python -m evidence.replicates FOLDER` measures trained replicates (series/README.md) and publishes the numbers of each
as series/replicates/NAME.json with its last checkpoint; `compared` sets the published runs beside each other.
"""

import shutil
from dataclasses import replace
from pathlib import Path

from evidence.bundled import SERIES
from neuromfa.analysis import analyze
from neuromfa.checkpoints import open_series
from neuromfa.options import AnalysisOptions
from neuromfa.results import SeriesResult, to_json
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
            (PUBLISHED / f"{name}.json").write_text(to_json(_slim(result), indent=1) + "\n", encoding="utf-8")
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
