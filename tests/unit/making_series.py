"""Series in closed form, with samples whose figures are given one by one, for tests of comparisons."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from neuromfa.beyond_scale import no_verdict
from neuromfa.comparison import Source
from neuromfa.mfa.excess import statistics
from neuromfa.mfa.uncertainty import mean_estimate
from neuromfa.mfa.verdict import structure_of
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult, NodeCoverage, Reading, SampleResult
from neuromfa.structure import Excess, NullExcess, NullValues, Verdict
from tests.unit.making_results import checkpoint

DRAWS = 2
NULL_ALPHA0, NULL_WIDTH, NULL_VARIANCE = 1.4, 0.5, 0.02


def series(
    id: str,
    *checkpoints: CheckpointResult,
    options: AnalysisOptions | None = None,
) -> Source:
    """A source whose whole results are all at hand."""
    return Source(id, options or AnalysisOptions(), checkpoints, {one.step: one for one in checkpoints})


def numbers(
    step: int | None,
    *,
    g2: Sequence[float],
    excess: Sequence[float] | None = None,
    first_seed: int = 0,
    rho: float = 0.0,
    tokens: int | None = None,
    whole: bool = False,
) -> CheckpointResult:
    """A checkpoint with one sample for every g2; `excess` is that of alpha0, and twice that of the width."""
    excess = excess if excess is not None else [0.001 * k for k in range(len(g2))]
    samples = [
        _sample(first_seed + k, alpha0=one, variance=other)
        for k, (one, other) in enumerate(zip(excess, g2, strict=True))
    ]

    def over(values: Sequence[float]) -> Excess:
        se = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
        return statistics(float(np.mean(values)), se, n=len(values), draws=DRAWS, rho=rho, whole=whole)

    over_null = NullExcess(
        alpha0=over(excess), width=over([2 * one for one in excess]), nfd_variance=over(g2), emergence=None
    )
    effect = structure_of(over_null.nfd_variance, rho=rho)
    plain = checkpoint(step)
    return replace(
        plain,
        tokens=tokens,
        alpha0=mean_estimate([sample.alpha0 for sample in samples]),
        width=mean_estimate([sample.width for sample in samples]),
        excess={"shuffled": over_null},
        verdict=Verdict(structure=effect, changed=None, sentence="", strongest="mlp"),
        coverage=replace(plain.coverage, nodes=NodeCoverage(8 * len(samples), 10 * len(samples), {})),
        samples=samples,
        reading=Reading("gpt_neox", "neox", "float16", {}),
        method_version=4,
    )


def without_verdict(result: CheckpointResult, reason: str) -> CheckpointResult:
    """The same, of which nothing can be said."""
    return replace(result, verdict=no_verdict(reason))


def _sample(seed: int, *, alpha0: float, variance: float) -> SampleResult:
    null = NullValues(
        alpha0=[NULL_ALPHA0 - 0.1, NULL_ALPHA0 + 0.1],
        width=[NULL_WIDTH] * DRAWS,
        nfd_variance=[NULL_VARIANCE] * DRAWS,
    )
    return SampleResult(
        seed=seed,
        tau=[],
        alpha0=NULL_ALPHA0 + alpha0,
        alpha0_tie=(1.0, 1.0),
        width=NULL_WIDTH + 2 * alpha0,
        nodes_kept=8,
        nodes_total=10,
        r_min=1,
        r_max=100,
        r_squared={},
        graph_hash="",
        nfd_variance=NULL_VARIANCE + variance,
        nulls={"shuffled": null},
    )
