"""Which panels a series has: its measures with their nulls, and its benchmarks, on one axis of steps."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from neuromfa.app.drawing.panels import Dot, Line, Panel
from neuromfa.app.drawing.scales import Along, StepAxis
from neuromfa.app.pages.words import NULLS, flag_meaning, flag_name
from neuromfa.change_points import change_points
from neuromfa.mfa.verdict import MARGIN
from neuromfa.results import CheckpointNumbers, Estimate
from neuromfa.scores import Score
from neuromfa.structure import Effect, Excess, SeriesVerdict

SHUFFLED = "shuffled"
LOSS = "loss"
MARKED = {"alpha0": "alpha0", "width": "width", "g": "effect"}
"""The panel that shows the change points of a measure."""
Positions = dict[int, float]
Valued = Estimate | Excess | Effect | None


def positions_of(points: Iterable[CheckpointNumbers], along: Along) -> Positions:
    """Return where every step stands on the axis; a checkpoint without a step has no place."""
    placed = {
        one.step: float(one.tokens) if along == "tokens" and one.tokens is not None else float(one.step)
        for one in points
        if one.step is not None and (along != "tokens" or one.tokens is not None)
    }
    return placed


def axis_of(points: Iterable[CheckpointNumbers], along: Along) -> StepAxis:
    """Return the axis that all panels of a series share."""
    return StepAxis.of(positions_of(points, along).values(), along)


def panels(
    points: Sequence[CheckpointNumbers],
    scores: Sequence[Score],
    verdict: SeriesVerdict | None,
    *,
    along: Along,
) -> list[Panel]:
    """Return the panels of a series that have values, what answers the question first."""
    places = positions_of(points, along)
    shown = [
        effect_panel(points, verdict, places),
        excess_panel(points, places, "alpha0", "α₀"),
        measure_panel(
            points,
            places,
            "emergence",
            "E, degree of emergence",
            "Mixes growth, distribution and arrangement: read it beside its nulls, along this series only.",
        ),
        *score_panels(scores, places),
        excess_panel(points, places, "width", "width"),
        measure_panel(points, places, "alpha0", "α₀, regularity", "Mean fractal dimension of the neurons."),
        measure_panel(
            points, places, "width", "Width of the spectrum", "How far the dimensions of neurons spread."
        ),
    ]
    marks = marks_of(points, places)
    return [replace(panel, marks=marks.get(panel.name, ())) for panel in shown if panel.has_values]


def marks_of(points: Sequence[CheckpointNumbers], places: Positions) -> dict[str, tuple[float, ...]]:
    """Return where curves take another direction, by the name of their panel: the first step of each new piece."""
    return {
        MARKED[measure]: tuple(places[one.before] for one in found.points if one.before in places)
        for measure, found in change_points(points).items()
    }


def effect_panel(
    points: Iterable[CheckpointNumbers], verdict: SeriesVerdict | None, places: Positions
) -> Panel:
    """Return the effect the verdict rests on, with its margin and the onset."""
    question = verdict.question if verdict else "structure"

    def effect(point: CheckpointNumbers) -> Valued:
        return getattr(point.verdict, question) if point.verdict else None

    line = line_of(points, effect, places, name="g²", kind="real", value="g2", flagged=False)
    return Panel(
        name="effect",
        title="Structure beyond scale, g²",
        note="Variance of node dimensions within matrices, real minus shuffled. Beyond margin and chance: yes.",
        lines=(line,),
        levels=((MARGIN, "margin"),),
        onset=_onset(verdict, places),
    )


def _onset(verdict: SeriesVerdict | None, places: Positions) -> tuple[float, float] | None:
    if verdict is None or verdict.onset is None:
        return None
    before, first = verdict.onset
    if first is None or first not in places:
        return None
    return places.get(before, places[first]) if before is not None else places[first], places[first]


def excess_panel(points: Iterable[CheckpointNumbers], places: Positions, measure: str, name: str) -> Panel:
    """Return the excess of a measure over the shuffled null, paired by seed."""

    def excess(point: CheckpointNumbers) -> Valued:
        over = (point.excess or {}).get(SHUFFLED)
        return getattr(over, measure) if over else None

    return Panel(
        name=f"excess-{measure}",
        title=f"Excess of {name} over shuffled",
        note="Real minus its own shuffled draws, paired by sample; 0 is nothing beyond the weights' distribution.",
        lines=(line_of(points, excess, places, name="excess", kind="real"),),
        levels=((0.0, ""),),
    )


def measure_panel(
    points: Sequence[CheckpointNumbers], places: Positions, measure: str, title: str, note: str
) -> Panel:
    """Return a measure with its nulls; the real weights are drawn last, on top."""
    present = {kind for one in points for kind in one.nulls or {}}

    def of_null(kind: str) -> Callable[[CheckpointNumbers], Valued]:
        return lambda one: getattr((one.nulls or {}).get(kind), measure, None)

    nulls = [
        line_of(points, of_null(kind), places, name=kind, kind=kind, flagged=False)
        for kind in reversed(NULLS)
        if kind in present
    ]
    real = line_of(points, lambda one: getattr(one, measure), places, name="real", kind="real")
    return Panel(name=measure, title=title, note=note, lines=(*nulls, real))


def line_of(
    points: Iterable[CheckpointNumbers],
    pick: Callable[[CheckpointNumbers], Valued],
    places: Positions,
    *,
    name: str,
    kind: str,
    value: str = "value",
    flagged: bool = True,
) -> Line:
    """Return one measure of every step that has a place; flags go onto the points they concern."""
    dots = []
    for point in points:
        if point.step in places:
            one = pick(point)
            dots.append(
                Dot(
                    places[point.step],
                    getattr(one, value) if one is not None else None,
                    one.low if one is not None else None,
                    one.high if one is not None else None,
                    tuple(f"{flag_name(flag)}, {flag_meaning(flag, point)}" for flag in point.flags)
                    if flagged
                    else (),
                )
            )
    return Line(name, kind, tuple(sorted(dots, key=lambda dot: dot.at)))


def score_panels(scores: Iterable[Score], places: Positions) -> list[Panel]:
    """Return one panel for each benchmark, losses first, with the standard error of every score."""
    by_task: dict[tuple[str, str], list[Score]] = {}
    for score in scores:
        if score.step in places:
            by_task.setdefault((score.task, score.metric), []).append(score)
    ordered = sorted(by_task, key=lambda key: (key[1] != LOSS, key))
    return [_score_panel(*key, by_task[key], places) for key in ordered]


def _score_panel(task: str, metric: str, scores: Iterable[Score], places: Positions) -> Panel:
    dots = [
        Dot(
            places[one.step],
            one.value,
            one.value - one.stderr if one.stderr is not None else None,
            one.value + one.stderr if one.stderr is not None else None,
        )
        for one in scores
        if one.step is not None
    ]
    name = task.replace("_", " ")
    return Panel(
        name=f"score-{task}-{metric}",
        title=f"{name[:1].upper()}{name[1:]}, {metric}",
        note="Benchmark of the checkpoints; the band is one standard error.",
        lines=(Line(metric, "score", tuple(sorted(dots, key=lambda dot: dot.at))),),
    )
