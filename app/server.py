"""Running the service: first the port, then the store, then requests until a signal."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Event
from types import FrameType
from typing import NoReturn

from neuromfa.app.arenas import few_arenas
from neuromfa.app.collecting import collecting_nothing, leave_what_is_there

with collecting_nothing():
    import uvicorn

    from neuromfa.app.http_protocol import BoundedProtocol
    from neuromfa.app.log_lines import log_config
    from neuromfa.app.main import create_app
    from neuromfa.app.open_store import open_store
    from neuromfa.app.settings import PREFIX, Settings, refuse_public_without_key
    from neuromfa.app.warming import warming
    from neuromfa.errors import OptionError

BACKLOG = 512
TURN_S = 0.001  # how long a thread that calculates keeps the event loop waiting for its turn
HEAD_START_S = 0.05  # what the requests that waited for the service have before it warms up


class _Stopped(BaseException):
    """SIGINT or SIGTERM arrived: leave in order, whatever is under way."""


class _Server(uvicorn.Server):
    """A server that tells when it listens."""

    def __init__(self, config: uvicorn.Config, *, listens: Event) -> None:
        super().__init__(config)
        self._listens = listens

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and tell it a little later."""
        await super().startup(sockets=sockets)
        asyncio.get_running_loop().call_later(HEAD_START_S, self._listens.set)


def run(settings: Settings, *, ready: Callable[[str], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM, then finish what runs, close the store and return.

    Parameters
    ----------
    ready : called with the address once the port is ours and the store is open

    Raises
    ------
    OptionError : the port is taken or the address is not ours, or it is public and there is no key
    StoreUnavailable, SchemaMismatch : the store cannot be opened
    """
    refuse_public_without_key(settings)
    try:
        with _stopping(), closing(bind(settings)) as listener, closing(open_store(settings)) as store:
            sys.setswitchinterval(TURN_S)
            few_arenas()
            app, listens = create_app(settings, store=store), Event()
            server = _Server(_config(settings, app), listens=listens)
            leave_what_is_there()
            if ready is not None:
                ready(address_of(listener))
            with warming(app, store, begin=listens):
                server.run(sockets=[listener])
    except _Stopped:
        pass


def bind(settings: Settings) -> socket.socket:
    """Return a listening socket at the address of the settings, or raise `OptionError` with one sentence."""
    where = f"{settings.host}:{settings.port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise OptionError(f"cannot listen on {where}: {error.strerror}; see {PREFIX}HOST") from None
    try:
        # Without it a restarted service would wait a minute for the old connections to be forgotten.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise OptionError(
            f"cannot listen on {where}: {error.strerror}; stop what runs there or choose another {PREFIX}PORT"
        ) from None
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the http address a person can open."""
    host, port = listener.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"


def _config(settings: Settings, app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=BoundedProtocol,
        log_config=log_config(settings.log_level),
        log_level=settings.log_level,
        timeout_graceful_shutdown=max(1, round(settings.shutdown_timeout)),
        server_header=False,
        date_header=True,
        lifespan="on",
    )


@contextmanager
def _stopping() -> Iterator[None]:
    """Let the first signal raise `_Stopped`; later ones do not disturb the way out.

    While uvicorn runs it takes the signals itself, finishes its requests and then hands them on to us.
    """

    def stop(_: int, __: FrameType | None) -> NoReturn:
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        raise _Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
