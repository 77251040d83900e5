"""One neuron over training: a seed picks the same neurons at every step, so a name is one neuron throughout."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from neuromfa.errors import NotStored, OptionError
from neuromfa.questions.engine.choice import EngineChoice
from neuromfa.questions.engine.run import Asked, ask
from neuromfa.questions.engine.stored_sample import USUAL, StoredSample
from neuromfa.questions.neuron_detail import detail_in_arrays

MOST_STEPS = 1000


@dataclass(frozen=True)
class TrajectoryPoint:
    """The neuron at one step: its dimensions, and number and strength (sum of |w|) of its weighted edges in range."""

    step: int | None
    nfd: float | None
    nfd_own: float | None
    edges_in: int
    edges_out: int
    strength_in: float
    strength_out: float


@dataclass(frozen=True)
class Trajectory:
    """One neuron at every step whose sample holds it, by step; T is `max_distance`."""

    name: str
    max_distance: float
    points: tuple[TrajectoryPoint, ...]


def trajectory(
    samples: Sequence[StoredSample],
    name: str,
    *,
    max_distance: float = USUAL.max_distance,
    engine: EngineChoice = "auto",
) -> Trajectory:
    """Follow one neuron.

    Parameters
    ----------
    samples : of one seed at several steps, as `Explorer.samples` gives them
    name : of the neuron
    max_distance : T

    Raises
    ------
    NotStored : no sample holds it
    OptionError : no sample or too many, or a T beyond what was stored
    """
    if not 1 <= len(samples) <= MOST_STEPS:
        raise OptionError(f"a trajectory has 1 to {MOST_STEPS} steps, not {len(samples)}")
    for sample in samples:
        sample.require_range(max_distance)
    by_cypher = partial(_by_cypher, name=name, longest=max_distance)
    by_numpy = partial(_by_numpy, name=name, longest=max_distance)
    return ask("trajectory", engine, samples, cypher=by_cypher, numpy=by_numpy)


def _by_cypher(*asked: Asked, name: str, longest: float) -> Trajectory:
    numbers = sorted({each.manifest.number for each in asked})
    rows = asked[0].rows("neuron_trajectory", samples=numbers, name=name, longest=longest)
    by_number = {row["number"]: row for row in rows}
    found = [(each, by_number.get(each.manifest.number)) for each in asked]
    points = [
        TrajectoryPoint(
            step=each.manifest.step,
            nfd=row["nfd"],
            nfd_own=row["nfd_own"],
            edges_in=row["edges_in"],
            edges_out=row["edges_out"],
            strength_in=float(row["strength_in"] or 0.0),
            strength_out=float(row["strength_out"] or 0.0),
        )
        for each, row in found
        if row is not None
    ]
    return _complete(asked, name, longest, points)


def _by_numpy(*asked: Asked, name: str, longest: float) -> Trajectory:
    points = []
    for each in asked:
        try:
            found = detail_in_arrays(each, name=name, top=1, longest=longest)
        except NotStored:
            continue
        points.append(
            TrajectoryPoint(
                step=each.manifest.step,
                nfd=found.neuron.nfd,
                nfd_own=found.neuron.nfd_own,
                edges_in=found.edges_in,
                edges_out=found.edges_out,
                strength_in=found.strength_in,
                strength_out=found.strength_out,
            )
        )
    return _complete(asked, name, longest, points)


def _complete(asked: Sequence[Asked], name: str, longest: float, points: list[TrajectoryPoint]) -> Trajectory:
    if not points:
        model, seed = asked[0].manifest.model, asked[0].manifest.seed
        raise NotStored(
            f"no step of {model} with seed {seed} has a neuron {name[:60]!r}; names look like B03.mlp.00127"
        )
    return Trajectory(name, longest, tuple(points))
