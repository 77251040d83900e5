"""Asking a service over HTTP: the key, conditional requests, all parts of a list, and failures as errors."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, TypeVar

import httpx

from neuromfa.declared import adapter
from neuromfa.errors import OptionError, ServiceError, ServiceUnavailable
from neuromfa.remote.problems import error_of

T = TypeVar("T")

MOST_KEPT = 64
JSON = "application/json"


class Http:
    """One service.

    Parameters
    ----------
    url : address of the service, with the path it stands below if there is one
    key : sent as `Authorization: Bearer KEY`; to this address only
    timeout_s : longest wait for an answer, in seconds
    """

    def __init__(self, url: str, *, key: str | None, timeout_s: float) -> None:
        headers = {"Accept": JSON} | ({} if key is None else {"Authorization": f"Bearer {key}"})
        try:
            self._client = httpx.Client(base_url=url.rstrip("/") + "/", headers=headers, timeout=timeout_s)
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise OptionError(
                f"{url!r} is no address of a service, or the key is no plain text: {error}"
            ) from None
        self.url, self._timeout_s = url, timeout_s
        self._kept: OrderedDict[str, tuple[str, bytes]] = OrderedDict()

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def read(self, kind: Any, path: str, **words: Any) -> Any:
        """Return what an address answers as a record of type `kind`."""
        return self.made(kind, self.bytes(path, **words))

    def each(self, kind: type[T], path: str, **words: Any) -> Iterator[T]:
        """Yield the items of all parts of a list."""
        for page in self.pages(path, **words):
            yield from self.made(list[kind], page["items"])  # type: ignore[valid-type]

    def pages(self, path: str, **words: Any) -> Iterator[dict[str, Any]]:
        """Yield the parts of a list as plain JSON."""
        cursor: str | None = None
        while True:
            page: dict[str, Any] = self.read(dict[str, Any], path, **words, cursor=cursor)
            yield page
            cursor = page["next"]
            if cursor is None:
                return

    def bytes(self, path: str, **words: Any) -> bytes:
        """Return the body of an answer; one that has not changed is not sent again.

        Raises
        ------
        ServiceUnavailable : nobody answers, or not in time
        NeuroMFAError : what the service refused, as the library itself would have
        """
        asked = {name: value for name, value in words.items() if value is not None}
        request = self._client.build_request("GET", path, params=asked)
        tag, body = self._kept.get(str(request.url), ("", b""))
        if tag:
            request.headers["If-None-Match"] = tag
        answer = self._sent(request)
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return body
        if answer.status_code != httpx.codes.OK:
            raise error_of(answer)
        self._keep(str(request.url), answer)
        return answer.content

    def _sent(self, request: httpx.Request) -> httpx.Response:
        try:
            return self._client.send(request)
        except httpx.TimeoutException:
            raise ServiceUnavailable(
                f"the service at {self.url} did not answer {request.url.path} within {self._timeout_s:g} s; ask for "
                "less, or connect with a longer timeout_s"
            ) from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL):
            raise OptionError(f"{self.url!r} is no address of a service; it is http://HOST:PORT") from None
        except httpx.HTTPError as error:
            raise ServiceUnavailable(
                f"no service answers at {self.url} ({error}); `neuromfa serve` starts one, and prints its address"
            ) from None

    def made(self, kind: Any, content: Any) -> Any:
        """Return the record of an answer; `ServiceError` where it is of another version."""
        try:
            known = adapter(kind)
            return (
                known.validate_json(content) if isinstance(content, bytes) else known.validate_python(content)
            )
        except ValueError as error:
            raise ServiceError(
                f"an answer of {self.url} is not what this version of the library knows "
                f"({str(error).splitlines()[0]}); are both of one version?"
            ) from None

    def _keep(self, url: str, answer: httpx.Response) -> None:
        tag = answer.headers.get("etag")
        if tag:
            self._kept[url] = (tag, answer.content)
            self._kept.move_to_end(url)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
