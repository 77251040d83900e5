"""Where the two servers differ: one record each, so that no other code asks which server it talks to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """One kind of server.

    Attributes
    ----------
    name : for people
    agent_mark : how its answer to a greeting is recognised
    chunk_edges : relationships in one transaction
    chunk_neurons : neurons in one transaction
    delete_neurons : neurons deleted, with their edges, in one transaction; small, so that readers do not wait
    retryable : codes of errors that only mean somebody was faster, beyond those the driver retries itself
    timeout_codes : codes of a query that ran into its limit
    memory_codes : codes of a query that wanted too much memory; the driver must not retry these
    refused_codes : codes of a write sent where only reads are allowed
    read_sessions : the server refuses writes in a READ session; otherwise reads need a user that cannot write
    client_timeouts : a transaction may bring its own limit; otherwise only the server's own setting holds
    """

    name: str
    agent_mark: str
    chunk_edges: int
    chunk_neurons: int
    delete_neurons: int
    retryable: frozenset[str]
    timeout_codes: frozenset[str]
    memory_codes: frozenset[str]
    refused_codes: frozenset[str]
    read_sessions: bool
    client_timeouts: bool


NEO4J = Dialect(
    name="Neo4j",
    agent_mark="Neo4j/",
    chunk_edges=20_000,
    chunk_neurons=20_000,
    delete_neurons=250,
    retryable=frozenset(
        {
            "Neo.ClientError.Schema.ConstraintValidationFailed",  # two MERGE of one new node
            "Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists",
        }
    ),
    timeout_codes=frozenset(
        {
            "Neo.ClientError.Transaction.TransactionTimedOut",
            "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration",
        }
    ),
    memory_codes=frozenset(
        {
            "Neo.TransientError.General.MemoryPoolOutOfMemoryError",
            "Neo.TransientError.General.OutOfMemoryError",
        }
    ),
    refused_codes=frozenset({"Neo.ClientError.Statement.AccessMode", "Neo.ClientError.Security.Forbidden"}),
    read_sessions=True,
    client_timeouts=True,
)

ARCADEDB = Dialect(
    name="ArcadeDB",
    agent_mark="ArcadeDB",
    chunk_edges=20_000,
    chunk_neurons=20_000,
    delete_neurons=250,
    retryable=frozenset({"Neo.ClientError.Schema.ConstraintValidationFailed"}),
    timeout_codes=frozenset({"Neo.ClientError.Transaction.TransactionTimedOut"}),
    memory_codes=frozenset({"Neo.TransientError.General.OutOfMemoryError"}),
    refused_codes=frozenset({"Neo.ClientError.Security.Forbidden"}),
    read_sessions=False,
    client_timeouts=False,
)


def dialect_of(agent: str) -> Dialect:
    """Return the dialect of the server that greets with `agent`; ArcadeDB also calls itself Neo4j there."""
    return ARCADEDB if ARCADEDB.agent_mark in agent else NEO4J
