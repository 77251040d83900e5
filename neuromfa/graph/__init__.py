"""The only code that talks to a graph database: `open_store` gives a `GraphStore` on either server."""

from neuromfa import extras
from neuromfa.graph.limits import Limits
from neuromfa.graph.manifest import Manifest

try:
    from neuromfa.graph.store import (
        AnalysisRecord,
        CheckpointRecord,
        GraphStore,
        ModelRecord,
        Page,
        open_store,
    )
except ModuleNotFoundError as error:  # the driver is of an extra
    raise extras.explained(error, what="a graph store") from None

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
