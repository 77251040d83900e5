"""HTTP on the wire as uvicorn reads it, with an end to the waiting for headers, and refusals that are problems too."""

import asyncio
import secrets
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from neuromfa.app.errors import BAD_REQUEST, TOO_SLOW, ProblemKind, answer

HEADERS_S = 10.0
MAY_ANSWER = (h11.IDLE, h11.SEND_RESPONSE)


class BoundedProtocol(H11Protocol):
    """One connection. Whoever does not end the headers of a request in `HEADERS_S` is let go."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for headers."""
        super().connection_made(transport)
        self._wait_for_headers()

    def data_received(self, data: bytes) -> None:
        """Take what came; headers that are not there yet are waited for from their first byte on."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Go on with what came while an answer was under way."""
        super().on_response_complete()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._refuse(BAD_REQUEST, msg)

    def _look(self) -> None:
        """Wait for headers that have begun, and no longer for those that are there."""
        if self.conn.their_state is not h11.IDLE:
            self._wait_no_more()
        elif self.conn.trailing_data[0]:
            self._unset_keepalive_if_required()
            self._wait_for_headers()

    def _wait_for_headers(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(HEADERS_S, self._give_up)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        self._refuse(TOO_SLOW, f"the headers of a request come within {HEADERS_S:g} s")

    def _refuse(self, kind: ProblemKind, detail: str) -> None:
        """Answer a problem where no answer has begun, and close."""
        if self.conn.our_state in MAY_ANSWER and not self.transport.is_closing():
            id = secrets.token_hex(8)
            problem = answer(kind, detail, {"path": "", "state": {"request_id": id}})
            headers: list[Any] = [
                *problem.raw_headers,
                (b"x-request-id", id.encode()),
                (b"connection", b"close"),
            ]
            parts = (
                h11.Response(status_code=kind.status, headers=headers),
                h11.Data(data=bytes(problem.body)),
                h11.EndOfMessage(),
            )
            self.transport.write(b"".join(self.conn.send(part) or b"" for part in parts))
        self.transport.close()
