"""What a benchmark needs and this machine may lack; figures that cannot be taken here stay as they were."""

from neuromfa.servers.neo4j_assembly import home_folder, is_assembled

WITH_NEO4J = ("bench_store", "bench_queries")
SENTENCE = (
    "Left out: Neo4j, which `make neo4j-home` fetches. Files with figures of both servers (store.csv, queries.csv) "
    "and the tables of docs/ made of them stay as they were."
)


def has_neo4j() -> bool:
    """Tell whether the figures of a Neo4j can be taken here."""
    return is_assembled(home_folder())
