"""Parameters that several commands share, declared once."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from neuromfa.errors import OptionError
from neuromfa.ingest.ingest import IngestRequest
from neuromfa.options import AnalysisOptions

Steps = Annotated[str, typer.Option(help="all, paper, or steps such as 0,512.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of the embedded store [NEUROMFA_DATA_DIR].")]
Jobs = Annotated[int, typer.Option(min=1, help="Local processes to work in.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON on standard output.")]

_SERIES: dict[str, Any] = {
    "source": (
        Annotated[
            str,
            typer.Argument(
                help="Folder of step folders, one checkpoint folder, hub repository id, or fsspec URL."
            ),
        ],
        inspect.Parameter.empty,
    ),
    "steps": (Steps, "all"),
    "revision": (Annotated[str | None, typer.Option(help="One revision of a hub repository.")], None),
    "model_id": (
        Annotated[
            str | None, typer.Option(help="Name to keep the series under; a local folder's is its own name.")
        ],
        None,
    ),
    "architecture": (
        Annotated[Path | None, typer.Option(help="Your own architecture file (docs/architectures.md).")],
        None,
    ),
    "download": (
        Annotated[
            bool, typer.Option("--download", help="Fetch whole remote files instead of sampled ranges.")
        ],
        False,
    ),
}
_ANALYSIS: dict[str, Any] = {
    "samples": (Annotated[int, typer.Option(help="Number of samples (seeds).")], 10),
    "nodes": (Annotated[str, typer.Option(help="Neurons per layer, or all.")], "64"),
    "seed": (Annotated[int, typer.Option(help="The first seed.")], 0),
    "profile": (Annotated[str, typer.Option(help="exact, or paper as the released code does it.")], "exact"),
    "baseline": (
        Annotated[
            str, typer.Option(help="What E is measured against: first (step 0), a step, reinit, none.")
        ],
        "first",
    ),
    "max_distance": (
        Annotated[float, typer.Option(help="T: edges beyond this distance are out of range.")],
        150.0,
    ),
    "grid": (Annotated[str, typer.Option(help="Radii: union of those observed, or fixed 20..T.")], "union"),
    "hops": (Annotated[str, typer.Option(help="1, or multi: balls over whole paths.")], "1"),
    "scale": (Annotated[float, typer.Option("--lambda", help="Numerator of the distance.")], 1.0),
    "gamma": (Annotated[float, typer.Option(help="Cost of every further hop.")], 5.0),
    "min_edges": (
        Annotated[int, typer.Option(help="A neuron is kept with more edges in range than this.")],
        10,
    ),
    "q": (
        Annotated[str, typer.Option(help="Moments as low:high:step, such as -3:3:0.1.")],
        "-3:3:0.1",
    ),
    "rms_scaled": (
        Annotated[bool, typer.Option("--rms-scaled", help="Divide out the growth of the weights first.")],
        False,
    ),
    "nulls": (Annotated[bool, typer.Option("--nulls/--no-nulls", help="Measure the null models too.")], True),
}


def with_request(command: Callable[..., None]) -> Callable[..., None]:
    """Add every parameter of a series and of its analysis to a command, which receives them as `request`."""
    own = [
        parameter
        for parameter in inspect.signature(command, eval_str=True).parameters.values()
        if parameter.name != "request"
    ]
    parameters = [*_parameters(_SERIES), *own, *_parameters(_ANALYSIS)]

    def run(**values: Any) -> None:
        series = {name: values.pop(name) for name in _SERIES}
        options = _options({name: values.pop(name) for name in _ANALYSIS})
        command(request=IngestRequest(**series, options=options), **values)

    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    )
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__doc__ = command.__doc__
    return run


def _parameters(declared: dict[str, Any]) -> list[inspect.Parameter]:
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
        for name, (annotation, default) in declared.items()
    ]


def _options(values: dict[str, Any]) -> AnalysisOptions:
    values["nodes"] = _nodes(values["nodes"])
    values["q"] = _q(values["q"])
    return AnalysisOptions(**values)


def _nodes(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal():
        raise OptionError(f"--nodes is a number or all, not {text!r}")
    return int(text)


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
