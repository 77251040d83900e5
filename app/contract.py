"""What the contract says beyond the signatures of routes: every status that can come, headers, and an example each."""

import json
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from neuromfa.app.errors import KINDS, MEDIA_TYPE
from neuromfa.app.table_forms import LONGEST_ACCEPT, MEDIA_TYPES, TABLE

Operation = dict[str, Any]

PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
EXAMPLES = {
    "model": "stdlib-14m",
    "step": "512",
    "seed": 0,
    "format": "csv",
    "form": "csv",
    "id": "0" * 32,
    "analysis_hash": "0" * 64,
}
BODIES = {
    "queue_job": {"source": "EleutherAI/pythia-70m-deduped", "steps": "0,512,143000"},
    "run_cypher": {"query": "MATCH (m:Model) RETURN m.id AS model LIMIT 10"},
}
HOST = "http://127.0.0.1:8000"

HEADERS = {
    "X-Request-ID": "The id under which the service's log speaks of this request; yours, if it was harmless.",
    "ETag": "Identity of the answer; send it back as `If-None-Match`.",
    "Cache-Control": "Whether the answer may be kept, and when it has to be asked for again.",
    "Link": "Addresses of the `first`, the `next` and, where items are counted, the part before (`prev`), relative to "
    "the one asked for.",
    "Location": "Address of the job.",
    "Retry-After": "Seconds to wait before asking again.",
    "WWW-Authenticate": "How to send a key.",
}
"""What each header says, by name."""

STATUSES = {
    304: "You have this answer already, by the `If-None-Match` you sent; without a body.",
    401: "The key is missing, or is not one that may do this.",
    403: "The key may not do this, a page of another site sent it, or this part is switched off.",
    404: "There is no such model, step, sample, job or analysis; the text says which there are.",
    406: "The answer comes in none of the forms that `Accept` takes.",
    409: "Somebody else is writing the same thing, or the job is not in a state for this.",
    422: "A parameter outside what is allowed, unknown or given twice, or a number that does not exist for this input.",
    429: "As many of these as there may be are under way.",
    503: "The store cannot be reached, or has another schema.",
    504: "A query ran longer than its limit.",
}
"""What each status says, by number."""

ACCEPT = {
    "name": "accept",
    "in": "header",
    "required": False,
    "schema": {
        "anyOf": [{"type": "string", "maxLength": LONGEST_ACCEPT}, {"type": "null"}],
        "title": "Accept",
    },
    "description": "Form of the answer: JSON without a word, or CSV, Parquet or Arrow by their media types.",
}
"""The header that chooses the form of an answer with rows."""

ENDING_OF_ADDRESS = {
    "name": "form",
    "in": "path",
    "required": True,
    "schema": {
        "type": "string",
        "enum": [form for form in MEDIA_TYPES if form != "json"],
        "title": "Form",
    },
    "description": "Form of the table.",
}
"""The ending that does."""

