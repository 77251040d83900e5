"""The only code that talks to a graph database: `open_store` gives a `GraphStore` on either server."""

from neuromfa.graph.limits import Limits
from neuromfa.graph.manifest import Manifest
from neuromfa.graph.store import (
    AnalysisRecord,
    CheckpointRecord,
    GraphStore,
    ModelRecord,
    Page,
    open_store,
)

__all__ = [
    "AnalysisRecord",
    "CheckpointRecord",
    "GraphStore",
    "Limits",
    "Manifest",
    "ModelRecord",
    "Page",
    "open_store",
]
