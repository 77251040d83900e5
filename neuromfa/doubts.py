"""What a checkpoint's own weights, and those of its baseline, say against its numbers: none, or nothing but zeros."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from neuromfa.network import SNIN, WeightArray
from neuromfa.results import CheckpointResult
from neuromfa.summarise import TENSORS_TOLD, Baseline
from neuromfa.weight_flags import NON_FINITE_WEIGHTS, ZERO_WEIGHTS


def doubted(
    result: CheckpointResult, networks: Sequence[SNIN], baseline: Baseline | None
) -> CheckpointResult:
    """Return a result with flags for matrices of zeros, and for a baseline whose weights are not finite.

    Parameters
    ----------
    networks : what was measured, one a seed
    baseline : what E was measured against
    """
    notes = {}
    if result.coverage.edges.dropped["zero"] and (
        zeros := _told(networks, _zeros, together=set.intersection)
    ):
        notes[ZERO_WEIGHTS] = f"all sampled weights of {zeros} are zero"
    if result.emergence is not None and baseline is not None and _dropped_not_finite(baseline):
        where = _told(baseline.networks, _not_finite, together=set.union)
        notes[NON_FINITE_WEIGHTS] = f"sampled weights of the baseline are not finite{where and f': {where}'}"
    # what the step's own weights are stands before what the baseline's are
    notes |= result.flag_notes
    flags = [*result.flags, *(flag for flag in notes if flag not in result.flags)]
    return replace(result, flags=flags, flag_notes=notes) if flags != result.flags else result


def _dropped_not_finite(baseline: Baseline) -> int:
    return sum(measure.dropped["nan"] + measure.dropped["inf"] for measure in baseline.measures)


def _told(
    networks: Sequence[SNIN], holds: Callable[[WeightArray], bool], *, together: Callable[..., set[str]]
) -> str:
    """Return the tensors whose samples are such, empty for none; whole networks are not read again for that.

    Parameters
    ----------
    together : whether every sample of a tensor has to be such (intersection), or one (union)
    """
    kept = [network for network in networks if network.provenance.nodes is not None]
    found = [
        {link.matrix for link in each.links if link.weights is not None and holds(link.weights)}
        for each in kept
    ]
    names = sorted(together(*found)) if found else []
    more = f" and {len(names) - TENSORS_TOLD} tensors more" if len(names) > TENSORS_TOLD else ""
    return f"{', '.join(names[:TENSORS_TOLD])}{more}" if names else ""


def _zeros(weights: WeightArray) -> bool:
    return not weights.any()


def _not_finite(weights: WeightArray) -> bool:
    return not bool(np.isfinite(weights).all())
