"""Results that show themselves: a table and a sentence in a notebook, charts to look at and to keep."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from neuromfa import extras, plots
from neuromfa.errors import MissingExtra, OptionError
from neuromfa.frames import Row

MIME = f"application/vnd.vegalite.v{plots.VEGALITE_VERSION.partition('.')[0]}+json"
MOST_ROWS = 30
SHOWN = ("step", "alpha0", "width", "emergence", "flags")


@dataclass(frozen=True, eq=False)
class Chart:
    """One chart: shown by a notebook, and written into a file where the extra ``plots`` is installed.

    Attributes
    ----------
    name : one of `neuromfa.plots.CHARTS`
    rows : what it draws
    title : the line under its name
    """

    name: str
    rows: Sequence[Row]
    title: str

    @property
    def spec(self) -> dict[str, Any]:
        """The whole Vega-Lite specification, rows inside."""
        title = {"text": plots.TITLES[self.name], "subtitle": self.title}
        return {**plots.chart(self.name, self.rows), "title": title}

    def save(self, path: str | Path) -> Path:
        """Draw it into a file, .svg or .png by the ending; `MissingExtra` without the extra ``plots``."""
        return plots.render(self.name, self.rows, Path(path), title=self.title)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Return what a notebook draws: the specification, and a picture where one can be made."""
        try:
            converter = extras.load("vl_convert", what="a picture of a chart")
        except MissingExtra:
            return {MIME: self.spec}
        picture = converter.vegalite_to_svg(self.spec, vl_version=plots.VEGALITE_VERSION)
        return {MIME: self.spec, "image/svg+xml": picture}


def chart_of(checkpoints: Sequence[Any], name: str, *, title: str) -> Chart:
    """Return a chart of checkpoints.

    Parameters
    ----------
    checkpoints : records with spectra for ``spectrum`` and ``tau``, with dimensions for ``nfd``, else with numbers
    name : spectrum, tau, emergence, alpha0, width or nfd

    Raises
    ------
    OptionError : another name, or checkpoints without what it draws
    """
    drawn: dict[str, Any] = dict.fromkeys(plots.SPECTRAL_CHARTS, plots.spectrum_rows)
    drawn |= {one: lambda all_, measure=one: plots.metric_rows(all_, measure) for one in plots.STEP_CHARTS}
    drawn["nfd"] = plots.dimension_rows
    if name not in drawn:
        raise OptionError(f"no chart of a series is called {name!r}; there are {', '.join(drawn)}")
    try:
        rows = drawn[name](checkpoints)
    except AttributeError as error:
        raise OptionError(
            f"a chart {name} needs the {error.name} of each step, which these records have not"
        ) from None
    return Chart(name, rows, title)


def table_html(rows: Sequence[Row], *, title: str, sentence: str | None = None) -> str:
    """Return rows as an HTML table with a title and a sentence over it; long ones are cut, and say so."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(f"<tr>{_cells(row.get(name) for name in names)}</tr>" for row in rows[:MOST_ROWS])
    more = f"<p>and {len(rows) - MOST_ROWS} more</p>" if len(rows) > MOST_ROWS else ""
    told = f"<p>{escape(sentence)}</p>" if sentence else ""
    return f"<div><b>{escape(title)}</b>{told}<table><tr>{head}</tr>{body}</table>{more}</div>"


def short_rows(checkpoints: Iterable[Any]) -> list[Row]:
    """Return step, alpha0, width, E and flags of checkpoints, figures with their intervals as words."""
    return [{name: _words(getattr(one, name, None)) for name in SHOWN} for one in checkpoints]


def _words(value: Any) -> Any:
    number = getattr(value, "value", value)
    if isinstance(number, float):
        low, high = getattr(value, "low", None), getattr(value, "high", None)
        return f"{number:.4g}" + (f" [{low:.4g}, {high:.4g}]" if low is not None and high is not None else "")
    return ", ".join(number) if isinstance(number, list) else number


def _cells(values: Iterable[Any]) -> str:
    return "".join(f"<td>{'' if value is None else escape(str(_words(value)))}</td>" for value in values)
