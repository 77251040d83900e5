"""The only code that talks to a graph database: `open_store` gives a `GraphStore` on either server."""

from neuromfa import extras
from neuromfa.graph.limits import Limits

try:
    with extras.not_loaded(
        "pandas", "pyarrow"
    ):  # the driver loads them where they are, for values we never give it
        import neo4j  # noqa: F401
    from neuromfa.graph.access import Page
    from neuromfa.graph.manifest import Manifest
    from neuromfa.graph.open_store import open_shared, open_store
    from neuromfa.graph.store import GraphStore
    from neuromfa.stored import Analysis, AnalysisRecord, CheckpointRecord, ModelRecord
except ModuleNotFoundError as error:  # the driver is of an extra
    raise extras.explained(error, what="a graph store") from None

__all__ = [
    "Analysis",
    "AnalysisRecord",
    "CheckpointRecord",
    "GraphStore",
    "Limits",
    "Manifest",
    "ModelRecord",
    "Page",
    "open_shared",
    "open_store",
]
