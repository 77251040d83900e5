"""Every failure leaves the service as RFC 9457 problem+json, by one table from errors to statuses."""

import re
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from neuromfa import errors
from neuromfa.app.form_asked import FORM
from neuromfa.app.path_prefix import prefix_of
from neuromfa.declared import DOCUMENTED

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5


@dataclass(frozen=True)
class Fault:
    """One input that was refused."""

    __pydantic_config__ = DOCUMENTED

    where: str
    """Where it stood, such as query.limit or body.source."""
    message: str
    """What is wrong with it."""


@dataclass(frozen=True)
class Problem:
    """The one shape of every error answer."""

    __pydantic_config__ = DOCUMENTED

    type: str
    """Relative address of the kind of problem, such as /problems/not-stored, where it is explained."""
    title: str
    """The kind in words; the same for every problem of this type."""
    status: int
    """HTTP status."""
    detail: str
    """What was wrong this time, with which input, and what to do."""
    instance: str
    """Path that was asked for."""
    request_id: str
    """The id under which the service's log speaks of this request."""
    errors: list[Fault] | None = None
    """Each input that was refused, for invalid requests; left out of others."""


@dataclass(frozen=True)
class ProblemKind:
    """What all problems of one kind share."""

    __pydantic_config__ = DOCUMENTED

    name: str
    """Name of the kind, the last part of a problem's type."""
    status: int
    """HTTP status."""
    title: str
    """The kind in words."""


INTERNAL = ProblemKind("internal", 500, "The service failed")
INVALID = ProblemKind("invalid-request", 422, "A parameter is outside what is allowed")
NOT_FOUND = ProblemKind("not-found", 404, "There is nothing at this address")
WRONG_METHOD = ProblemKind("method-not-allowed", 405, "This address does not take that method")
KEY_NEEDED = ProblemKind("key-needed", 401, "A key is needed")
KEY_TOO_SMALL = ProblemKind("key-not-enough", 403, "The key may not do this")
WRONG_HOST = ProblemKind("wrong-host", 421, "The request names a host this service does not answer for")
BAD_REQUEST = ProblemKind("bad-request", 400, "The request cannot be understood")
SWITCHED_OFF = ProblemKind("switched-off", 403, "This part of the service is switched off")
FOREIGN_PAGE = ProblemKind("foreign-page", 403, "A page of another site sent this request")
NOT_ACCEPTABLE = ProblemKind("not-acceptable", 406, "The answer comes in none of the forms asked for")
TOO_LARGE = ProblemKind("body-too-large", 413, "The body is larger than what is taken")
TOO_SLOW = ProblemKind("too-slow", 408, "The request came too slowly")
TOO_MANY = ProblemKind("too-many", 429, "As many of these as there may be are under way")

TABLE: dict[type[errors.NeuroMFAError], ProblemKind] = {
    errors.NeuroMFAError: INTERNAL,
    errors.OptionError: INVALID,
    errors.MissingExtra: ProblemKind("not-installed", 501, "A part of the service is not installed"),
    errors.SourceError: ProblemKind("unreadable-source", 422, "A checkpoint cannot be read"),
    errors.CheckpointMissing: ProblemKind("checkpoint-missing", 404, "There is no such checkpoint"),
    errors.UnsupportedArchitecture: ProblemKind(
        "unsupported-architecture", 422, "The architecture is not known"
    ),
    errors.UnsafeFormat: ProblemKind("unsafe-format", 422, "The file asks for more than tensors"),
    errors.CorruptFile: ProblemKind("corrupt-file", 422, "The file contradicts itself"),
    errors.AnalysisError: ProblemKind("no-such-number", 422, "The number does not exist for this input"),
    errors.StoreError: ProblemKind("store-failed", 500, "The store cannot do what was asked"),
    errors.StoreUnavailable: ProblemKind("store-unavailable", 503, "The store cannot be reached"),
    errors.QueryTimeout: ProblemKind("query-timeout", 504, "A query ran longer than its limit"),
    errors.NobodyWaits: ProblemKind("given-up", 499, "The client left before the answer"),
    errors.QueryTooLarge: ProblemKind("query-too-large", 422, "A query asks for more memory than it may use"),
    errors.QueryRefused: ProblemKind("query-refused", 422, "The query may not run, or cannot be understood"),
    errors.SchemaMismatch: ProblemKind("schema-mismatch", 503, "The store has another schema"),
    errors.NotStored: ProblemKind("not-stored", 404, "The store has nothing under that name"),
    errors.StoreConflict: ProblemKind("store-conflict", 409, "Somebody else is writing the same thing"),
    errors.JobError: ProblemKind("job-refused", 409, "The job cannot be done"),
}
HTTP_KINDS = {
    kind.status: kind
    for kind in (
        NOT_FOUND,
        WRONG_METHOD,
        NOT_ACCEPTABLE,
        KEY_NEEDED,
        WRONG_HOST,
        BAD_REQUEST,
        TOO_SLOW,
        TOO_LARGE,
        TOO_MANY,
    )
}
KINDS = {
    kind.name: kind
    for kind in (*TABLE.values(), *HTTP_KINDS.values(), SWITCHED_OFF, FOREIGN_PAGE, KEY_TOO_SMALL)
}


