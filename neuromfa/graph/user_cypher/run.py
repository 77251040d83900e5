"""Asking a query of a user's: its text, its plan, then its rows, behind the same barrier as every read."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from neo4j.exceptions import AuthError, Neo4jError

from neuromfa.declared import DOCUMENTED
from neuromfa.errors import OptionError, QueryRefused
from neuromfa.graph.connection import Connection, Transaction
from neuromfa.graph.user_cypher.check_text import check_text
from neuromfa.graph.user_cypher.to_json import Plain, check_parameters

MOST_ROWS = 10_000
READS = "r"


@dataclass(frozen=True)
class FreeQuery:
    """A Cypher text of a user's and its parameters."""

    text: str
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What a query may cost.

    Attributes
    ----------
    rows : of the answer
    bytes : of the rows as JSON
    seconds : until the query is given up; never unlimited
    memory : bytes the process that reads the answer may take for it
    """

    rows: int = 1000
    bytes: int = 4_000_000
    seconds: float = 10.0
    memory: int = 500_000_000

    def __post_init__(self) -> None:
        if not 1 <= self.rows <= MOST_ROWS:
            raise OptionError(f"rows is 1..{MOST_ROWS}, not {self.rows}")
        if min(self.bytes, self.memory) < 1 or not 0 < self.seconds <= 600:
            raise OptionError("bytes and memory are above 0, seconds above 0 and at most 600")


@dataclass(frozen=True)
class Table:
    """What a query answered."""

    __pydantic_config__ = DOCUMENTED

    columns: list[str]
    """Names, in the order of RETURN."""
    rows: list[list[Any]]
    """Plain JSON values, one list a row."""
    truncated: Literal["rows", "bytes"] | None
    """Null, or which bound left out the rows that would follow."""
    not_finite: int
    """Number of NaN and infinities that became null."""


def ask(connection: Connection, query: FreeQuery, bounds: Bounds) -> Table:
    """Run a query that can only read, in this process.

    Raises
    ------
    QueryRefused : it wants more than to read the graph, or the server cannot understand it
    QueryTimeout, QueryTooLarge, StoreUnavailable : as for every read
    """
    check_text(query.text)
    check_parameters(query.parameters)
    return connection.read(lambda transaction: _ask(transaction, query, bounds), timeout_s=bounds.seconds)


def _ask(transaction: Transaction, query: FreeQuery, bounds: Bounds) -> Table:
    try:
        with transaction.told_at_once():
            if transaction.dialect.explains:
                _check_plan(transaction, query)
            result = transaction.result_of(query.text, query.parameters)
            return _table(list(result.keys()), iter(result), bounds)
    except Neo4jError as error:
        refusal = _refusal(error, transaction)
        if refusal is None:
            raise
        raise refusal from error


def _check_plan(transaction: Transaction, query: FreeQuery) -> None:
    """Refuse what the server itself says is no reading of the graph."""
    summary = transaction.result_of(f"EXPLAIN {query.text}", query.parameters).consume()
    for operator in _operators(summary.plan or {}):
        for beginning, words in transaction.dialect.foreign_operators.items():
            if operator.startswith(beginning):
                raise QueryRefused(f"{words} is refused (operator {operator} of the query's plan)")
    if summary.query_type != READS:
        raise QueryRefused(
            f"only reads are taken; the server calls this a query of type {summary.query_type}"
        )


def _operators(plan: Mapping[str, Any]) -> Iterator[str]:
    yield str(plan.get("operatorType", ""))
    for child in plan.get("children", []):
        yield from _operators(child)


def _table(columns: list[str], records: Iterator[Any], bounds: Bounds) -> Table:
    """Read rows until a bound is reached."""
    plain, rows, size = Plain(), list[list[Any]](), 0
    for record in records:
        if len(rows) == bounds.rows:
            return Table(columns, rows, "rows", plain.not_finite)
        row = plain.of(list(record.values()))
        size += len(json.dumps(row, ensure_ascii=False).encode())
        if size > bounds.bytes:
            return Table(columns, rows, "bytes", plain.not_finite)
        rows.append(row)
    return Table(columns, rows, None, plain.not_finite)


def _refusal(error: Neo4jError, transaction: Transaction) -> QueryRefused | None:
    """Return our error where the query is at fault; None leaves the rest to `mapped`."""
    code, dialect = error.code or "", transaction.dialect
    told_below = code in dialect.timeout_codes | dialect.refused_codes or "Transient" in code
    if isinstance(error, AuthError) or told_below:
        return None
    words = str(error.message or "").splitlines()[:1]
    return QueryRefused(
        f"the server cannot run this query: {code.rpartition('.')[2]}: {''.join(words)[:500]}"
    )
