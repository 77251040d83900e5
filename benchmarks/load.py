"""Readers of a service: plain HTTP/1.1 over kept connections, so light that the service is what is measured."""

import asyncio
import math
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True)
class Answer:
    """One answer: status, headers by lower-case name, body, and the seconds it took."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


@dataclass(frozen=True)
class Load:
    """What some readers met: seconds of each answer, statuses, and how long it went on."""

    seconds: Sequence[float]
    statuses: Sequence[int]
    wall: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.wall

    @property
    def median_ms(self) -> float:
        """The usual time of an answer."""
        return 1000 * statistics.median(self.seconds)

    @property
    def p99_ms(self) -> float:
        """What one answer in a hundred takes longer than."""
        return 1000 * sorted(self.seconds)[int(0.99 * (len(self.seconds) - 1))]

    @property
    def failed(self) -> int:
        """Answers that are neither 200 nor 304."""
        return sum(status not in (200, 304) for status in self.statuses)


class Reader:
    """One kept connection."""

    def __init__(self, address: str) -> None:
        place = urlsplit(address)
        self._host, self._port = place.hostname or "", place.port or 80
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str, headers: Mapping[str, str] = NOTHING) -> Answer:
        """Ask once."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=2**24)
        reader, writer = self._streams
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        begun = time.perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n{lines}\r\n".encode())
        first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        found = {name.lower(): value for name, value in (line.split(": ", 1) for line in rest)}
        body = await reader.readexactly(int(found.get("content-length", 0)))
        if found.get("connection") == "close":
            self.close()
        return Answer(int(first.split()[1]), found, body, time.perf_counter() - begun)

    def close(self) -> None:
        """Let go."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def once(address: str, path: str, headers: Mapping[str, str] = NOTHING) -> Answer:
    """Ask once, over a connection of its own."""

    async def ask() -> Answer:
        reader = Reader(address)
        try:
            return await reader.get(path, headers)
        finally:
            reader.close()

    return asyncio.run(ask())


def read(
    address: str,
    paths: Sequence[str],
    *,
    readers: int = 1,
    seconds: float = 2.0,
    requests: int | None = None,
    pause: float = 0.0,
    headers: Mapping[str, str] = NOTHING,
) -> Load:
    """Let some readers ask for the paths in turn.

    Parameters
    ----------
    requests : so many in all, however long that takes, instead of `seconds`
    pause : between two requests of a reader, in seconds; the first ones are spread over it
    """
    limits = (seconds, math.inf) if requests is None else (math.inf, requests)
    return asyncio.run(_read(address, paths, readers, limits, pause, headers))


async def _read(
    address: str,
    paths: Sequence[str],
    readers: int,
    limits: tuple[float, float],
    pause: float,
    headers: Mapping[str, str],
) -> Load:
    taken: list[float] = []
    statuses: list[int] = []

    async def one(k: int) -> None:
        reader, turn = Reader(address), k
        await asyncio.sleep(pause * k / readers)
        while time.perf_counter() < end and len(taken) + readers <= most:
            answer = await reader.get(paths[turn % len(paths)], headers)
            taken.append(answer.seconds)
            statuses.append(answer.status)
            turn += 1
            if pause:
                await asyncio.sleep(max(0.0, pause - answer.seconds))
        reader.close()

    begun = time.perf_counter()
    end, most = begun + limits[0], limits[1]
    await asyncio.gather(*(one(k) for k in range(readers)))
    return Load(taken, statuses, time.perf_counter() - begun)


if __name__ == "__main__":
    place, crowd, length, *asked = sys.argv[1:]
    read(place, asked, readers=int(crowd), seconds=float(length), headers={"Accept-Encoding": "gzip"})
