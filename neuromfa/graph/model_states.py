"""The state of a model: a mark that every write to its series changes, so that one look tells what still holds."""

import uuid

from neuromfa.graph.connection import Connection, Transaction


def touch(transaction: Transaction, model: str) -> None:
    """Give a model a new state, in the transaction that changes something of its series."""
    transaction.rows("write/touch_model", id=model, state=_new())


def mark_models(connection: Connection) -> None:
    """Give every model of an older store a state; harmless when done twice."""
    connection.write(lambda transaction: transaction.rows("write/mark_models", state=_new()))


def _new() -> str:
    return uuid.uuid4().hex
