"""What the first reader of a service would wait for, done beside its first requests.

The server plans each query when it first meets it, records are read by what is made at their first use, and the curve
of a long series loads a library: one curve and one spectrum, read as a reader would, do all that.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context
from threading import Thread

from neuromfa.app.curve_memory import CurveMemory
from neuromfa.app.series_parts import spectrum_of
from neuromfa.errors import NeuroMFAError
from neuromfa.graph import GraphStore
from neuromfa.graph.given_up import Asker, asking

log = logging.getLogger("neuromfa.app")


@contextmanager
def warming(store: GraphStore) -> Iterator[None]:
    """Read a series in a thread, which is over when the block is."""
    asker, context = Asker(), Context()
    context.run(asking.set, asker)
    thread = Thread(target=context.run, args=(_warm, store), name="warming", daemon=True)
    thread.start()
    try:
        yield
    finally:
        asker.give_up()
        thread.join()


def _warm(store: GraphStore) -> None:
    try:
        read_one_series(store)
    except NeuroMFAError as error:
        log.info("no series was read before the first request: %s", error)


def read_one_series(store: GraphStore) -> None:
    """Read the curve and a spectrum of the first series that has them, among the first few."""
    for record in store.models(limit=5, cursor=None).items:
        index = store.series_index(record.id)
        if index.analyses:
            chosen = index.analyses[0].options_hash
            CurveMemory().whole(store, index, chosen)
            spectrum_of(store, step=index.newest(chosen)[-1], samples=False)
            return