class Refused(Exception):
    """A request that never reaches the domain, such as one without the key; the message is the detail."""

    def __init__(self, kind: ProblemKind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


def register_errors(app: FastAPI) -> None:
    """Route every exception of the service through the table."""
    app.add_exception_handler(errors.NeuroMFAError, _domain)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Refused, _refused)


def kind_of(error: errors.NeuroMFAError) -> ProblemKind:
    """Return the row of the table for the nearest class of `error`."""
    return next(TABLE[base] for base in type(error).__mro__ if base in TABLE)


def answer(kind: ProblemKind, detail: str, scope: Any, *, faults: list[Fault] | None = None) -> JSONResponse:
    """Build the answer for a problem of `kind` met in the request with this ASGI scope."""
    problem = Problem(
        type=f"{prefix_of(scope)}/problems/{kind.name}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        instance=scope["path"],
        request_id=scope.get("state", {}).get("request_id", ""),
        errors=faults,
    )
    body = {key: value for key, value in asdict(problem).items() if value is not None}
    headers = {"Cache-Control": "no-store"} | _headers_of(kind)
    return JSONResponse(body, kind.status, headers, MEDIA_TYPE)


def _headers_of(kind: ProblemKind) -> dict[str, str]:
    if kind.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    if kind.status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="neuromfa"'}
    return {}


def _domain(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, errors.NeuroMFAError):
        raise error
    return answer(kind_of(error), str(error), request.scope)


def _refused(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, Refused):
        raise error
    return answer(error.kind, str(error), request.scope)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    faults = [Fault(".".join(map(str, fault["loc"])), str(fault["msg"])) for fault in error.errors()]
    detail = "; ".join(f"{fault.where}: {fault.message}" for fault in faults)
    return answer(INVALID, detail, request.scope, faults=faults)


def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    kind = HTTP_KINDS.get(error.status_code) or _plain_kind(error.status_code)
    response = answer(kind, _detail_of(error, request), request.scope)
    response.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and (methods := _methods_at(request)):
        response.headers["Allow"] = ", ".join(methods)
    return response


def _methods_at(request: Request) -> list[str]:
    """Return all methods of an address of the contract: the router names those of one of its functions."""
    paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    template = getattr(request.scope.get("route"), "path", "") + (".{form}" if FORM in request.scope else "")
    methods = {method.upper() for method in paths.get(template, {})}
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


def _plain_kind(status: int) -> ProblemKind:
    phrase = HTTPStatus(status).phrase
    return ProblemKind(re.sub(r"[^a-z]+", "-", phrase.lower()), status, phrase)


def _detail_of(error: HTTPException, request: Request) -> str:
    if error.status_code == HTTPStatus.NOT_FOUND:
        return f"no route answers {request.method} {request.url.path}; {prefix_of(request.scope)}/docs lists them all"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.url.path} does not take {request.method}"
    return str(error.detail)
