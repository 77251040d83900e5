"""The one place where settings become an open graph store, for command line, worker and service alike."""

from app.settings import Settings
from neuromfa import graph


def open_store(settings: Settings) -> graph.GraphStore:
    """Open the store the settings name: Neo4j at `neo4j_uri`, or the embedded one in `data_dir`.

    Raises
    ------
    StoreUnavailable, SchemaMismatch : with what to do in the message
    """
    return graph.open_store(
        uri=settings.neo4j_uri,
        user=settings.neo4j_user,
        password=settings.password,
        data_dir=settings.data_dir,
        connect_timeout=settings.connect_timeout,
        query_timeout=settings.query_timeout,
        start_timeout=settings.start_timeout,
    )
