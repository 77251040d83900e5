"""From the measures of all seeds of one checkpoint to the record that users get: means, intervals, nulls, coverage."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import overload

import numpy as np

from neuromfa import beyond_scale, mfa
from neuromfa.checkpoints import Checkpoint, SampledCheckpoint
from neuromfa.checkpoints.sampling.links import value_hash
from neuromfa.errors import AnalysisError, OptionError
from neuromfa.method_version import METHOD_VERSION
from neuromfa.network import SNIN, FloatArray, Layer
from neuromfa.options import AnalysisOptions
from neuromfa.results import (
    CheckpointResult,
    Coverage,
    Reading,
    RowDimension,
    ScaleMatched,
    ShapeResult,
)
from neuromfa.structure import ASKED, FEW_EDGES, NO_NULLS, NOT_ASKED, Verdict
from neuromfa.views import View
from neuromfa.weight_flags import NON_FINITE_WEIGHTS

BASELINE_FAILED, OTHER_SHAPE = "baseline_failed", "other_shape"
HASH_SHOWN = 16
TENSORS_TOLD = 3


@dataclass(frozen=True, eq=False)
class Baseline:
    """What E is measured against.

    Attributes
    ----------
    networks : the baseline's networks, one a seed: the null model `rescaled` starts from them
    measures : their measures
    identity : hash of the graphs and options, part of the identity of every E
    shape : measures in profile shape, where they were asked for and exist
    effect : what `changed` of a verdict is measured against, likewise
    failure : why it could not be measured, where E is therefore missing; it then has no networks
    reading : how it was read, for what the steps of a series tell of each other
    """

    networks: tuple[SNIN, ...]
    measures: tuple[mfa.SampleMeasure, ...]
    identity: str
    shape: tuple[mfa.SampleMeasure, ...] | None = None
    effect: tuple[mfa.PairedSample, ...] | None = None
    failure: str | None = None
    reading: Reading | None = None

    @classmethod
    def of(cls, networks: tuple[SNIN, ...], options: AnalysisOptions, *, identity: str) -> "Baseline":
        """Measure a baseline in every view the options ask for."""
        measures = tuple(Measures(networks, options, None))
        wants_shape = options.shape and options.profile != "shape"
        shape = _in_shape(networks, options) if wants_shape else None
        wants_effect = options.nulls and (options.shape or options.profile == "shape")
        effect = tuple(beyond_scale.paired_effect(networks, options)) if wants_effect else None
        return cls(networks, measures, identity, None if shape is None else tuple(shape), effect)

    def reason_against(self, networks: tuple[SNIN, ...]) -> str | None:
        """Return why there is no E of these networks against this baseline, None where there may be one."""
        if self.failure is not None:
            return BASELINE_FAILED
        own, other = (one[0].provenance.architecture_hash for one in (self.networks, networks))
        return OTHER_SHAPE if own != other else None


class Measures(Sequence[mfa.SampleMeasure]):
    """The measures of one checkpoint, each made when first asked for: numbers known already cost nothing.

    `no_emergence` says why the baseline is none for these networks.
    """

    def __init__(
        self, networks: tuple[SNIN, ...], options: AnalysisOptions, baseline: Baseline | None
    ) -> None:
        self.no_emergence = baseline.reason_against(networks) if baseline else None
        self.networks, self.options = networks, options
        self.baseline = None if self.no_emergence else baseline
        self._made: dict[int, mfa.SampleMeasure] = {}

    def __len__(self) -> int:
        return len(self.networks)

    @overload
    def __getitem__(self, k: int) -> mfa.SampleMeasure: ...
    @overload
    def __getitem__(self, k: slice) -> Sequence[mfa.SampleMeasure]: ...
    def __getitem__(self, k: int | slice) -> mfa.SampleMeasure | Sequence[mfa.SampleMeasure]:
        if isinstance(k, slice):
            return [self[i] for i in range(*k.indices(len(self)))]
        if not 0 <= k < len(self):
            raise IndexError(k)
        if k not in self._made:
            # the scale-matched reading stands beside the plain figures, never instead of them
            self._made[k] = mfa.measure(self.networks[k], replace(self.options, rms_scaled=False))
        return self._made[k]


def _in_shape(networks: tuple[SNIN, ...], options: AnalysisOptions) -> list[mfa.SampleMeasure] | None:
    """Return the measures in profile shape, None where a sample has no spectrum there."""
    try:
        return list(Measures(networks, options.in_shape, None))
    except AnalysisError:
        return None


def summarise(
    checkpoint: Checkpoint, sampled: SampledCheckpoint, hashes: list[str], measures: Measures, identity: str
) -> CheckpointResult:
    """Return the record of one checkpoint from the measures of all its seeds."""
    options, baseline = measures.options, measures.baseline
    starts = baseline.measures if baseline else None
    paired = (
        beyond_scale.paired_of(measures.networks, options, baseline=baseline.networks if baseline else None)
        if options.nulls
        else None
    )
    asked = View(measures.networks, measures, paired.asked if paired else None, starts, measures.no_emergence)
    numbers = asked.result(hashes)
    shape, shape_reason = _shape_result(measures, paired, hashes)
    not_finite = _not_finite(measures)
    return CheckpointResult(
        step=checkpoint.step,
        revision=checkpoint.revision,
        tokens=checkpoint.tokens,
        rms=_rms(measures),
        parameters=sampled.tensors.parameters,
        **{each.name: getattr(numbers, each.name) for each in fields(numbers) if each.name != "flags"},
        emergence_tie=mfa.emergence_of(measures, baseline=starts).tie if options.profile == "paper" else None,
        coverage=Coverage(mfa.node_coverage(measures), mfa.edge_coverage(measures), sampled.tensors),
        flags=[*numbers.flags, NON_FINITE_WEIGHTS] if not_finite else numbers.flags,
        flag_notes={NON_FINITE_WEIGHTS: not_finite} if not_finite else {},
        reading=reading_of(sampled),
        analysis_hash=identity,
        method_version=METHOD_VERSION,
        dimensions=_dimensions(measures),
        scale_matched=_scale_matched(measures) if options.rms_scaled else None,
        terms=beyond_scale.terms(paired.asked, baseline=starts) if paired else None,
        shape=shape,
        shape_reason=shape_reason,
        verdict=_verdict(measures, paired, shape_reason),
    )


def _shape_result(
    measures: Measures, paired: beyond_scale.Paired | None, hashes: list[str]
) -> tuple[ShapeResult | None, str | None]:
    """Return the reading in profile shape, or None and why there is none."""
    options, baseline = measures.options, measures.baseline
    if options.profile == "shape":
        few = _has_few_edges(list(measures))
        return None, FEW_EDGES if few else ASKED
    if not options.shape:
        return None, NOT_ASKED
    found = _in_shape(measures.networks, options)
    if found is None or _has_few_edges(found):
        return None, FEW_EDGES
    view = View(
        measures.networks,
        found,
        paired.shape if paired else None,
        baseline.shape if baseline else None,
        measures.no_emergence,
    )
    return view.result(hashes), None


def _has_few_edges(measures: Sequence[mfa.SampleMeasure]) -> bool:
    """Return whether fewer than half of the nodes have enough edges in range."""
    nodes = mfa.node_coverage(measures)
    return nodes.kept < nodes.total / 2


def _verdict(measures: Measures, paired: beyond_scale.Paired | None, shape_reason: str | None) -> Verdict:
    if paired is None:
        return beyond_scale.no_verdict(NO_NULLS)
    if paired.effect is None or shape_reason == FEW_EDGES:
        return beyond_scale.no_verdict(shape_reason or FEW_EDGES)
    baseline = measures.baseline.effect if measures.baseline else None
    return beyond_scale.verdict_of(paired.effect, measures.networks, baseline=baseline)


def reading_of(sampled: SampledCheckpoint) -> Reading:
    """Return how a checkpoint was read, and the weights of its first seed by tensor.

    Weights that float32 holds exactly have one hash in every number format, so that a copy in another is seen.
    """
    network, hashes = sampled.networks[0], sampled.link_hashes[0]
    if network.provenance.nodes is not None:
        hashes = tuple(map(value_hash, network.links))
    source = network.provenance
    return Reading(
        architecture=source.architecture,
        architecture_hash=source.architecture_hash,
        dtype=source.dtype,
        matrices={
            name: digest[:HASH_SHOWN]
            for name, digest in zip(sampled.link_names, hashes, strict=True)
            if digest
        },
    )


def _not_finite(measures: Measures) -> str | None:
    """Return which sampled weights are no numbers, None where all are."""
    if not any(measure.dropped["nan"] + measure.dropped["inf"] for measure in measures):
        return None
    counts: dict[str, int] = {}
    for network in measures.networks:
        for link in network.links:
            if link.weights is not None:
                bad = link.weights.size - int(np.count_nonzero(np.isfinite(link.weights)))
                counts[link.matrix] = counts.get(link.matrix, 0) + bad
    told = [f"{count:,} of {name}" for name, count in counts.items() if count]
    more = f" and of {len(told) - TENSORS_TOLD} tensors more" if len(told) > TENSORS_TOLD else ""
    return f"sampled weights are not finite: {', '.join(told[:TENSORS_TOLD])}{more}"


def _rms(measures: Measures) -> float | None:
    known = [measure.rms for measure in measures if measure.rms is not None]
    return float(np.mean(known)) if len(known) == len(measures) else None


def _scale_matched(measures: Measures) -> ScaleMatched | None:
    """Return the reading with the growth of the weights divided out; None without a baseline."""
    if measures.baseline is None:
        return None
    starts = measures.baseline.measures
    ratios = [_rms_ratio(m, start) for m, start in zip(measures, starts, strict=True)]
    scaled = [
        mfa.measure(network, measures.options, rms_ratio=ratio)
        for network, ratio in zip(measures.networks, ratios, strict=True)
    ]
    return ScaleMatched(
        rms_ratio=float(np.mean(ratios)),
        alpha0=mfa.mean_alpha0(scaled),
        width=mfa.mean_width(scaled),
        emergence=mfa.emergence_of(scaled, baseline=starts).estimate,
    )


def _rms_ratio(measure: mfa.SampleMeasure, start: mfa.SampleMeasure) -> float:
    if not measure.rms or not start.rms:
        raise OptionError(
            f"seed {measure.seed}: the weights have no scale, so rms-scaled has nothing to divide by"
        )
    return measure.rms / start.rms


def _dimensions(measures: Measures) -> list[RowDimension]:
    """Return how the node fractal dimension is spread over the neurons of each row, all samples together."""
    pooled: list[FloatArray] = []
    layers: list[Layer] = []
    for measure, network in zip(measures, measures.networks, strict=True):
        pooled.extend(measure.measures.nfd)
        layers.extend(network.layers)
    return [
        RowDimension(d.row, d.n, d.mean, d.std, list(d.quantiles))
        for d in mfa.dimension_by_row(pooled, layers=layers)
    ]
