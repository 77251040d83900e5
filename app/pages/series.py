"""The page of one series: what is chosen, what is stored of it, and its parts as records a template can say."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from neuromfa.app.drawing import panels as drawn_panels
from neuromfa.app.drawing import spectra
from neuromfa.app.drawing.panels import Panel
from neuromfa.app.drawing.scales import Along, StepAxis
from neuromfa.app.etags import scores_hash
from neuromfa.app.pages.curves import Positions, axis_of, panels, positions_of
from neuromfa.app.pages.shown import Shown
from neuromfa.app.pages.words import checkpoint_name, listed, step_name
from neuromfa.beyond_scale import series_verdict
from neuromfa.errors import NotStored, OptionError
from neuromfa.graph import GraphStore, ModelRecord
from neuromfa.graph.result_io import StoredPoint
from neuromfa.graph.stored_results import Served
from neuromfa.results import CheckpointNumbers, CheckpointResult, CurvePoint, FailedCheckpoint
from neuromfa.scores import Score
from neuromfa.stored import Analysis
from neuromfa.structure import SeriesVerdict, Step

Tab = Literal["layers", "neurons", "matrices", "benchmarks", "numbers", "provenance"]
TABS: tuple[Tab, ...] = ("layers", "neurons", "matrices", "benchmarks", "numbers", "provenance")
MOST_SPECTRA = 8
MOST_NAMED = 12


@dataclass(frozen=True, kw_only=True)
class StoredSeries:
    """One analysis of a stored series; its numbers are decoded when they are first looked at.

    Attributes
    ----------
    stored : its numbers by step, as they stand in the store
    failed : checkpoints that could not be measured when they were last looked at
    """

    model: ModelRecord
    served: Served
    stored: Sequence[StoredPoint]
    scores: Sequence[Score]
    failed: Sequence[FailedCheckpoint]

    @classmethod
    def read(cls, store: GraphStore, model: str, **choice: str | None) -> "StoredSeries":
        """Read a series; `NotStored` without it, or without an analysis that fits the choice."""
        served = store.choose(model, **choice)
        return cls(
            model=store.model(model),
            served=served,
            stored=list(store.points(model, options_hash=served.analysis.options_hash)),
            scores=store.scores(model),
            failed=store.failures(model),
        )

    @cached_property
    def points(self) -> Sequence[CurvePoint]:
        """Its numbers by step."""
        return [one.read() for one in self.stored]

    @cached_property
    def verdict(self) -> SeriesVerdict | None:
        """What the series answers."""
        return series_verdict(self.points, self.analysis.options)

    @property
    def identity(self) -> list[str]:
        """What changes when anything of it does that a page shows."""
        return [
            *(f"{one.options_hash} {one.checkpoints}" for one in self.served.analyses),
            *(f"{one.step} {one.analysis_hash} {one.serial}{one.notes}" for one in self.stored),
            *(f"{one.step} {one.sentence}" for one in self.failed),
            scores_hash(self.scores),
            f"{self.model}",
        ]

    @property
    def analysis(self) -> Analysis:
        """The analysis that is shown."""
        return self.served.analysis

    @property
    def found(self) -> int:
        """Checkpoints that were found so far."""
        return max(self.model.checkpoints, len(self.stored) + len(self.failed))

    def at(self, asked: str | None) -> int:
        """Return the place of the step that is asked for among the points, the last one without a word.

        Raises
        ------
        OptionError : what is asked for is no step
        NotStored : there is no such step, it failed, or nothing is measured
        """
        if asked is None:
            return len(self.points) - 1
        step = None if asked == "-" else _number(asked)
        for place, point in enumerate(self.points):
            if point.step == step:
                return place
        for one in self.failed:
            if one.step == step:
                raise NotStored(
                    f"{checkpoint_name(step)} of {self.model.id} could not be measured: {one.sentence}"
                )
        raise NotStored(
            f"{self.model.id} has no measured {checkpoint_name(step)} in this analysis; there are: {self._steps()}"
        )

    def results(self, store: GraphStore, steps: Iterable[Step]) -> dict[Step, CheckpointResult]:
        """Return whole results by step, in one reading."""
        by_step = {one.step: one for one in self.stored}
        wanted = [by_step[step] for step in dict.fromkeys(steps)]
        documents = store.documents([one.analysis_hash for one in wanted])
        return {one.step: one.whole(text) for one, text in zip(wanted, documents, strict=True)}

    def shown(self, whole: Mapping[Step, CheckpointResult] | None = None) -> Shown:
        """Return what pages of several series, and reports, show of it."""
        return Shown(
            id=self.model.id,
            options=self.analysis.options,
            options_hash=self.analysis.options_hash,
            points=self.points,
            whole=whole or {},
            scores=self.scores,
            verdict=self.verdict,
            failed=self.failed,
            found=self.found,
        )

    def _steps(self) -> str:
        names = [step_name(one.step, one.revision) for one in self.points]
        shown = names if len(names) <= MOST_NAMED else [*names[: MOST_NAMED - 1], f"{len(names)} in all"]
        return listed(shown) if shown else "none yet"


def _number(asked: str) -> int:
    if not (asked.isascii() and asked.isdecimal() and len(asked) <= 15):
        raise OptionError(f"a step is a number such as 512, or -, not {asked[:40]!r}")
    return int(asked)


@dataclass(frozen=True)
class Drawn:
    """A panel with its picture."""

    panel: Panel
    picture: str


def drawn(shown: Sequence[Panel], axis: StepAxis, *, at: float | None) -> list[Drawn]:
    """Return panels with their pictures, the chosen step marked."""
    return [Drawn(panel, drawn_panels.draw(panel, axis, highlighted=at)) for panel in shown]


def series_panels(series: StoredSeries, along: Along, step: Step) -> list[Drawn]:
    """Return the panels of a series with the chosen step marked."""
    places = positions_of(series.points, along)
    shown = panels(series.points, series.scores, series.verdict, along=along)
    return drawn(shown, axis_of(series.points, along), at=places.get(step) if step is not None else None)


def along_choices(points: Sequence[CurvePoint]) -> list[Along]:
    """Return what the axis can show: tokens only where the steps tell them."""
    told = sum(one.tokens is not None for one in points)
    return ["log", "linear", *(("tokens",) if told > 1 else ())]


def spread_steps(points: Sequence[CheckpointNumbers], along: Along = "log") -> list[Step]:
    """Return about eight steps, evenly spread along the axis; all checkpoints where none has a step."""
    places = positions_of(points, along)
    if not places:
        return [one.step for one in points]
    by_place = {place: step for step, place in places.items()}
    return [by_place[place] for place in axis_of(points, along).spread(MOST_SPECTRA)]


@dataclass(frozen=True)
class Spectra:
    """The two pictures made of spectra."""

    spectrum: str
    bend: str


def spectra_pictures(results: Sequence[CheckpointResult], chosen: CheckpointResult) -> Spectra:
    """Draw f over alpha and the bend of tau: the steps as thin curves, the chosen one over its band."""

    def names(result: CheckpointResult) -> str:
        return checkpoint_name(result.step, result.revision)

    many = results if len(results) > 1 else []
    return Spectra(
        spectra.draw(
            [spectra.spectrum_curve(names(one), one.spectrum) for one in many],
            spectra.spectrum_curve(names(chosen), chosen.spectrum),
            title="Multifractal spectrum",
            across="α",
            up="f(α)",
            panel="spectrum",
        ),
        spectra.draw(
            [spectra.bend_curve(names(one), one.spectrum) for one in many],
            spectra.bend_curve(names(chosen), chosen.spectrum),
            title="Bend of the mass exponent",
            across="q",
            up="τ(q) − τ(0) − α₀q",
            panel="bend",
        ),
    )


def scrub_data(series: StoredSeries, along: Along) -> dict[str, object]:
    """Return what a script needs to move through the steps: their names, places in the panels, and single numbers."""
    places: Positions = positions_of(series.points, along)
    x = axis_of(series.points, along).scale(drawn_panels.LEFT, drawn_panels.WIDTH - drawn_panels.RIGHT)
    return {
        "model": series.model.id,
        "options": series.analysis.options_hash,
        "steps": [one.step for one in series.points],
        "names": [checkpoint_name(one.step, one.revision) for one in series.points],
        "x": [round(x(places[one.step]), 1) if one.step in places else None for one in series.points],
        "numbers": [_numbers(one) for one in series.points],
    }


def _numbers(point: CurvePoint) -> list[float | None]:
    excess = (point.excess or {}).get("shuffled")
    values = (
        point.verdict.structure.g2 if point.verdict else None,
        excess.alpha0.value if excess else None,
        point.emergence.value if point.emergence else None,
        point.alpha0.value,
        point.width.value,
    )
    return [None if one is None else float(f"{one:.5g}") for one in values]
