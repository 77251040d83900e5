"""Parameters that routes share, as small records composed by `Depends`."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import signature
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from fastapi import Depends, Path, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from neuromfa.app.errors import FOREIGN_PAGE, KEY_NEEDED, KEY_TOO_SMALL, Refused
from neuromfa.app.keys import Key, KeyRing, Scope
from neuromfa.app.page_key import key_of_cookie
from neuromfa.app.settings import PREFIX, Settings
from neuromfa.errors import OptionError
from neuromfa.graph import GraphStore
from neuromfa.model_id import LARGEST_BYTES, check_model_id, from_route
from neuromfa.options import Hops, Profile

T = TypeVar("T")

log = logging.getLogger("neuromfa.app")

NO_STEP = "-"
LARGEST_STEP_DIGITS = 15
CURSOR = rf"^-?[0-9]{{1,{LARGEST_STEP_DIGITS}}}$"
COUNT = rf"^[0-9]{{1,{LARGEST_STEP_DIGITS}}}$"
TOLD = "neuromfa.key"
HOW_SENT = "`Authorization: Bearer KEY`"
bearer = HTTPBearer(
    auto_error=False, description="The value of NEUROMFA_API_KEY, or a key of NEUROMFA_KEYS_FILE"
)


@dataclass(frozen=True)
class Links:
    """The other parts of a list, in the header `Link` of the answer under way."""

    request: Request
    response: Response

    def follow(self, following: str | None, *, before: str | None = None) -> str | None:
        """Name the first part of a list, and those around this one by their cursors; return that of the next."""
        parts = {"first": "", "prev": before, "next": following}
        links = [
            f'<{self._part(cursor)}>; rel="{rel}"' for rel, cursor in parts.items() if cursor is not None
        ]
        self.response.headers["Link"] = ", ".join(links)
        return following

    def _part(self, cursor: str) -> str:
        """Return the address of a part beside this one: what stands before the question mark stays."""
        given = [(name, value) for name, value in self.request.query_params.multi_items() if name != "cursor"]
        return "?" + urlencode([*given, ("cursor", cursor)] if cursor else given)


@dataclass(frozen=True)
class Paging(Links):
    """Which part of a list."""

    limit: Annotated[int, Query(ge=1, le=1000, description="Most items wanted in this page.")] = 100
    cursor: Annotated[
        str | None, Query(pattern=CURSOR, description="`next` of the page before; left out for the first.")
    ] = None


@dataclass(frozen=True)
class NumberPaging(Paging):
    """Which part of a list whose items are counted."""

    cursor: Annotated[
        str | None,
        Query(pattern=COUNT, description="`next` of the page before; left out for the first."),
    ] = None


@dataclass(frozen=True)
class NamePaging(Links):
    """Which part of a list by id; its cursor is an id."""

    limit: Annotated[int, Query(ge=1, le=1000, description="Most items wanted in this page.")] = 100
    cursor: Annotated[
        str | None, Query(max_length=200, description="`next` of the page before; left out for the first.")
    ] = None


@dataclass(frozen=True)
class Choice:
    """Which of several analyses of the same checkpoints; without a word the one with most steps."""

    profile: Annotated[Profile | None, Query(description="Profile of the analysis.")] = None
    hops: Annotated[Hops | None, Query(description="Direct edges, or paths of several hops.")] = None
    baseline: Annotated[
        str | None,
        Query(
            pattern=rf"^(first|reinit|none|[0-9]{{1,{LARGEST_STEP_DIGITS}}}|.*/.*)$",
            max_length=1000,
            description="What E was measured against: `first` (step 0), a step, `reinit`, `none`, or a source.",
        ),
    ] = None
    options: Annotated[
        str | None,
        Query(
            pattern=r"^[0-9a-f]{8,64}$",
            description="Beginning of an `options_hash` among the model's `analyses`.",
        ),
    ] = None


async def settings_of(request: Request) -> Settings:
    """Return the settings the service was made with."""
    settings: Settings = request.app.state.settings
    return settings


async def store_of(request: Request) -> GraphStore:
    """Return the open store of this process."""
    store: GraphStore = request.app.state.store
    return store


async def model_id(
    model: Annotated[
        str,
        Path(
            min_length=1,
            max_length=2 * LARGEST_BYTES,
            description="Id of the model, with `/` written `--`.",
        ),
    ],
) -> str:
    """Turn the route's part back into the id."""
    return check_model_id(from_route(model))


