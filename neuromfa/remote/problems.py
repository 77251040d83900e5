"""Answers of the service that are problems, as the errors the library raises itself, with the same sentences."""

from collections.abc import Mapping

import httpx

from neuromfa import errors

PROBLEM = "application/problem+json"
ERRORS: Mapping[str, type[errors.NeuroMFAError]] = {
    "invalid-request": errors.OptionError,
    "not-installed": errors.MissingExtra,
    "unreadable-source": errors.SourceError,
    "checkpoint-missing": errors.CheckpointMissing,
    "unsupported-architecture": errors.UnsupportedArchitecture,
    "unsafe-format": errors.UnsafeFormat,
    "corrupt-file": errors.CorruptFile,
    "no-such-number": errors.AnalysisError,
    "store-failed": errors.StoreError,
    "store-unavailable": errors.StoreUnavailable,
    "query-timeout": errors.QueryTimeout,
    "query-too-large": errors.QueryTooLarge,
    "query-refused": errors.QueryRefused,
    "schema-mismatch": errors.SchemaMismatch,
    "not-stored": errors.NotStored,
    "store-conflict": errors.StoreConflict,
    "job-refused": errors.JobError,
    "key-needed": errors.KeyRefused,
    "key-not-enough": errors.KeyRefused,
    "too-many": errors.ServiceBusy,
}
"""Errors by the kind of a problem; kinds that are not here speak of the service itself."""


def error_of(answer: httpx.Response) -> errors.NeuroMFAError:
    """Return the error that an answer which is no success stands for."""
    kind, detail = _problem_of(answer)
    if detail is None:
        return errors.ServiceError(
            f"{answer.url} answered {answer.status_code} {answer.reason_phrase}, and not as a NeuroMFA service does; "
            "is the address right, and what stands before the service?"
        )
    if kind == "too-many":
        return errors.ServiceBusy(detail, retry_after_s=_seconds(answer.headers.get("retry-after", "0")))
    return ERRORS.get(kind, errors.ServiceError)(detail)


def _problem_of(answer: httpx.Response) -> tuple[str, str | None]:
    """Return the kind and the sentence of a problem; no sentence where the answer is none."""
    if answer.headers.get("content-type", "").partition(";")[0] != PROBLEM:
        return "", None
    body = answer.json()
    return str(body.get("type", "")).rpartition("/")[2], str(body.get("detail", ""))


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() else 0.0
