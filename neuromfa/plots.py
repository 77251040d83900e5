"""Pictures of results: rows for the Vega-Lite charts in `neuromfa/charts`, and SVG or PNG files of them.

The web page draws the same charts in the browser. Files need the extra ``plots`` (vl-convert), rows nothing.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

from neuromfa import extras
from neuromfa.errors import OptionError
from neuromfa.results import REAL, CheckpointResult, Estimate, SeriesResult, values_by_step
from neuromfa.scores import Score, by_benchmark

Row = dict[str, Any]
Theme = Literal["light", "dark"]
Along = Literal["step", "tokens"]

SPECTRAL_CHARTS = ("spectrum", "tau")
STEP_CHARTS = ("emergence", "alpha0", "width")
CHARTS = (*SPECTRAL_CHARTS, *STEP_CHARTS, "nfd", "radar")
TITLES = {
    "spectrum": "Multifractal spectrum",
    "tau": "Mass exponent",
    "emergence": "Degree of emergence",
    "alpha0": "Regularity",
    "width": "Spectrum width",
    "nfd": "Node fractal dimension",
    "radar": "Measures and benchmarks",
}
PAPER_SIZE = {"width": 640, "height": 340}
PNG_SCALE = 2.0
VEGALITE_VERSION = "6.4"
ALONG_TAU = ("q", "tau", "tau_low", "tau_high")
ALONG_ALPHA = ("alpha", "alpha_low", "alpha_high", "f")
QUANTILES = ("q05", "q25", "q50", "q75", "q95")
TOKENS_TITLE = "tokens seen (log scale, with 0)"
AXES = {"emergence": "E", "alpha0": "α₀", "width": "width"}
LABELS = {
    REAL: "Real weights",
    "shuffled": "Shuffled null",
    "gaussian": "Gaussian null",
    "rescaled": "Rescaled null",
}


def render(
    name: str,
    rows: Sequence[Mapping[str, Any]],
    path: Path,
    *,
    title: str,
    theme: Theme = "light",
    along: Along = "step",
) -> Path:
    """Draw one chart into `path`; its ending, .svg or .png, tells the format.

    Parameters
    ----------
    name : one of `CHARTS`
    rows : what the row function of that chart gave
    title : the line under the chart's name, such as the id of the series
    along : see `metric_rows`

    Raises
    ------
    OptionError : an unknown chart or ending
    MissingExtra : the extra ``plots`` is not installed
    """
    converter = _converter()
    spec = {**chart(name, rows, theme=theme, along=along), "title": {"text": TITLES[name], "subtitle": title}}
    if path.suffix == ".svg":
        path.write_text(converter.vegalite_to_svg(spec, vl_version=VEGALITE_VERSION), encoding="utf-8")
    elif path.suffix == ".png":
        path.write_bytes(converter.vegalite_to_png(spec, vl_version=VEGALITE_VERSION, scale=PNG_SCALE))
    else:
        raise OptionError(f"a chart is written as .svg or .png, not {path.suffix!r} ({path})")
    return path


def render_series(
    result: SeriesResult, folder: Path, *, scores: Iterable[Score] = (), along: Along = "step"
) -> list[Path]:
    """Draw every chart of a series into `folder`, as SVG and PNG; the radar where there are `scores`.

    A series without any value of a measure (E without a baseline) has no chart of it.

    Parameters
    ----------
    along : what the charts of single numbers are drawn along, see `metric_rows`
    """
    folder.mkdir(parents=True, exist_ok=True)
    title = f"{result.series} (profile {result.profile})"
    return [
        render(name, rows, folder / f"{name}{ending}", title=title, along=along)
        for name, rows in _charts_of(result, scores, along)
        for ending in (".svg", ".png")
    ]


def chart(
    name: str, rows: Sequence[Mapping[str, Any]], *, theme: Theme = "light", along: Along = "step"
) -> dict[str, Any]:
    """Return the whole Vega-Lite specification of a chart, rows and theme inside, at the width of a page."""
    if name not in CHARTS:
        raise OptionError(f"no chart is called {name!r}; there are {', '.join(CHARTS)}")
    spec = _read(name)
    ticks = step_ticks([row["step"] for row in rows])
    spec |= {side: size for side, size in PAPER_SIZE.items() if spec.get(side) == "container"}
    for param in spec["params"]:
        if param["name"] == "stepTicks":
            param["value"] = ticks
    if along == "tokens" and name in STEP_CHARTS:
        spec["encoding"]["x"]["title"] = TOKENS_TITLE
    return {**spec, "datasets": {"rows": list(rows)}, "config": _read(f"theme-{theme}")}


def spectrum_rows(checkpoints: Iterable[CheckpointResult]) -> list[Row]:
    """One row for each checkpoint and q: q, tau, alpha, f and their bands (charts spectrum and tau)."""
    return [row for checkpoint in checkpoints for row in _spectrum_rows(checkpoint)]


def metric_rows(checkpoints: Iterable[CheckpointResult], measure: str, *, along: Along = "step") -> list[Row]:
    """One row for each checkpoint with a step and each of real weights and nulls: value, low, high.

    Parameters
    ----------
    measure : emergence, alpha0 or width
    along : what stands as step: the step, or the tokens seen until then; checkpoints without it have no row
    """
    return [
        {"step": at, "model": model, "label": LABELS.get(model, model), **_value(estimate)}
        for checkpoint in checkpoints
        if (at := getattr(checkpoint, along)) is not None
        for model, estimate in _estimates(checkpoint, measure)
    ]


def dimension_rows(checkpoints: Iterable[CheckpointResult]) -> list[Row]:
    """One row for each checkpoint and layer kind: quantiles of the node fractal dimension (chart nfd)."""
    return [
        {"step": checkpoint.step, "name": _name(checkpoint), "place": place, "row": spread.row, "n": spread.n,
         "mean": spread.mean, **dict(zip(QUANTILES, spread.quantiles, strict=True))}
        for place, checkpoint in enumerate(checkpoints)
        for spread in checkpoint.dimensions
    ]  # fmt: skip


def radar_rows(checkpoints: Iterable[CheckpointResult], scores: Iterable[Score]) -> list[Row]:
    """Corners of one polygon a step: alpha0, width, E and every benchmark (chart radar).

    Every axis is scaled to its own range over the steps, so 0 is the lowest step and 1 the highest; a step that
    misses an axis has no polygon. The first corner comes again to close it. Without scores there is nothing to
    compare with, and no row.
    """
    series = list(checkpoints)
    axes = {AXES[measure]: values_by_step(series, measure) for measure in STEP_CHARTS}
    axes = {axis: values for axis, values in axes.items() if values}
    benchmarks = {f"{task} {metric}": values for task, metric, values in by_benchmark(scores)}
    return _corners({**axes, **benchmarks}) if benchmarks else []


def step_ticks(steps: Sequence[int | None], *, most: int = 9) -> list[int]:
    """Return steps to label on an axis of log(1 + step), the first and the last among them.

    They are at most `most` + 1, no two nearer than 1 / `most` of the axis.
    """
    known = sorted({step for step in steps if step is not None})
    if len(known) < 3:
        return known
    gap = (math.log1p(known[-1]) - math.log1p(known[0])) / most
    ticks = known[:1]
    for step in known[1:-1]:
        if math.log1p(step) - math.log1p(ticks[-1]) >= gap <= math.log1p(known[-1]) - math.log1p(step):
            ticks.append(step)
    return [*ticks, known[-1]]


def require() -> None:
    """Raise `MissingExtra` when the extra that draws files is missing: sooner than after a measurement."""
    _converter()


def _charts_of(
    result: SeriesResult, scores: Iterable[Score], along: Along
) -> Iterator[tuple[str, list[Row]]]:
    spectra = spectrum_rows(result.checkpoints)
    charts = [(name, spectra) for name in SPECTRAL_CHARTS]
    charts += [(name, metric_rows(result.checkpoints, name, along=along)) for name in STEP_CHARTS]
    charts += [("nfd", dimension_rows(result.checkpoints)), ("radar", radar_rows(result.checkpoints, scores))]
    return ((name, rows) for name, rows in charts if any(row.get("value", 0.0) is not None for row in rows))


def _spectrum_rows(checkpoint: CheckpointResult) -> Iterator[Row]:
    spectrum = {key: value or [] for key, value in asdict(checkpoint.spectrum).items()}
    alpha_at = {key: dict(zip(spectrum["alpha_q"], spectrum[key], strict=False)) for key in ALONG_ALPHA}
    fixed = {"step": checkpoint.step, "name": _name(checkpoint), "slope": alpha_at["alpha"].get(0.0)}
    for row in zip_longest(*(spectrum[key] for key in ALONG_TAU)):
        along_alpha = {key: values.get(row[0]) for key, values in alpha_at.items()}
        yield fixed | dict(zip(ALONG_TAU, row, strict=True)) | along_alpha


def _name(checkpoint: CheckpointResult) -> str:
    return checkpoint.revision if checkpoint.step is None else f"step {checkpoint.step}"


def _estimates(checkpoint: CheckpointResult, measure: str) -> Iterator[tuple[str, Estimate | None]]:
    yield REAL, getattr(checkpoint, measure)
    for model, null in (checkpoint.nulls or {}).items():
        yield model, getattr(null, measure)


def _value(estimate: Estimate | None) -> Row:
    if estimate is None:
        return {"value": None, "low": None, "high": None}
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}


def _corners(axes: Mapping[str, Mapping[int, float]]) -> list[Row]:
    common = sorted(set.intersection(*(set(values) for values in axes.values())))
    return [
        {"step": step, "name": f"step {step}", "axis": axis, "place": place, "places": len(axes),
         "value": axes[axis][step], "share": _share(axes[axis][step], [axes[axis][other] for other in common])}
        for step in common
        for place, axis in enumerate([*axes, *list(axes)[:1]])
    ]  # fmt: skip


def _share(value: float, values: Sequence[float]) -> float:
    low, high = min(values), max(values)
    return (value - low) / (high - low) if high > low else 1.0


def _read(name: str) -> dict[str, Any]:
    text = resources.files("neuromfa").joinpath("charts", f"{name}.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def _converter() -> Any:
    return extras.load("vl_convert", what="a chart in a file")
