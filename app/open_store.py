"""The one place where settings become an open graph store, for command line, worker and service alike."""

from neuromfa.app.settings import Settings
from neuromfa.graph import GraphStore, Limits
from neuromfa.graph import open_store as open_graph_store


def open_store(settings: Settings, *, prepare: bool = True) -> GraphStore:
    """Open the store the settings name: Neo4j at `neo4j_uri`, or the embedded one in `data_dir`.

    Parameters
    ----------
    prepare : make or migrate the schema and clear what killed writers left; without it nothing is written

    Raises
    ------
    StoreUnavailable, SchemaMismatch : with what to do in the message
    """
    return open_graph_store(
        uri=settings.neo4j_uri,
        user=settings.neo4j_user,
        password=settings.password or "",
        database=settings.neo4j_database,
        data_dir=settings.data_dir,
        limits=_limits(settings),
        prepare=prepare,
    )


def _limits(settings: Settings) -> Limits:
    usual = Limits()
    return Limits(
        query_s=settings.query_timeout,
        longest_query_s=max(settings.query_timeout, usual.longest_query_s),
        connect_s=settings.connect_timeout,
    )