async def step_number(
    step: Annotated[
        str,
        Path(
            pattern=rf"^(-|[0-9]{{1,{LARGEST_STEP_DIGITS}}})$",
            description="Training step, or `-` for a checkpoint without one.",
        ),
    ],
) -> int | None:
    """Return the step, None for a checkpoint without one."""
    return None if step == NO_STEP else int(step)


async def reader(
    request: Request,
    settings: Annotated[Settings, Depends(settings_of)],
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> None:
    """Let a read pass: always on loopback, with the key elsewhere, unless reads were opened."""
    _check(request, given, "read", is_open=settings.binds_loopback or settings.open_reads)


async def may_read(request: Request) -> bool:
    """Return whether `reader` lets a request pass, for those who ask before any route does."""
    try:
        await reader(request, await settings_of(request), await bearer(request))
    except Refused:
        return False
    return True


async def writer(
    request: Request,
    settings: Annotated[Settings, Depends(settings_of)],
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> None:
    """Let a write pass: with a key once there is one, and never from a page of another site.

    A browser sends some requests to this machine for any page it shows, and asks nobody first.
    """
    _check_write(request, settings, given, "write")


async def administrator(
    request: Request,
    settings: Annotated[Settings, Depends(settings_of)],
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> None:
    """Let pass what takes things out of the store: as a write, with a key of scope admin once there is one."""
    _check_write(request, settings, given, "admin")


def _check_write(
    request: Request, settings: Settings, given: HTTPAuthorizationCredentials | None, scope: Scope
) -> None:
    origin = request.headers.get("origin")
    if origin is not None and not _own(origin, request, settings):
        raise Refused(FOREIGN_PAGE, f"requests of pages at {origin[:200]} are not taken")
    keys: KeyRing = request.app.state.keys
    _check(request, given, scope, is_open=not keys.is_set)


def _check(
    request: Request, given: HTTPAuthorizationCredentials | None, scope: Scope, *, is_open: bool
) -> None:
    """Refuse a request whose key may not do this; one that is known is named in the log."""
    keys: KeyRing = request.app.state.keys
    key = keys.find(given.credentials) if given is not None else key_of_cookie(request, keys)
    if key is not None:
        _tell(request, key)
    if is_open or (key is not None and key.may(scope)):
        return
    if key is None:
        raise Refused(
            KEY_NEEDED, f"send the value of {PREFIX}API_KEY, or a key of scope {scope}, as {HOW_SENT}"
        )
    raise Refused(
        KEY_TOO_SMALL, f"the key {key.name} has the scopes {', '.join(sorted(key.scopes))}, not {scope}"
    )


def _tell(request: Request, key: Key) -> None:
    """Name the key of a request in the log, once."""
    if request.scope.get(TOLD) != key.name:
        request.scope[TOLD] = key.name
        # quoted, so that no path forges a line
        log.info("key %s: %s %s", key.name, request.method, quote(request.scope["path"][:500]))


def made_at_once(record: Callable[..., T]) -> Callable[..., Awaitable[T]]:
    """Return what makes a record of a request's parameters in the event loop: a class would be called in a thread."""

    async def make(**values: Any) -> T:
        return record(**values)

    make.__signature__ = signature(record)  # type: ignore[attr-defined]
    return make


Store = Annotated[GraphStore, Depends(store_of)]
Configured = Annotated[Settings, Depends(settings_of)]
ModelId = Annotated[str, Depends(model_id)]
Step = Annotated[int | None, Depends(step_number)]
Pages = Annotated[Paging, Depends(made_at_once(Paging))]
NumberPages = Annotated[NumberPaging, Depends(made_at_once(NumberPaging))]
NamePages = Annotated[NamePaging, Depends(made_at_once(NamePaging))]
Chosen = Annotated[Choice, Depends(made_at_once(Choice))]


def page_of(items: list[T], paging: Paging, *, most: int) -> tuple[list[T], str | None]:
    """Return the part of a whole list that a page asks for, and the cursor of the next."""
    start, size = offset_of(paging.cursor), min(paging.limit, most)
    end = start + size
    before = str(max(start - size, 0)) if start else None
    return items[start:end], paging.follow(str(end) if end < len(items) else None, before=before)


def offset_of(cursor: str | None) -> int:
    """Return where the page that a cursor names begins in its list."""
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= LARGEST_STEP_DIGITS):
        raise OptionError(f"{cursor[:40]!r} is no cursor; take it from `next` of the page before")
    return int(cursor)


def _own(origin: str, request: Request, settings: Settings) -> bool:
    """Return whether a page's origin is this service."""
    try:
        place = urlsplit(origin)
        return place.netloc == request.headers.get("host") or (place.hostname or "") in settings.host_names
    except ValueError:
        return False
