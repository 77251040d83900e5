"""Several series beside one another: one axis for all of them, each with its own nulls, what differs, in words too."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from neuromfa.app.drawing.panels import Dot, Line, Panel
from neuromfa.app.drawing.scales import Along, StepAxis
from neuromfa.app.pages.curves import LOSS, measure_panel, positions_of
from neuromfa.app.pages.series import Drawn, drawn
from neuromfa.app.pages.shown import Shown
from neuromfa.app.pages.words import NULLS, figure, listed
from neuromfa.comparison import Comparison
from neuromfa.comparison.differences import between_runs
from neuromfa.comparison.records import By, Point, SeriesCurve
from neuromfa.mfa.verdict import MARGIN
from neuromfa.model_id import in_route
from neuromfa.scores import Score

RUN_COLOURS = 6
ONE_AXIS = (
    ("g2", "Structure beyond scale, g²", "Variance of node dimensions within matrices, real minus shuffled."),
    ("excess_alpha0", "Excess of α₀ over shuffled", "Real minus its own shuffled draws, paired by sample."),
    ("excess_width", "Excess of width over shuffled", "Real minus its own shuffled draws, paired by sample."),
)
ALONG: Mapping[By, Along] = {"step": "log", "tokens": "tokens", "share": "share"}
Benchmark = tuple[str, str]


@dataclass(frozen=True)
class Pictures:
    """The pictures of a comparison.

    Attributes
    ----------
    together : measures on one axis, a line for each series
    apart : E of each series with its own nulls
    """

    together: list[Drawn]
    apart: list[Drawn]

    @property
    def nulls(self) -> list[str]:
        """The nulls that are drawn beside any series."""
        kinds = {line.kind for one in self.apart for line in one.panel.lines}
        return [null for null in NULLS if null in kinds]


def kind_of(place: int) -> str:
    """Return the classes in the style sheet of the series at a place: its colour, and how its line is drawn."""
    return f"run-{place % RUN_COLOURS} round-{place // RUN_COLOURS}"


def pictures(comparison: Comparison, shown: Sequence[Shown]) -> Pictures:
    """Draw a comparison; `shown` are its series in the same order."""
    along = ALONG[comparison.by]
    axis = StepAxis.of(
        (point.position for one in comparison.series for point in one.curve if point.position is not None),
        along,
    )
    measures, scores = [_measure(comparison, *each) for each in ONE_AXIS], _scores(comparison, shown)
    together = [*measures[:1], *scores[:1], *measures[1:], *scores[1:]]
    return Pictures(
        drawn([panel for panel in together if panel.has_values], axis, at=None),
        [one for series in shown for one in _apart(series)],
    )


def _apart(series: Shown) -> list[Drawn]:
    places = positions_of(series.points, "log")
    panel = measure_panel(series.points, places, "emergence", f"E of {series.id}", "")
    panel = replace(panel, name=f"emergence-{in_route(series.id)}")
    return drawn([panel], StepAxis.of(places.values(), "log"), at=None) if panel.has_values else []


def _measure(comparison: Comparison, measure: str, title: str, note: str) -> Panel:
    lines = [
        *_runs(comparison.series, lambda point: point.values[measure].value, measure),
        *_bands(comparison, measure),
    ]
    levels = ((MARGIN, "margin"),) if measure == "g2" else ((0.0, ""),)
    return Panel(name=measure, title=title, note=note, lines=tuple(lines), levels=levels)


def _runs(series: Sequence[SeriesCurve], pick: Callable[[Point], float | None], measure: str) -> list[Line]:
    return [
        Line(
            one.id,
            kind_of(place),
            tuple(
                Dot(point.position, pick(point), point.values[measure].low, point.values[measure].high)
                for point in one.curve
                if point.position is not None
            ),
        )
        for place, one in enumerate(series)
    ]


def _bands(comparison: Comparison, measure: str) -> list[Line]:
    """Return every group of replicates as its mean, with the interval between runs as its band."""
    return [
        Line(f"{group.name}, between runs", "score", tuple(_between(comparison, group.series, measure)))
        for group in comparison.groups
        if len(group.series) > 1
    ]


def _between(comparison: Comparison, members: Sequence[str], measure: str) -> list[Dot]:
    runs = [one for one in comparison.series if one.id in members]
    values = [{point.position: point.values[measure] for point in run.curve} for run in runs]
    shared = sorted({at for at in set.intersection(*map(set, values)) if at is not None})
    found = [(at, between_runs([run[at] for run in values])) for at in shared]
    return [Dot(at, one.value, one.low, one.high) for at, one in found]


def _scores(comparison: Comparison, shown: Sequence[Shown]) -> list[Panel]:
    """Return the benchmarks that all series have, each on one axis; losses first."""
    return [_score(comparison, shown, benchmark) for benchmark in common_benchmarks(shown)]


def common_benchmarks(shown: Sequence[Shown]) -> list[Benchmark]:
    """Return the benchmarks that all series were scored on, losses first."""
    of_each = [
        {(score.task, score.metric) for score in one.scores if score.step is not None} for one in shown
    ]
    common = set.intersection(*of_each) if of_each else set()
    return sorted(common, key=lambda one: (one[1] != LOSS, one))


def _score(comparison: Comparison, shown: Sequence[Shown], benchmark: Benchmark) -> Panel:
    lines = []
    for place, (series, curve) in enumerate(zip(shown, comparison.series, strict=True)):
        places = {point.step: point.position for point in curve.curve if point.position is not None}
        dots = [
            Dot(at, one.value, one.value - (one.stderr or 0.0), one.value + (one.stderr or 0.0))
            for one in _of(series.scores, benchmark)
            if (at := places.get(one.step)) is not None
        ]
        lines.append(Line(series.id, kind_of(place), tuple(sorted(dots, key=lambda dot: dot.at))))
    task, metric = benchmark
    return Panel(
        name=f"score-{task}-{metric}",
        title=f"{task.replace('_', ' ').capitalize()}, {metric}",
        note="Benchmark of the checkpoints; the band is one standard error.",
        lines=tuple(lines),
    )


def _of(scores: Sequence[Score], benchmark: Benchmark) -> list[Score]:
    return [one for one in scores if (one.task, one.metric) == benchmark]


def learned_words(comparison: Comparison, shown: Sequence[Shown]) -> str:
    """Return what can be said of which series learned more: that is for benchmarks to tell, structure does not.

    Both orders are those of the last steps; where they differ, more structure did not go with better scores.
    """
    said = "The amount of structure does not tell which of these learned something that another did not."
    benchmarks = common_benchmarks(shown)
    if not benchmarks:
        return f"{said} No benchmark is stored of all of them, so nothing here can."
    task, metric = benchmarks[0]
    last = {one.id: _of(one.scores, benchmarks[0])[-1].value for one in shown}
    better = sorted(last, key=lambda id: last[id], reverse=metric != LOSS)
    effects = {one.id: one.last.values["g2"].value for one in comparison.series}
    known = [id for id in effects if effects[id] is not None]
    scores = ", ".join(f"{id} {figure(last[id])}" for id in better)
    told = f"{said} The scores do: {task.replace('_', ' ')} ({metric}), best first: {scores}."
    if len(known) < len(better):
        return told
    stronger = sorted(known, key=lambda id: -(effects[id] or 0.0))
    order = ", ".join(f"{id} {figure(effects[id])}" for id in stronger)
    alike = (
        "the same order, which one picture of so few runs does not make a rule"
        if stronger == better
        else "another order"
    )
    return f"{told} By structure (g²), most first: {order}: {alike}."


def missing_words(missing: Sequence[str]) -> str:
    """Return which series are not there, nothing where all are."""
    return f"Not in the store, or without numbers so far: {listed(missing)}." if missing else ""
