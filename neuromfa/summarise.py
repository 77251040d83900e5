"""From the measures of all seeds of one checkpoint to the record that users get: means, intervals, nulls, coverage."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np

from neuromfa import mfa
from neuromfa.checkpoints import Checkpoint, SampledCheckpoint
from neuromfa.checkpoints.sampling.links import value_hash
from neuromfa.errors import OptionError
from neuromfa.method_version import METHOD_VERSION
from neuromfa.network import SNIN, FloatArray, Layer
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult, Coverage, Reading, RowDimension, SampleResult, ScaleMatched

BASELINE_FAILED, OTHER_SHAPE = "baseline_failed", "other_shape"
NON_FINITE_WEIGHTS = "non_finite_weights"
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
    failure : why it could not be measured, where E is therefore missing; it then has no networks
    reading : how it was read, for what the steps of a series tell of each other
    """

    networks: tuple[SNIN, ...]
    measures: tuple[mfa.SampleMeasure, ...]
    identity: str
    failure: str | None = None
    reading: Reading | None = None

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

    def pairs(self) -> Iterator[tuple[SNIN, SNIN | None]]:
        """Yield every network with that of the baseline at the same seed."""
        partners = self.baseline.networks if self.baseline else (None,) * len(self)
        return zip(self.networks, partners, strict=True)


def summarise(
    checkpoint: Checkpoint, sampled: SampledCheckpoint, hashes: list[str], measures: Measures, identity: str
) -> CheckpointResult:
    """Return the record of one checkpoint from the measures of all its seeds."""
    options = measures.options
    baseline = measures.baseline.measures if measures.baseline else None
    emergence = mfa.emergence_of(measures, baseline=baseline)
    flags = mfa.checkpoint_flags(measures, baseline=baseline)
    not_finite = _not_finite(measures)
    return CheckpointResult(
        step=checkpoint.step,
        revision=checkpoint.revision,
        tokens=checkpoint.tokens,
        alpha0=mfa.mean_alpha0(measures),
        width=mfa.mean_width(measures),
        emergence=emergence.estimate,
        emergence_reason=measures.no_emergence or emergence.reason,
        emergence_tie=emergence.tie if options.profile == "paper" else None,
        nulls=mfa.null_metrics(_nulls(measures), baseline=baseline) if options.nulls else None,
        coverage=Coverage(mfa.node_coverage(measures), mfa.edge_coverage(measures), sampled.tensors),
        flags=[*flags, NON_FINITE_WEIGHTS] if not_finite else flags,
        flag_notes={NON_FINITE_WEIGHTS: not_finite} if not_finite else {},
        reading=reading_of(sampled),
        r_squared=mfa.mean_r_squared(measures),
        spectrum=mfa.mean_spectrum(measures),
        samples=[_sample_result(m, h) for m, h in zip(measures, hashes, strict=True)],
        analysis_hash=identity,
        method_version=METHOD_VERSION,
        dimensions=_dimensions(measures),
        scale_matched=_scale_matched(measures) if options.rms_scaled else None,
    )


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


def _nulls(measures: Measures) -> list[dict[mfa.NullKind, mfa.NullMeasure]]:
    plain = replace(measures.options, rms_scaled=False)
    return [mfa.measure_nulls(network, plain, baseline=partner) for network, partner in measures.pairs()]


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


def _sample_result(measure: mfa.SampleMeasure, graph_hash: str) -> SampleResult:
    return SampleResult(
        seed=measure.seed,
        tau=measure.tau.tolist(),
        alpha0=measure.alpha0,
        alpha0_tie=measure.alpha0_tie,
        width=measure.width,
        nodes_kept=measure.nodes_kept,
        nodes_total=measure.nodes_total,
        r_min=int(measure.radii[0]),
        r_max=int(measure.radii[-1]),
        r_squared=dict(measure.r_squared),
        graph_hash=graph_hash,
        dropped_last_rows=measure.dropped_last_rows,
    )


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