HEADERS_OF = {
    304: ("ETag", "Cache-Control"),
    401: ("WWW-Authenticate",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
"""Headers of their own that statuses have."""


def complete(document: dict[str, Any]) -> None:
    """Add to a contract, in its place, what FastAPI cannot know.

    Parameters
    ----------
    document : OpenAPI, as FastAPI makes it of the routes
    """
    parts = document["components"]
    parts["headers"] = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in HEADERS.items()
    }
    parts["responses"] = {str(status): _answer(status) for status in STATUSES}
    document["paths"] = dict(_with_tables(document["paths"]))
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if {} not in operation.get("security", [{}]):
                operation["security"].insert(0, {})  # asked for in some settings only
            _answers(path, method, operation)
            _examples(path, method, operation)


def _with_tables(paths: Mapping[str, dict[str, Operation]]) -> Iterator[tuple[str, dict[str, Operation]]]:
    """Yield the addresses of a contract, behind those of tables the same with an ending."""
    for path, operations in paths.items():
        yield path, operations
        read = operations.get("get", {})
        if TABLE in read:
            table = _as_table(read)
            read["parameters"] = [*read.get("parameters", []), deepcopy(ACCEPT)]
            read["responses"]["200"]["content"] |= _tables()
            yield f"{path}.{{form}}", {"get": table}


def _as_table(read: Operation) -> Operation:
    """Return an operation whose ending chooses the form of a table."""
    table = deepcopy(read)
    table["operationId"] += "_table"
    table["summary"] += " Table"
    table["description"] = (
        f"Return `{read[TABLE]}` of the address without the ending as a table, whatever the header `Accept` says: "
        "parts of parts have columns of their own, such as `alpha0_low`."
    )
    table["parameters"] = [deepcopy(ENDING_OF_ADDRESS), *table.get("parameters", [])]
    table["responses"]["200"] |= {"content": _tables()}
    return table


def _tables() -> dict[str, Any]:
    """Return the forms of a table."""
    return {media: {"schema": {"type": "string"}} for form, media in MEDIA_TYPES.items() if form != "json"}


def _answers(path: str, method: str, operation: Operation) -> None:
    responses = operation["responses"]
    for status, response in responses.items():
        if status.startswith("2"):
            response["headers"] = _headers(_headers_of(operation))
    for status in _statuses(path, method, operation):
        responses.setdefault(str(status), {"$ref": f"#/components/responses/{status}"})


def _statuses(path: str, method: str, operation: Operation) -> Iterator[int]:
    """Yield what an operation can answer beside its success."""
    names = {parameter["name"] for parameter in operation.get("parameters", [])}
    yield 422
    if "If-None-Match" in names:
        yield 304
    if "accept" in names:
        yield 406
    if "security" in operation:
        yield 401
    if "{" in path or names & {"model", "models"}:
        yield 404
    if method != "get":
        yield from (403, 409)
    if path.startswith("/v1/"):
        yield from (429, 503, 504)
    if path == "/readyz":
        yield 503


def _answer(status: int) -> dict[str, Any]:
    """Return the contract of a status; of a problem it names the kinds, so that clients can tell them apart."""
    headers = _headers((*HEADERS_OF.get(status, ()), "X-Request-ID"))
    if status < HTTPStatus.BAD_REQUEST:
        return {"description": STATUSES[status], "headers": headers}
    kinds = sorted(f"`/problems/{kind.name}`" for kind in KINDS.values() if kind.status == status)
    told = f"{STATUSES[status]} Kinds: {', '.join(kinds)}."
    return {"description": told, "headers": headers, "content": PROBLEM}


def _headers_of(operation: Operation) -> Iterator[str]:
    names = {parameter["name"] for parameter in operation.get("parameters", [])}
    yield "X-Request-ID"
    if "If-None-Match" in names:
        yield from ("ETag", "Cache-Control")
    if {"cursor", "limit"} <= names and not operation["tags"] == ["graph"]:
        yield "Link"
    if operation["operationId"] == "queue_job":
        yield "Location"


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _examples(path: str, method: str, operation: Operation) -> None:
    """Give an operation an address that the bundled series answers, as a line for a shell."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path" and parameter["name"] in EXAMPLES:
            parameter.setdefault("example", EXAMPLES[parameter["name"]])
    body = BODIES.get(operation["operationId"])
    if body is not None:
        operation["requestBody"]["content"]["application/json"].setdefault("example", body)
    line = f"curl -s {_method(method)}'{HOST}{example_of(path, operation)}'"
    operation["x-codeSamples"] = [{"lang": "Shell", "label": "curl", "source": line + _sent(body)}]


def example_of(path: str, operation: Operation) -> str:
    """Return the address of an example of an operation: with all that it needs, and what keeps it small."""
    values = {parameter["name"]: parameter for parameter in operation.get("parameters", [])}
    filled = path.format_map(
        {name: quote(str(_example(one))) for name, one in values.items() if one["in"] == "path"}
    )
    asked = [
        (name, _example(one)) for name, one in values.items() if one["in"] == "query" and one.get("required")
    ]
    return filled + (f"?{urlencode(asked, doseq=True)}" if asked else "")


def _example(parameter: Mapping[str, Any]) -> Any:
    if "example" in parameter:
        return parameter["example"]
    return (parameter.get("schema", {}).get("examples") or [""])[0]


def _method(method: str) -> str:
    return "" if method == "get" else f"-X {method.upper()} "


def _sent(body: Any) -> str:
    return "" if body is None else f" -H 'Content-Type: application/json' -d '{json.dumps(body)}'"
