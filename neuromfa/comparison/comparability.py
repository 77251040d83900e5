"""In what series were not measured, or are not made, alike: one sentence for each, naming who has which value."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from neuromfa.comparison.records import Source
from neuromfa.comparison.words import listed
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointNumbers, CheckpointResult, CurvePoint, NodeCoverage, Reading

T = TypeVar("T")

COVERAGE_POINTS = 0.10
"""Shares of kept nodes that differ by more are shares of different nodes."""

INITIAL_SCALES = 0.05
"""Root mean squares at step 0 that differ by more are of other initialisations, not of other seeds."""

CONSEQUENCES = {
    "profile": "alpha0, width and E are defined otherwise",
    "nodes": "alpha0 and width depend on the number of neurons per layer",
    "max_distance": "alpha0 and width depend on the range",
    "samples": "samples cannot be paired, and intervals differ in length",
    "seed": "samples cannot be paired",
    "hops": "alpha0, width and E are defined otherwise",
    "grid": "alpha0 and width depend on the radii",
    "lambda": "alpha0 and width depend on it",
    "min_edges": "other nodes are kept",
    "baseline": "E is measured against other starts",
    "q": "the width spans other moments",
}
"""What follows where an option differs; where nothing stands here, nothing follows for most numbers."""


def warnings_of(sources: Sequence[Source]) -> list[str]:
    """Return what a reader should know before comparing: options, then what was read, then lengths of the series."""
    return [
        *_options(sources),
        *_readings(sources),
        *_sizes(sources),
        *_initial_scale(sources),
        *_same_weights(sources),
        *_coverage(sources),
        *_lengths(sources),
    ]


def _options(sources: Sequence[Source]) -> Iterator[str]:
    values = [source.options.as_json() for source in sources]
    for name in AnalysisOptions().as_json():
        yield from _told(
            f"option {name}", sources, [_word(one[name]) for one in values], CONSEQUENCES.get(name)
        )


def _readings(sources: Sequence[Source]) -> Iterator[str]:
    last = [source.checkpoints[-1] for source in sources]
    yield from _told(
        "version of the method", sources, [one.method_version for one in last], "measure both again with one"
    )
    yield from _told("architecture", sources, _read(sources, lambda reading: reading.architecture),
                     "structure is not comparable between architectures")  # fmt: skip
    yield from _told("number format", sources, _read(sources, lambda reading: reading.dtype),
                     "rounding moves edges to other radii")  # fmt: skip


def _sizes(sources: Sequence[Source]) -> Iterator[str]:
    sizes = [source.checkpoints[-1].parameters for source in sources]
    told = [None if size is None else f"{size:,}" for size in sizes]
    yield from _told("number of parameters", sources, told, "E is not comparable between sizes")


def _initial_scale(sources: Sequence[Source]) -> Iterator[str]:
    """Yield whether weights started at another scale, as far as step 0 of the series tells."""
    starts = [next((one.rms for one in source.checkpoints if one.step == 0), None) for source in sources]
    known = [rms for rms in starts if rms]
    if known and max(known) > (1.0 + INITIAL_SCALES) * min(known):
        told = [None if rms is None else f"{rms:.4g}" for rms in starts]
        yield from _told("root mean square of the weights at step 0", sources, told, "initialisations differ")


def _same_weights(sources: Sequence[Source]) -> Iterator[str]:
    """Yield who holds the same weights at the end: copies are no replicates."""
    holders: dict[frozenset[tuple[str, str]], list[str]] = {}
    weights = _read(sources, lambda reading: frozenset(reading.matrices.items()))
    for source, own in zip(sources, weights, strict=True):
        if own:
            holders.setdefault(own, []).append(source.id)
    for ids in holders.values():
        if len(ids) > 1:
            yield f"The weights at the last step are the same in {listed(ids)}: copies are no replicates."


def _read(sources: Sequence[Source], part: Callable[[Reading], T]) -> list[T | None]:
    """Return a part of how the last whole result of each series was read, None where nobody knows."""
    whole = [source.whole.get(source.checkpoints[-1].step) for source in sources]
    return [part(one.reading) if one and one.reading else None for one in whole]


def _coverage(sources: Sequence[Source]) -> Iterator[str]:
    counts = [_nodes(source.checkpoints[-1]) for source in sources]
    sizes = [None if one is None else f"{one[0].total // one[1]}" for one in counts]
    yield from _told("number of nodes in a sample", sources, sizes, "the networks are of different size")
    shares = [None if one is None else one[0].kept / one[0].total for one in counts]
    present = [share for share in shares if share is not None]
    if present and max(present) - min(present) > COVERAGE_POINTS:
        yield from _told(
            "share of kept nodes at the last step",
            sources,
            [None if share is None else f"{100 * share:.0f} %" for share in shares],
            "the numbers speak of different nodes",
        )


def _nodes(checkpoint: CheckpointNumbers) -> tuple[NodeCoverage, int] | None:
    """Return the nodes of a checkpoint over all samples, and how many samples; None where it does not tell."""
    if isinstance(checkpoint, CheckpointResult):
        nodes, samples = checkpoint.coverage.nodes, len(checkpoint.samples)
    elif isinstance(checkpoint, CurvePoint):
        nodes, samples = checkpoint.nodes, checkpoint.samples
    else:
        return None
    return (nodes, samples) if samples and nodes.total else None


def _lengths(sources: Sequence[Source]) -> Iterator[str]:
    yield from _told("number of steps", sources, [len(source.checkpoints) for source in sources], None)
    last = [source.checkpoints[-1].step for source in sources]
    yield from _told("last step", sources, last, "the last numbers are of unequal training")


def _told(
    what: str, sources: Sequence[Source], values: Sequence[Any], consequence: str | None
) -> Iterator[str]:
    """Yield the sentence of a value that is not the same for all series that tell it."""
    holders: dict[Any, list[str]] = {}
    for source, value in zip(sources, values, strict=True):
        if value is not None:
            holders.setdefault(value, []).append(source.id)
    if len(holders) > 1:
        named = "; ".join(f"{value} in {listed(ids)}" for value, ids in holders.items())
        yield f"The {what} differs: {named}" + (f" ({consequence})." if consequence else ".")


def _word(value: Any) -> str:
    """Return the value of an option as people write it."""
    if isinstance(value, list):
        return f"{len(value)} moments from {value[0]:g} to {value[-1]:g}"
    return "all" if value is None else f"{value:g}" if isinstance(value, float) else f"{value}"
