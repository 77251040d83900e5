"""Writes the golden numbers and identities of this version of the method; an existing file is never overwritten.

``python -m tests.data.golden.make_golden`` after METHOD_VERSION was raised.
"""

import json
import sys
from pathlib import Path
from typing import Any

from neuromfa.analysis import analyze
from neuromfa.checkpoints import open_series
from neuromfa.checkpoints.sampling.networks import sample_checkpoint
from neuromfa.identity import GRAPH_VERSION, options_hash
from neuromfa.method_version import METHOD_VERSION
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult

DATA = Path(__file__).parents[1]
FILE = Path(__file__).parent / f"method-{METHOD_VERSION}-graph-{GRAPH_VERSION}.json"
SERIES = DATA / "parity" / "neox"
SMALL = {"nodes": 16, "samples": 3, "q": (-3.0, -1.0, 0.0, 1.0, 3.0)}
ANALYSES: dict[str, AnalysisOptions] = {
    "exact": AnalysisOptions(**SMALL),  # type: ignore[arg-type]
    "paper": AnalysisOptions(**SMALL, profile="paper"),  # type: ignore[arg-type]
    "multi": AnalysisOptions(**SMALL, hops="multi"),  # type: ignore[arg-type]
    "fixed": AnalysisOptions(**SMALL, grid="fixed", rms_scaled=True),  # type: ignore[arg-type]
}
# the planted weights of the tiny model are whole numbers, so a large lambda brings their distances into range
SHARED_HEADS = AnalysisOptions(**SMALL, scale=2e6)  # type: ignore[arg-type]
OPTIONS: dict[str, AnalysisOptions] = {
    "defaults": AnalysisOptions(),
    "whole": AnalysisOptions(nodes=None, scale=2.0),
    "reinit": AnalysisOptions(baseline="reinit", nulls=False, seed=7),
}
FAMILIES = sorted(path.name for path in (DATA / "tiny").iterdir() if path.is_dir())


def found() -> dict[str, Any]:
    """Return all that is held: numbers by analysis and step, identities of options, of graphs and of results."""
    return {
        "numbers": {name: _numbers(options) for name, options in ANALYSES.items()},
        "shared_heads": _numbers(SHARED_HEADS, series=DATA / "tiny" / "llama"),
        "options": {name: options_hash(options) for name, options in OPTIONS.items()},
        "readings": {family: _reading(family) for family in FAMILIES},
    }


def _numbers(options: AnalysisOptions, *, series: Path = SERIES) -> list[dict[str, Any]]:
    result = analyze(open_series(str(series)), options)
    return [
        {
            "step": one.step,
            "alpha0": one.alpha0.value,
            "width": one.width.value,
            "emergence": one.emergence.value if one.emergence else None,
            "shuffled": one.nulls["shuffled"].alpha0.value if one.nulls else None,
            "gaussian": one.nulls["gaussian"].width.value if one.nulls else None,
            "tau": one.spectrum.tau,
            **_beyond_scale(one),
            "graph_hash": one.samples[0].graph_hash,
            "analysis_hash": one.analysis_hash,
        }
        for one in result.checkpoints
    ]


def _beyond_scale(one: CheckpointResult) -> dict[str, float | None]:
    excess = one.excess["shuffled"] if one.excess else None
    return {
        "excess_alpha0": excess.alpha0.value if excess else None,
        "excess_width_p": excess.width.p_chance if excess else None,
        "shape_alpha0": one.shape.alpha0.value if one.shape else None,
        "g2": one.verdict.structure.g2 if one.verdict else None,
        "changed_g2": one.verdict.changed.g2 if one.verdict and one.verdict.changed else None,
    }


def _reading(family: str) -> str:
    (checkpoint,) = open_series(str(DATA / "tiny" / family)).checkpoints
    (network,) = sample_checkpoint(checkpoint, nodes=4, seeds=[0], row_rule="exact").networks
    return network.provenance.architecture_hash


def main() -> int:
    """Write the file of this version."""
    if FILE.exists():
        sys.stderr.write(f"{FILE.name} exists: raise METHOD_VERSION or GRAPH_VERSION, and tell what moved\n")
        return 1
    FILE.write_text(json.dumps(found(), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
