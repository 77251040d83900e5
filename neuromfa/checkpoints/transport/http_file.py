"""A file behind HTTP, read by ranges: several at a time, broken answers resumed where they broke off."""

import importlib
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

import httpx

from neuromfa.checkpoints.transport.byte_source import REMOTE_BATCH_BYTES, ByteArray, Traffic, affordable_gap
from neuromfa.checkpoints.transport.retry import TRANSIENT, NoAnswer, RetryPolicy, answered
from neuromfa.errors import CheckpointMissing, CorruptFile, SourceError, UnsupportedFormat
from neuromfa.network import IntArray

PARTIAL, WHOLE = 206, 200
DENIED, GONE, BEYOND_END = (401, 403), (404, 410), 416
CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+)")
LONGEST_PAUSE = 30.0


@dataclass(frozen=True)
class Place:
    """Where the bytes are at the moment, and what to send along when asking for them."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Piece:
    """A range under way: the first `done` bytes of `target` are in."""

    start: int
    target: memoryview
    done: int = 0

    @property
    def headers(self) -> dict[str, str]:
        """What asks for the rest of the piece."""
        last = self.start + len(self.target) - 1
        return {"Range": f"bytes={self.start + self.done}-{last}", "Accept-Encoding": "identity"}


class HttpFile:
    """A file of known size behind an address; a `ByteSource`.

    Parameters
    ----------
    client : an httpx client, or the session of huggingface-hub, which looks the same
    place : where the bytes are
    relocate : returns where they are now; asked when access is denied, as signed addresses run out
    owner : who closes the client when nobody needs it any more; kept alive until `close`
    size : length of the file in bytes; an answer that says otherwise is a `CorruptFile`
    name : how messages call the file
    """

    batch_bytes = REMOTE_BATCH_BYTES

    def __init__(
        self,
        client: httpx.Client,
        place: Place,
        *,
        relocate: Callable[[], Place] | None = None,
        owner: object = None,
        size: int,
        name: str,
        retry: RetryPolicy,
    ) -> None:
        self.name = name
        self.size = size
        self._client = client
        self._place = place
        self._relocate = relocate
        self._owner = owner
        self._retry = retry
        self._traffic = Traffic()
        self._lock = threading.Lock()
        self._version: str | None = None
        self._failures: tuple[type[Exception], ...] = transport_errors(client)

    @property
    def traffic(self) -> Traffic:
        """What this file has read, lost answers included."""
        return self._traffic

    def gap(self, starts: IntArray, length: int) -> int:
        """Return the largest gap whose reading keeps the bytes within twice what was asked for."""
        return affordable_gap(starts, length)

    def read_into(self, starts: IntArray, lengths: IntArray, buffer: ByteArray) -> None:
        """Fill `buffer`, several ranges at a time."""
        view, position, pieces = buffer.data, 0, []
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
            pieces.append(_Piece(start, view[position : position + length]))
            position += length
        stop = threading.Event()
        if len(pieces) == 1:
            self._fetch(pieces[0], stop)
            return
        with ThreadPoolExecutor(min(self._retry.parallel, len(pieces))) as pool:
            futures = [pool.submit(self._fetch, piece, stop) for piece in pieces]
            try:
                for future in as_completed(futures):
                    future.result()
            except BaseException:
                stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def close(self) -> None:
        """Let go of the owner of the client."""
        self._owner = None

    def _fetch(self, piece: _Piece, stop: threading.Event) -> None:
        """Fetch a piece, each further try from where the one before broke off."""

        def question() -> None:
            if piece.done == len(piece.target) or stop.is_set():
                return
            try:
                self._once(piece)
            except self._failures as error:
                raise NoAnswer(error) from error

        try:
            answered(question, self._retry, progress=lambda: piece.done, sleep=stop.wait)
        except NoAnswer as error:
            raise SourceError(
                f"{self.name} could not be read at byte {piece.start + piece.done}: "
                f"{error}, {self._retry.attempts} times in a row; try again later"
            ) from error

    def _once(self, piece: _Piece, *, denied_before: bool = False) -> None:
        place, received = self._place, 0
        headers = {**place.headers, **piece.headers}
        with self._client.stream(
            "GET", place.url, headers=headers, timeout=self._retry.timeout, follow_redirects=True
        ) as answer:
            denied = answer.status_code in DENIED
            if not denied:
                self._check(answer, piece)
                received = self._take(answer, piece)
        self._count(received)
        if denied and (denied_before or self._relocate is None):
            raise SourceError(f"{self.name}: access denied; log in with `hf auth login` or check the address")
        if denied and self._relocate:
            self._place = self._relocate()
            self._once(piece, denied_before=True)

    def _count(self, received: int) -> None:
        with self._lock:
            self._traffic.add(received)

    def _take(self, answer: httpx.Response, piece: _Piece) -> int:
        begun = piece.done
        try:
            for chunk in answer.iter_raw():
                end = piece.done + len(chunk)
                if end > len(piece.target):
                    raise CorruptFile(f"{self.name}: the server sends more than the range it was asked for")
                piece.target[piece.done : end] = chunk
                piece.done = end
        except self._failures:
            self._count(piece.done - begun)
            raise
        if piece.done < len(piece.target):
            raise NoAnswer("the answer broke off")
        return piece.done - begun

    def _check(self, answer: httpx.Response, piece: _Piece) -> None:
        """Refuse answers that are not the asked range of the same file."""
        status = answer.status_code
        if status in TRANSIENT:
            raise NoAnswer(f"the server answers {status}", wait=_retry_after(answer))
        if status in GONE:
            raise CheckpointMissing(f"{self.name} is not there ({status})")
        whole = status == WHOLE and piece.start == piece.done == 0 and len(piece.target) == self.size
        if status == WHOLE and not whole:
            raise UnsupportedFormat(
                f"{self.name}: the server does not answer range requests; download the file first"
            )
        if status == BEYOND_END:
            raise CorruptFile(f"{self.name} has not the {self.size} bytes it should have")
        if status not in (PARTIAL, WHOLE):
            raise SourceError(f"{self.name}: the server answers {status}")
        self._check_range(answer, piece)
        self._check_version(answer)

    def _check_range(self, answer: httpx.Response, piece: _Piece) -> None:
        if answer.status_code == WHOLE:
            return
        first, _, total = content_range(answer)
        if total != self.size:
            raise CorruptFile(
                f"{self.name} has {total} bytes on the server, not the {self.size} it should have"
            )
        if first != piece.start + piece.done:
            raise CorruptFile(f"{self.name}: the server sends another range than it was asked for")

    def _check_version(self, answer: httpx.Response) -> None:
        version = answer.headers.get("etag")
        with self._lock:
            self._version = self._version or version
        if version and version != self._version:
            raise CorruptFile(f"{self.name} changed while it was read; start again")


def content_range(answer: httpx.Response) -> tuple[int | None, int | None, int | None]:
    """Return first byte, last byte and length of the file from a Content-Range, None where it is silent."""
    found = CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
    if not found:
        return None, None, None
    first, last, total = (int(part) if part else None for part in found.groups())
    return first, last, total


def transport_errors(client: Any) -> tuple[type[Exception], ...]:
    """Return what a client raises when an answer does not come; huggingface-hub brings its own httpx."""
    library = importlib.import_module(type(client).__module__.partition(".")[0])
    return (library.TransportError,)


def _retry_after(answer: httpx.Response) -> float:
    text = answer.headers.get("retry-after", "")
    return min(float(text), LONGEST_PAUSE) if text.isascii() and text.isdecimal() else 0.0
