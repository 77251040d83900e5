"""Parameters that several commands share; those of a series and its analysis come from the records they make."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING
from pathlib import Path
from typing import Annotated, Any, get_origin

import typer

from neuromfa.declared import Declared, NoneMeans, fields_of
from neuromfa.errors import OptionError
from neuromfa.ingest.request import IngestRequest
from neuromfa.options import AnalysisOptions

Steps = Annotated[str, typer.Option(help="all, paper, or steps such as 0,512.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of the embedded store [NEUROMFA_DATA_DIR].")]
Jobs = Annotated[int, typer.Option(min=1, help="Local processes to work in.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON on standard output.")]

OF_STORING = ("graph_samples", "keep_old", "same_run", "retry_failed", "priority", "rehash", "measure_again")
OF_ONE_SERIES = ("model_id", "revision")
SOURCES = "sources"
MOMENTS_TEXT = "-3:3:0.1"


def with_request(command: Callable[..., None]) -> Callable[..., None]:
    """Add every parameter of a series and of its analysis to a command, which receives them as `request`."""
    return _with_request(command, without=OF_STORING)


def with_storing_request(command: Callable[..., None]) -> Callable[..., None]:
    """Do the same for a command that writes into a store."""
    return _with_request(command, without=())


def with_requests(command: Callable[..., None]) -> Callable[..., None]:
    """Add the same for several series, of each of which the command receives one of its `requests`."""
    return _with_request(command, without=(*OF_STORING, *OF_ONE_SERIES), several=True)


def _with_request(
    command: Callable[..., None], *, without: Iterable[str], several: bool = False
) -> Callable[..., None]:
    series = {name: field for name, field in fields_of(IngestRequest).items() if name not in without}
    del series["options"]
    source = _sources(series.pop("source")) if several else _parameter(series["source"])
    options = fields_of(AnalysisOptions)
    own = [
        parameter
        for parameter in inspect.signature(command, eval_str=True).parameters.values()
        if parameter.name not in ("request", "requests")
    ]
    others = [field for name, field in series.items() if name != "source"]
    parameters = [source, *map(_parameter, others), *own, *map(_parameter, options.values())]

    def run(**values: Any) -> None:
        told = _values(series, values) | {"options": AnalysisOptions(**_values(options, values))}
        if several:
            command(requests=[IngestRequest(source=one, **told) for one in values.pop(SOURCES)], **values)
        else:
            command(request=IngestRequest(**told), **values)

    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    )
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__doc__ = command.__doc__
    return run


def _sources(field: Declared) -> inspect.Parameter:
    """Return the source of a series as a parameter that is given several times."""
    told = typer.Argument(help=field.meaning)
    return inspect.Parameter(SOURCES, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[list[str], told])


def _values(fields: Mapping[str, Declared], values: dict[str, Any]) -> dict[str, Any]:
    """Take the values of some fields out of what the command line gave."""
    return {name: _value(field, values.pop(name)) for name, field in fields.items()}


def _parameter(field: Declared) -> inspect.Parameter:
    """Return a declared field as a parameter of a command."""
    default = inspect.Parameter.empty if field.default is MISSING else _text(field, field.default)
    kind = field.kind if field.kind in (int, float, bool, Path) and not field.mark(NoneMeans) else str
    annotation = kind | None if field.default is None else kind
    told: Any = typer.Argument if field.default is MISSING else typer.Option
    mark = told(help=_help(field)) if field.default is MISSING else told(*_flags(field), help=_help(field))
    return inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[annotation, mark], default=default
    )


def _flags(field: Declared) -> list[str]:
    flag = "--" + field.alias.replace("_", "-")
    return [f"{flag}/--no-{flag[2:]}"] if field.default is True else [flag]


def _help(field: Declared) -> str:
    return f"{field.meaning} As low:high:step." if get_origin(field.kind) is tuple else field.meaning


def _text(field: Declared, default: Any) -> Any:
    """Return a default as people write it."""
    none = field.mark(NoneMeans)
    if get_origin(field.kind) is tuple:
        return MOMENTS_TEXT
    return (none.word if default is None else str(default)) if none else default


def _value(field: Declared, given: Any) -> Any:
    """Return what a word of the command line stands for."""
    none = field.mark(NoneMeans)
    if get_origin(field.kind) is tuple:
        return _q(given)
    if none is None:
        return given
    if given == none.word:
        return None
    if not given.isdecimal():
        raise OptionError(f"{_flags(field)[0]} is a number or {none.word}, not {given!r}")
    return int(given)


def _q(text: str) -> tuple[float, ...]:
    """Return the moments of ``low:high:step`` as exact multiples of the step's decimal."""
    try:
        low, high, step = (float(part) for part in text.split(":"))
        steps_per_one = round(1 / step)
        bounds = range(round(low * steps_per_one), round(high * steps_per_one) + 1)
        return tuple(k / steps_per_one for k in bounds)
    except (ValueError, ZeroDivisionError, OverflowError):
        raise OptionError(
            f"--q is low:high:step with a step that divides 1, such as -3:3:0.1, not {text!r}"
        ) from None
