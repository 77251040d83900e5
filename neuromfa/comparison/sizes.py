"""Series by their size, and those trained on a deduplicated corpus beside their standard twins."""

from collections.abc import Mapping, Sequence
from math import sqrt

import numpy as np

from neuromfa.comparison.differences import tested
from neuromfa.comparison.plain import PLAIN, plain_values
from neuromfa.comparison.records import (
    COMPARED,
    FEW_SIZES,
    MEASURES,
    NO_VALUE,
    BySize,
    Deduped,
    Difference,
    Pair,
    SeriesSize,
    Source,
    Trend,
)
from neuromfa.comparison.values import values_of

TWIN = "-deduped"
"""What the id of a series trained on the deduplicated corpus ends with, beyond that of its standard twin."""
FEWEST_SIZES, FEWEST_OF_TREND = 2, 3


def by_size(sources: Sequence[Source]) -> BySize | None:
    """Return the last numbers of every series by its parameters, None unless two sizes are known."""
    sized = [(one.checkpoints[-1].parameters, one) for one in sources]
    found = sorted(
        (
            SeriesSize(
                id=one.id,
                parameters=parameters,
                step=one.checkpoints[-1].step,
                values=values_of(one.checkpoints[-1]),
                matrices=plain_values(one.checkpoints[-1]),
            )
            for parameters, one in sized
            if parameters is not None
        ),
        key=lambda one: one.parameters,
    )
    if len({one.parameters for one in found}) < FEWEST_SIZES:
        return None
    trends = {
        measure: _trend([(one.parameters, one.values[measure].value) for one in found])
        for measure in MEASURES
    }
    return BySize(series=found, trends=trends, matrix_trends=_matrix_trends(found))


def _matrix_trends(found: Sequence[SeriesSize]) -> dict[str, Trend] | None:
    own = [(one.parameters, one.matrices) for one in found if one.matrices is not None]
    if len(own) < FEWEST_SIZES:
        return None
    return {measure: _trend([(size, values[measure].value) for size, values in own]) for measure in PLAIN}


def _trend(found: Sequence[tuple[int, float | None]]) -> Trend:
    """Return the rank correlation of sizes and values."""
    from scipy.stats import spearmanr  # half a second to load, for those who compare sizes

    present = [(size, value) for size, value in found if value is not None]
    sizes, values = ([pair[k] for pair in present] for k in (0, 1))
    if min(len(set(sizes)), len(set(values))) < FEWEST_OF_TREND:
        return Trend(rho=None, n=len(present), reason=FEW_SIZES)
    return Trend(rho=float(spearmanr(sizes, values).statistic), n=len(present))


def deduped_of(sources: Sequence[Source], pairs: Sequence[Pair]) -> Deduped | None:
    """Return how series differ from their twins on the deduplicated corpus, None without such twins."""
    ids = {one.id for one in sources}
    twins = [(id.removesuffix(TWIN), id) for id in ids if id.endswith(TWIN) and id.removesuffix(TWIN) in ids]
    if not twins:
        return None
    by_ids = {(pair.first, pair.second): pair for pair in pairs}
    return Deduped(
        pairs=sorted(twins),
        differences={measure: _over_twins(sorted(twins), by_ids, measure) for measure in COMPARED},
    )


def _over_twins(
    twins: Sequence[tuple[str, str]], pairs: Mapping[tuple[str, str], Pair], measure: str
) -> Difference:
    """Return deduplicated - standard, mean over sizes, by Student's t over them."""
    found = [_signed(pairs, standard, deduped, measure) for standard, deduped in twins]
    present = np.array([value for value in found if value is not None])
    n = present.size
    if n < FEWEST_SIZES:
        reason = FEW_SIZES if n else NO_VALUE
        return Difference(value=float(present[0]) if n else None, n=(n, n), reason=reason)
    se = float(present.std(ddof=1)) / sqrt(n)
    return tested(float(present.mean()), se, n - 1.0, method="sizes", n=(n, n))


def _signed(pairs: Mapping[tuple[str, str], Pair], standard: str, deduped: str, measure: str) -> float | None:
    if (deduped, standard) in pairs:
        return pairs[deduped, standard].differences[measure].value
    value = pairs[standard, deduped].differences[measure].value
    return None if value is None else -value
