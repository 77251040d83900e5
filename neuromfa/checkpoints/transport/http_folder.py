"""A folder behind an http(s) address: its files by name, its steps from the index page of the web server."""

import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html.parser import HTMLParser
from urllib.parse import quote, unquote, urljoin, urlsplit

import httpx

from neuromfa.checkpoints.transport.address import without_secrets
from neuromfa.checkpoints.transport.byte_source import ByteSource
from neuromfa.checkpoints.transport.http_file import (
    BEYOND_END,
    PARTIAL,
    WHOLE,
    HttpFile,
    Place,
    content_range,
)
from neuromfa.checkpoints.transport.retry import TRANSIENT, NoAnswer, RetryPolicy, answered
from neuromfa.errors import CheckpointMissing, SourceError

MAX_INDEX_BYTES = 10_000_000
ABSENT = (403, 404, 410)


class HttpFolder:
    """Files below an address.

    Parameters
    ----------
    url : address of the folder, without a query
    client : by default one of its own, closed when neither the folder nor a file of it is in use
    """

    def __init__(
        self, url: str, *, retry: RetryPolicy | None = None, client: httpx.Client | None = None
    ) -> None:
        self.name = without_secrets(url)
        self._url = url.rstrip("/") + "/"
        self._retry = retry or RetryPolicy()
        self._client = client or httpx.Client(follow_redirects=True, timeout=self._retry.timeout)
        if client is None:
            weakref.finalize(self, self._client.close)
        self._sizes: dict[str, int | None] = {}
        self._versions: dict[str, str | None] = {}
        self._listing: frozenset[str] | None = None
        # the folder whose client this one uses is kept, and with it the client
        self._owner: HttpFolder | None = None

    def has(self, filename: str) -> bool:
        """Tell whether the file is there, asking for its first byte."""
        return self._size(filename) is not None

    def open(self, filename: str) -> ByteSource:
        """Open a file."""
        size = self._size(filename)
        if size is None:
            raise CheckpointMissing(f"{self.name}/{filename} is not there")
        place = Place(urljoin(self._url, filename))
        name = f"{self.name}/{filename}"
        return HttpFile(self._client, place, owner=self, size=size, name=name, retry=self._retry)

    def files(self) -> list[str]:
        """Return the names of the files an index page links to, [] without such a page."""
        return sorted(name for name in self._children() if not name.endswith("/"))

    def folders(self) -> list[str]:
        """Return the names of the folders an index page links to, [] without such a page."""
        return sorted(name[:-1] for name in self._children() if name.endswith("/"))

    def inside(self, name: str) -> "HttpFolder":
        """Return a folder right in it."""
        inside = HttpFolder(self._url + quote(name), retry=self._retry, client=self._client)
        inside._owner = self
        return inside

    def stamp(self, filename: str) -> str | None:
        """Return length and version or time of change, as the server names them."""
        size = self._size(filename)
        version = self._versions.get(filename)
        return None if size is None or version is None else f"{size} {version}"

    def _children(self) -> frozenset[str]:
        """Return what an index page links to right below itself; it is asked for once."""
        if self._listing is None:
            self._listing = frozenset(self._listed())
        return self._listing

    def _listed(self) -> list[str]:
        with self._ask(self._url, {}) as answer:
            page = answer.headers.get("content-type", "").startswith("text/html")
            if answer.status_code != WHOLE or not page:
                return []
            base, text = str(answer.url), _text(answer)
        links = _Links()
        links.feed(text)
        return [name for link in links.found if (name := _child(base, link))]

    def _size(self, filename: str) -> int | None:
        if filename not in self._sizes:
            self._sizes[filename], self._versions[filename] = self._probe(urljoin(self._url, filename))
        return self._sizes[filename]

    def _probe(self, url: str) -> tuple[int | None, str | None]:
        """Return the length of a file and what the server names its version; None where there is none."""
        with self._ask(url, {"Range": "bytes=0-0", "Accept-Encoding": "identity"}) as answer:
            _, _, total = content_range(answer)
            version = answer.headers.get("etag") or answer.headers.get("last-modified")
            if answer.status_code in ABSENT:
                return None, None
            if answer.status_code in (PARTIAL, BEYOND_END) and total is not None:
                return total, version
            if answer.status_code == WHOLE and "content-length" in answer.headers:
                return int(answer.headers["content-length"]), version
            raise SourceError(
                f"{without_secrets(url)}: the server answers {answer.status_code} without a length"
            )

    @contextmanager
    def _ask(self, url: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Open an answer; a server that stumbles is asked again."""
        try:
            answer = answered(lambda: self._once(url, headers), self._retry)
        except NoAnswer as error:
            raise SourceError(
                f"{without_secrets(url)} cannot be reached: {error}, {self._retry.attempts} times in a row"
            ) from error
        try:
            yield answer
        finally:
            answer.close()

    def _once(self, url: str, headers: Mapping[str, str]) -> httpx.Response:
        request = self._client.build_request("GET", url, headers=headers)
        try:
            answer = self._client.send(request, stream=True)
        except httpx.TransportError as error:
            raise NoAnswer(error) from error
        if answer.status_code in TRANSIENT:
            answer.close()
            raise NoAnswer(f"it answers {answer.status_code}")
        return answer


class _Links(HTMLParser):
    """Collects the targets of links."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the target of a link."""
        self.found += [value for key, value in attrs if tag == "a" and key == "href" and value]


def _child(base: str, link: str) -> str | None:
    """Return the name right below `base` that a link leads to (a folder's ends with a slash), None for others."""
    url = urljoin(base, link)
    below = url.removeprefix(base)
    name, parts = unquote(below), urlsplit(url)
    if url == below or "/" in name[:-1] or name == "/" or parts.query or parts.fragment:
        return None
    return name


def _text(answer: httpx.Response) -> str:
    """Return an index page, as far as one is read."""
    parts: list[bytes] = []
    for part in answer.iter_bytes():
        parts.append(part)
        if sum(map(len, parts)) > MAX_INDEX_BYTES:
            break
    return b"".join(parts).decode(errors="replace")
