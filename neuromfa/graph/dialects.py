"""Where the two servers differ: one record each, so that no other code asks which server it talks to."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
    timeout_grace_s : how late the server may be with ending a query, before the connection is cut
    explains : EXPLAIN tells the type of a query and every operator of its plan; otherwise it is not asked
    foreign_operators : beginnings of the operators that leave the data of the graph, with the words that bring
        them; checked for queries of users only
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
    timeout_grace_s: float
    explains: bool
    foreign_operators: Mapping[str, str] = field(default_factory=dict)


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
            "Neo.TransientError.General.StackOverFlowError",
        }
    ),
    refused_codes=frozenset({"Neo.ClientError.Statement.AccessMode", "Neo.ClientError.Security.Forbidden"}),
    read_sessions=True,
    client_timeouts=True,
    timeout_grace_s=2.0,
    explains=True,
    foreign_operators={
        "LoadCSV": "LOAD CSV",
        "ProcedureCall": "the call of a procedure",
        "Show": "SHOW",
        "Terminate": "TERMINATE",
        "Transaction": "CALL ... IN TRANSACTIONS",
        "AdministrationCommand": "an administration command",
    },
)

ARCADEDB = Dialect(
    name="ArcadeDB",
    agent_mark="ArcadeDB",
    chunk_edges=20_000,
    chunk_neurons=20_000,
    delete_neurons=250,
    retryable=frozenset(
        {
            "Neo.ClientError.Schema.ConstraintValidationFailed",
            "Neo.ClientError.Statement.EntityNotFound",  # somebody has just deleted what this one found
        }
    ),
    timeout_codes=frozenset({"Neo.ClientError.Transaction.TransactionTimedOut"}),
    memory_codes=frozenset({"Neo.TransientError.General.OutOfMemoryError"}),
    refused_codes=frozenset({"Neo.ClientError.Security.Forbidden"}),
    read_sessions=False,
    client_timeouts=False,
    timeout_grace_s=0.0,
    explains=False,
)


def dialect_of(agent: str) -> Dialect:
    """Return the dialect of the server that greets with `agent`; ArcadeDB also calls itself Neo4j there."""
    return ARCADEDB if ARCADEDB.agent_mark in agent else NEO4J
