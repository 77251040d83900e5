"""Several series compared: aligned curves, differences with intervals, replicates, and what stands in the way."""

from neuromfa.comparison.compare import (
    check_groups,
    check_series,
    compare,
    group_from,
    needed_steps,
)
from neuromfa.comparison.records import Comparison, FailedSeries, Group, Source

__all__ = [
    "Comparison",
    "FailedSeries",
    "Group",
    "Source",
    "check_groups",
    "check_series",
    "compare",
    "group_from",
    "needed_steps",
]
