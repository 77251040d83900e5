"""One neuron over training: a seed picks the same neurons at every step, so a name is one neuron throughout."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from neuromfa.declared import DOCUMENTED
from neuromfa.errors import NotStored, OptionError
from neuromfa.questions.engine.explorer import EveryStep
from neuromfa.questions.engine.question import About, Faster, Question
from neuromfa.questions.engine.subjects import SampleSeries
from neuromfa.questions.engine.words import (
    USUAL,
    Dimension,
    EdgeCount,
    MaxDistance,
    NeuronName,
    OwnDimension,
    StepOrNone,
    Strength,
)
from neuromfa.questions.neuron_detail import NeuronDetail

MOST_STEPS = 1000


@dataclass(frozen=True)
class TrajectoryPoint:
    """The neuron at one step."""

    step: StepOrNone
    nfd: Dimension
    nfd_own: OwnDimension
    edges_in: EdgeCount
    edges_out: EdgeCount
    strength_in: Strength
    strength_out: Strength


@dataclass(frozen=True)
class NeuronTrajectoryAnswer:
    """One neuron over training."""

    __pydantic_config__ = DOCUMENTED

    name: NeuronName
    max_distance: MaxDistance
    points: tuple[TrajectoryPoint, ...]
    """Every step whose sample holds it, by step."""


class NeuronTrajectory(Question[SampleSeries, NeuronTrajectoryAnswer]):
    """One neuron over all steps with a stored graph: dimensions, edges in range, strength."""

    about = About("trajectory", "trajectory", Faster(cold="cypher", warm="numpy"))
    where = EveryStep

    neuron: NeuronName
    max_distance: MaxDistance = USUAL.max_distance

    def check(self, series: SampleSeries) -> None:
        """Raise `OptionError` for no sample or too many, or a range beyond what was stored."""
        if not 1 <= len(series.samples) <= MOST_STEPS:
            raise OptionError(f"a trajectory has 1 to {MOST_STEPS} steps, not {len(series.samples)}")
        for sample in series.samples:
            sample.require_range(self.max_distance)

    def by_cypher(self, series: SampleSeries) -> NeuronTrajectoryAnswer:
        """Ask for all steps at once."""
        numbers = sorted({each.manifest.number for each in series.samples})
        rows = series.samples[0].rows(
            "neuron_trajectory", samples=numbers, name=self.neuron, longest=self.max_distance
        )
        by_number = {row["number"]: row for row in rows}
        found = [(each.manifest.step, by_number.get(each.manifest.number)) for each in series.samples]
        points = (
            TrajectoryPoint(
                step=step,
                nfd=row["nfd"],
                nfd_own=row["nfd_own"],
                edges_in=row["edges_in"],
                edges_out=row["edges_out"],
                strength_in=float(row["strength_in"] or 0.0),
                strength_out=float(row["strength_out"] or 0.0),
            )
            for step, row in found
            if row is not None
        )
        return self._answer(series, points)

    def by_numpy(self, series: SampleSeries) -> NeuronTrajectoryAnswer:
        """Take the neuron out of one sample after another."""
        return self._answer(series, self._points(series))

    def _points(self, series: SampleSeries) -> Iterator[TrajectoryPoint]:
        detail = NeuronDetail(name=self.neuron, top=1, max_distance=self.max_distance)
        for sample in series.samples:
            try:
                found = detail.by_numpy(sample)
            except NotStored:
                continue
            yield TrajectoryPoint(
                step=sample.manifest.step,
                nfd=found.neuron.nfd,
                nfd_own=found.neuron.nfd_own,
                edges_in=found.edges_in,
                edges_out=found.edges_out,
                strength_in=found.strength_in,
                strength_out=found.strength_out,
            )

    def _answer(self, series: SampleSeries, points: Iterable[TrajectoryPoint]) -> NeuronTrajectoryAnswer:
        found = tuple(points)
        if not found:
            manifest = series.samples[0].manifest
            raise NotStored(
                f"no step of {manifest.model} with seed {manifest.seed} has a neuron {self.neuron[:60]!r}; "
                "names look like B03.mlp.00127"
            )
        return NeuronTrajectoryAnswer(self.neuron, self.max_distance, found)
