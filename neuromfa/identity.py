"""Identity by content: the same hash is the same object and is never written twice."""

import hashlib
import json
from typing import Any

from neuromfa.network import Provenance
from neuromfa.options import AnalysisOptions


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
            "weights": weights_hash,
            "architecture": provenance.architecture_hash,
            "dtype": provenance.dtype,
            "nodes": provenance.nodes,
            "seed": provenance.seed,
            "row_rule": provenance.row_rule,
            "lambda": scale,
            "graph_max_distance": graph_max_distance,
        }
    )


def analysis_hash(graph_hashes: list[str], options: AnalysisOptions, *, baseline_hash: str | None) -> str:
    """Return the identity of the numbers of one checkpoint: its graphs, the options and what E is measured against."""
    return content_hash({"graphs": graph_hashes, "options": options.as_json(), "baseline": baseline_hash})
