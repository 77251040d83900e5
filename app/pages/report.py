"""A report: one file that stands alone, with settings, hashes, verdict and every figure's origin."""

import base64
import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from importlib import resources
from typing import Any

from neuromfa import __version__
from neuromfa.app.drawing.panels import Dot, Line, Panel
from neuromfa.app.drawing.scales import StepAxis
from neuromfa.app.pages import comparison
from neuromfa.app.pages.curves import axis_of, panels
from neuromfa.app.pages.layers import (
    DrawnHeat,
    KindRow,
    block_maps,
    dimension_panels,
    drawn_heats,
    kind_rows,
)
from neuromfa.app.pages.series import Drawn, Spectra, drawn, spectra_pictures, spread_steps
from neuromfa.app.pages.series_tabs import lowest_fit, matrices_of
from neuromfa.app.pages.shown import Shown
from neuromfa.app.pages.templating import rendered, style_sheet
from neuromfa.app.pages.words import NULLS, option_words
from neuromfa.beyond_scale import lacking_blocks
from neuromfa.comparison import Comparison, compare
from neuromfa.correlations import Correlation, correlate
from neuromfa.declared import DOCUMENTED
from neuromfa.identity import options_hash
from neuromfa.matrices import MatrixFigure
from neuromfa.results import CheckpointResult, SeriesResult
from neuromfa.scores import Score

PUBLISHED = "pythia_1.4b_deduped_emergence.csv"
SHORT = 12
LARGEST_BYTES = 1_500_000


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """What a report says, as it lies beside it in JSON."""

    __pydantic_config__ = DOCUMENTED

    version: str = __version__
    """Version of the program that wrote it."""
    series: list[SeriesResult]
    """The series, as `neuromfa analyze --json` writes them, plain measures by matrix kind alone."""
    scores: dict[str, list[Score]] = field(default_factory=dict)
    """Benchmark scores by id of the series."""
    comparison: Comparison | None = None
    """Of two series and more, as `neuromfa compare --json` writes it."""


def report_data(series: Sequence[SeriesResult], scores: Mapping[str, Sequence[Score]]) -> ReportData:
    """Return what a report of analysed series says; of two and more they are compared too."""
    shown = [shown_of(one, scores.get(one.series, ())) for one in series]
    compared = compare([one.source for one in shown]) if len(shown) > 1 else None
    return ReportData(
        series=[_without_parts(one) for one in series],
        scores={id: list(ones) for id, ones in scores.items()},
        comparison=compared,
    )


def _without_parts(result: SeriesResult) -> SeriesResult:
    """Return a series whose plain measures are those of matrix kinds: every part would fill megabytes."""
    checkpoints = [
        replace(one, matrices=one.matrices and replace(one.matrices, parts=[])) for one in result.checkpoints
    ]
    return replace(result, checkpoints=checkpoints)


def shown_of(result: SeriesResult, scores: Sequence[Score] = ()) -> Shown:
    """Return an analysed series as pages show it."""
    return Shown(
        id=result.series,
        options=result.options,
        options_hash=options_hash(result.options),
        points=result.checkpoints,
        whole={one.step: one for one in result.checkpoints},
        scores=scores,
        verdict=result.verdict,
        failed=result.failed,
        found=result.found,
    )


def report_of(data: ReportData) -> str:
    """Return the report of analysed series as HTML."""
    shown = [shown_of(one, data.scores.get(one.series, ())) for one in data.series]
    versions = data.series[0].versions if data.series else {}
    return report_html(shown, data.comparison, versions=versions, version=data.version)


@dataclass(frozen=True, kw_only=True)
class Section:
    """One series of a report.

    Attributes
    ----------
    origin : where its figures come from, in a line that stands under each
    last : its last measured step, whole
    """

    shown: Shown
    origin: str
    drawn: list[Drawn]
    spectra: Spectra
    last: CheckpointResult
    kinds: list[KindRow]
    block_heats: list[DrawnHeat]
    blocks_lacking: int
    dimensions: list[Drawn]
    matrices: Mapping[str, Mapping[str, MatrixFigure]]
    correlations: list[Correlation]
    lowest_fit: float | None
    nulls: list[str]


def report_html(
    shown: Sequence[Shown],
    compared: Comparison | None,
    *,
    versions: Mapping[str, str],
    version: str = __version__,
) -> str:
    """Return a report; every series has its last step and about eight steps whole."""
    context: dict[str, Any] = {
        "title": ", ".join(one.id for one in shown),
        "style": style_sheet(),
        "sections": [_section(one, version) for one in shown],
        "comparison": compared,
        "versions": versions,
        "report_version": version,
        "published": _published(),
    }
    if compared is not None:
        context |= {
            "pictures": comparison.pictures(compared, shown),
            "learned": comparison.learned_words(compared, shown),
            "origin": f"{_hashes(shown)}; neuromfa {version}",
        }
    return rendered("report.html", context)


def _hashes(shown: Sequence[Shown]) -> str:
    return ", ".join(f"{one.id} (options {one.options_hash[:SHORT]})" for one in shown)


def style_policy() -> str:
    """Return the policy under which a browser shows a report: its own sheet, and nothing else."""
    digest = base64.b64encode(sha256(style_sheet().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; frame-ancestors 'none'"


def needed_steps(shown: Shown) -> list[int | None]:
    """Return the steps that a report needs whole."""
    last = shown.points[-1].step
    return list(dict.fromkeys([*spread_steps(shown.points), last]))


def _section(shown: Shown, version: str) -> Section:
    last = shown.whole[shown.points[-1].step]
    origin = (
        f"{shown.id}; {option_words(shown.options)}; options {shown.options_hash[:SHORT]}, "
        f"method {last.method_version}, neuromfa {version}"
    )
    spread = [shown.whole[step] for step in spread_steps(shown.points)]
    every = panels(shown.points, shown.scores, shown.verdict, along="log")
    return Section(
        shown=shown,
        origin=origin,
        drawn=drawn(every, axis_of(shown.points, "log"), at=None),
        spectra=spectra_pictures(spread, last),
        last=last,
        kinds=kind_rows(last),
        block_heats=drawn_heats(block_maps(spread, None)),
        blocks_lacking=lacking_blocks(spread),
        dimensions=dimension_panels(shown.points),
        matrices=matrices_of(last),
        correlations=[
            one for one in correlate(shown.points, shown.scores) if one.model in ("real", "excess")
        ],
        lowest_fit=lowest_fit(last),
        nulls=[null for null in NULLS if any(null in (one.nulls or {}) for one in shown.points)],
    )


def _published() -> Drawn:
    """Return E as the paper shows it of its main series, read off its figure."""
    file = resources.files("neuromfa").joinpath("data").joinpath(PUBLISHED)
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    dots = [
        Dot(
            float(row["step"]),
            float(row["emergence"]),
            float(row["emergence"]) - float(row["read_error"]),
            float(row["emergence"]) + float(row["read_error"]),
        )
        for row in rows
    ]
    panel = Panel(
        name="published",
        title=f"E of {rows[0]['model']}, published",
        note="Read off the paper's figure; the band is the error of reading. E is not comparable between models.",
        lines=(Line("published", "score", tuple(dots)),),
    )
    return drawn([panel], StepAxis.of((dot.at for dot in dots), "log"), at=None)[0]
