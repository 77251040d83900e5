"""Identity by content: the same hash is the same object and is never written twice."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from neuromfa.method_version import METHOD_VERSION
from neuromfa.network import Provenance
from neuromfa.options import AnalysisOptions

UNVERSIONED_GRAPH = 1
"""The version of graphs that say none."""

GRAPH_VERSION = 3
"""Raised whenever the same weights, read the same way, give another graph."""


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys, no spaces, and no NaN: the same text for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def content_hash(value: Any) -> str:
    """Return the sha256 (hex) of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def graph_hash(provenance: Provenance, *, weights_hash: str, scale: float, graph_max_distance: float) -> str:
    """Return the identity of a sampled graph; `weights_hash` is the sha256 of the sampled weights."""
    return content_hash(
        {
            "graph_version": GRAPH_VERSION,
            "weights": weights_hash,
            "reading": provenance.architecture_hash,
            "dtype": provenance.dtype,
            "nodes": provenance.nodes,
            "seed": provenance.seed,
            "row_rule": provenance.row_rule,
            "lambda": scale,
            "graph_max_distance": graph_max_distance,
        }
    )


def options_hash(options: AnalysisOptions) -> str:
    """Return the identity of a set of options under this version of the method.

    Only what differs from the defaults enters, so that a new option with its default moves no identity.
    """
    return content_hash({"method_version": METHOD_VERSION, "options": options.differing()})


def analysis_hash(graph_hashes: Sequence[str], options: AnalysisOptions, *, baseline_hash: str | None) -> str:
    """Return the identity of the numbers of one checkpoint: its graphs, the options and what E is measured against."""
    return content_hash(
        {"graphs": list(graph_hashes), "options": options_hash(options), "baseline": baseline_hash}
    )
