"""Who may write or delete a sample: one claim at a time, with a lease by the server's clock and a fence."""

import contextlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from neuromfa.errors import StoreConflict, StoreError
from neuromfa.graph.connection import Connection, Transaction
from neuromfa.graph.manifest import layout_from

LEASE_SLACK_S = 0.25
LOADING, DELETING, COMPLETE = "loading", "deleting", "complete"


@dataclass(frozen=True)
class Claim:
    """The right to write or delete one sample for the time of a lease.

    Attributes
    ----------
    id : the graph's hash
    writer : who we are; a random name, so that nobody else is
    number : the sample's number
    lease_ms : the lease
    """

    id: str
    writer: str
    number: int
    lease_ms: int


@dataclass(frozen=True)
class Held:
    """Somebody else's claim: what they do, until when by the server's clock, how long that is from now."""

    status: str
    lease: int
    seconds: float


def claim(
    connection: Connection,
    graph_hash: str,
    *,
    status: str,
    needed: Callable[[Transaction], bool] | None = None,
) -> Claim | None:
    """Become the one who writes or deletes; waits for the end of a lease whose holder is silent.

    Parameters
    ----------
    status : loading or deleting
    needed : asked inside the transaction, once the sample is locked

    Returns
    -------
    claim : None when there is nothing to do: it is complete and `status` is loading, or `needed` says no

    Raises
    ------
    StoreConflict
        Its holder is alive.
    """
    wish = _wish(connection, graph_hash)
    waited_for = None
    while True:
        found = connection.write(lambda transaction: _try(transaction, wish, status, needed))
        if not isinstance(found, Held):
            return found
        if waited_for is not None and found.lease != waited_for:
            raise StoreConflict(
                f"another process is {found.status} sample {graph_hash[:12]}; wait for it, or end it"
            )
        waited_for = found.lease
        time.sleep(found.seconds + LEASE_SLACK_S)


def _wish(connection: Connection, graph_hash: str) -> Claim:
    return Claim(graph_hash, uuid.uuid4().hex, 0, connection.limits.lease_ms)


def _try(
    transaction: Transaction, wish: Claim, status: str, needed: Callable[[Transaction], bool] | None
) -> Claim | Held | None:
    found = transaction.rows("write/claim_sample", id=wish.id)[0]
    if found["status"] == COMPLETE and status == LOADING:
        return None
    # a claim of our own is met when the driver repeats a commit whose answer was lost
    if found["lease"] > found["now"] and found["writer"] != wish.writer:
        return Held(found["status"], found["lease"], (found["lease"] - found["now"]) / 1000)
    if needed is not None and not needed(transaction):
        return None
    number = found["number"] or transaction.rows("write/next_number", counter="sample")[0]["number"]
    taken = {"writer": wish.writer, "number": number, "status": status, "lease_ms": wish.lease_ms}
    transaction.rows("write/take_sample", id=wish.id, **taken)
    return Claim(wish.id, wish.writer, number, wish.lease_ms)


def renew(transaction: Transaction, held: Claim) -> None:
    """Prove that we still hold the sample and lengthen the lease; `StoreConflict` when somebody took over."""
    row = transaction.one("write/renew_sample", id=held.id, writer=held.writer, lease_ms=held.lease_ms)
    if row is None:
        raise lost(held)


def release(connection: Connection, held: Claim) -> None:
    """Let an unfinished sample go, so that the next writer need not wait for the end of the lease."""
    with contextlib.suppress(StoreError):
        connection.write(
            lambda transaction: transaction.rows("write/release_sample", id=held.id, writer=held.writer)
        )


def lost(held: Claim) -> StoreConflict:
    """Return the error of a writer that was taken for dead."""
    return StoreConflict(
        f"sample {held.id[:12]} was taken over by another process because this one was silent for more than "
        f"{held.lease_ms / 1000:g} s; let that one finish, or try again"
    )


def wipe(connection: Connection, held: Claim) -> None:
    """Delete all neurons of the sample, a few at a time, so that readers never wait long."""
    row = connection.read(lambda transaction: transaction.one("read/sample_number", id=held.id))
    for layer in range(len(layout_from(row["layout"] if row else None))):
        while _wipe_some(connection, held, layer):
            pass


def _wipe_some(connection: Connection, held: Claim, layer: int) -> int:
    """Delete a few neurons of a layer, if we still hold the sample."""
    some = {"sample": held.number, "layer": layer, "limit": connection.dialect.delete_neurons}

    def work(transaction: Transaction) -> int:
        renew(transaction, held)
        return int(transaction.rows("write/delete_neurons", **some)[0]["deleted"])

    return connection.write(work, fenced=False)


def unlink(connection: Connection, checkpoint: str, graph_hash: str) -> None:
    """Take a sample from a checkpoint, and delete it when no other checkpoint has it.

    Readers stop seeing it at once; its neurons go in small transactions.
    """

    def last_link(transaction: Transaction) -> bool:
        row = transaction.rows("write/unlink_sample", checkpoint=checkpoint, id=graph_hash)[0]
        return bool(row["others"] == 0)

    _delete(connection, graph_hash, needed=last_link)


def sweep(connection: Connection) -> int:
    """Delete what killed writers and deleters left behind and nobody took over; return how many samples.

    What another process is sweeping at this moment is left to it.
    """
    left = connection.read(lambda transaction: transaction.rows("read/abandoned_samples"))
    return sum(_swept(connection, row["id"]) for row in left)


def _swept(connection: Connection, graph_hash: str) -> bool:
    wish = _wish(connection, graph_hash)
    found = connection.write(lambda transaction: _try(transaction, wish, DELETING, None))
    if not isinstance(found, Claim):
        return False
    try:
        _wipe_all(connection, found)
    except StoreConflict:  # we were slow, and another start has taken it over
        return False
    return True


def _delete(connection: Connection, graph_hash: str, *, needed: Callable[[Transaction], bool]) -> None:
    held = claim(connection, graph_hash, status=DELETING, needed=needed)
    if held is not None:
        _wipe_all(connection, held)


def _wipe_all(connection: Connection, held: Claim) -> None:
    wipe(connection, held)
    connection.write(
        lambda transaction: transaction.rows("write/delete_sample", id=held.id, writer=held.writer)
    )
