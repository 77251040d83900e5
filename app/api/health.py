"""Routes for whoever watches the service: alive, ready, and what a kind of problem means."""

import platform
from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import PlainTextResponse, Response

from neuromfa import __version__
from neuromfa.app.dependencies import Store, reader
from neuromfa.app.errors import KINDS, ProblemKind
from neuromfa.app.middleware.metrics import MEDIA_TYPE, Metrics
from neuromfa.app.rooms import seated
from neuromfa.app.schemas.answers import Alive, Readiness, StoreState
from neuromfa.errors import NotStored, SchemaMismatch, StoreError

router = APIRouter(tags=["service"])
of_store = APIRouter(tags=["service"], route_class=seated("held"))

ProblemName = Annotated[
    str, Path(description="Name of a kind: the last part of a problem's `type`.", examples=["not-stored"])
]

NUMERIC_LIBRARIES = ("numpy", "scipy", "neo4j")


@router.get("/healthz")
async def alive() -> Alive:
    """Tell that the process answers; nothing else is looked at, and nothing is waited for."""
    return Alive("alive")


@of_store.get("/readyz")
def ready(store: Store) -> Readiness:
    """Tell whether the store answers and has the schema of this program."""
    store.ping()
    return Readiness("ready", _state_of(store), _versions())


@of_store.get("/metrics", dependencies=[Depends(reader)], response_class=PlainTextResponse)
def count(request: Request, store: Store) -> Response:
    """Return what the service counts of itself, for Prometheus."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(store_up=_answers(store)), media_type=MEDIA_TYPE)


@router.get("/problems/{name}")
async def explain(name: ProblemName) -> ProblemKind:
    """Explain the `type` of an error answer."""
    if name not in KINDS:
        raise NotStored(f"no problem is called {name!r}; there are {', '.join(sorted(KINDS))}")
    return KINDS[name]


def _answers(store: Store) -> bool:
    try:
        store.ping()
    except StoreError:
        return False
    return True


def _state_of(store: Store) -> StoreState:
    facts = store.versions()
    stored, known = facts["schema_version"], facts["schema_version_known"]
    if not isinstance(stored, int) or not isinstance(known, int) or stored > known:
        raise SchemaMismatch(f"the store has schema {stored}, this program knows {known}; update the program")
    return StoreState(str(facts["server"]), stored, known)


def _versions() -> dict[str, str]:
    found = {name: version(name) for name in NUMERIC_LIBRARIES}
    return {"neuromfa": __version__, "python": platform.python_version(), **found}
