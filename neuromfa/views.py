"""One profile of a checkpoint: its numbers over all seeds, with what stands beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuromfa import beyond_scale, mfa
from neuromfa.network import SNIN
from neuromfa.results import SampleResult, ShapeResult
from neuromfa.structure import NullValues


@dataclass(frozen=True, eq=False)
class View:
    """One profile of a checkpoint, with what its numbers are compared with.

    Attributes
    ----------
    measures, paired : one a seed; no paired samples where no nulls were asked for
    baseline : the baseline's measures in the same profile, or None
    no_emergence : why the baseline is none for these networks
    """

    networks: tuple[SNIN, ...]
    measures: Sequence[mfa.SampleMeasure]
    paired: Sequence[mfa.PairedSample] | None
    baseline: Sequence[mfa.SampleMeasure] | None
    no_emergence: str | None

    def result(self, hashes: list[str]) -> ShapeResult:
        """Return the numbers of this profile; `hashes` name the graphs of the samples."""
        emergence = mfa.emergence_of(self.measures, baseline=self.baseline)
        return ShapeResult(
            alpha0=mfa.mean_alpha0(self.measures),
            width=mfa.mean_width(self.measures),
            emergence=emergence.estimate,
            emergence_reason=self.no_emergence or emergence.reason,
            nulls=mfa.null_metrics(self.paired, baseline=self.baseline) if self.paired else None,
            excess=beyond_scale.excess_of(self.paired, self.networks, baseline=self.baseline)
            if self.paired
            else None,
            r_squared=mfa.mean_r_squared(self.measures),
            flags=mfa.checkpoint_flags(self.measures, baseline=self.baseline),
            spectrum=mfa.mean_spectrum(self.measures),
            samples=[
                _sample_result(measure, hashes[k], self.paired[k] if self.paired else None)
                for k, measure in enumerate(self.measures)
            ],
        )


def _sample_result(
    measure: mfa.SampleMeasure, graph_hash: str, paired: mfa.PairedSample | None
) -> SampleResult:
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
        nfd_variance=_nfd_variance(paired.real) if paired else None,
        nulls={kind: _null_values(draws) for kind, draws in paired.nulls.items()} if paired else {},
    )


def _null_values(draws: Sequence[mfa.Draw]) -> NullValues:
    figures = [draw.figures for draw in draws]
    return NullValues(
        alpha0=[one.alpha0 if one else None for one in figures],
        width=[one.width if one else None for one in figures],
        nfd_variance=[_nfd_variance(draw) for draw in draws],
    )


def _nfd_variance(draw: mfa.Draw) -> float | None:
    """Return the mean over matrices of the variance of NFD within each, None where no matrix keeps two nodes."""
    if draw.figures is None or np.isnan(draw.figures.nfd_variance).all():
        return None
    return float(np.nanmean(draw.figures.nfd_variance))
