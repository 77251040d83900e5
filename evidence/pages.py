"""The tables of docs/structure.md and docs/method.md, written from the published counts."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from neuromfa.app.cli.pages import lines_between, put_between

DOCS = Path(__file__).parents[1] / "docs"
RESULTS = Path(__file__).parent / "results"

Rows = list[dict[str, Any]]


def write() -> None:
    """Put every published table into the page."""
    for name in TABLES:
        put_between(page_of(name), name, table(name))


def written(name: str) -> list[str]:
    """Return the lines of a table as they stand in the page."""
    return lines_between(page_of(name), name)


def page_of(name: str) -> Path:
    """Return the page that a table stands in."""
    return DOCS / ("method.md" if name in OF_CORRELATIONS else "structure.md")


def table(name: str) -> list[str]:
    """Return the lines of a table from its published counts."""
    published = "correlations" if name in OF_CORRELATIONS else name
    content = json.loads((RESULTS / f"{published}.json").read_text(encoding="utf-8"))
    return [
        *TABLES[name](content["found"]),
        "",
        f"Counted {content['date']}, method version {content['method_version']}.",
    ]


def _bundled(rows: Rows) -> Iterator[str]:
    yield "| series | step | way | excess of alpha0 | excess of the width | g |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        alpha0, width = (f"{row[name]:+.4f} ({row[f'{name}_t']:.1f})" for name in ("alpha0", "width"))
        yield f"| {row['series']} | {row['step']} | {_way(row['way'])} | {alpha0} | {width} | {row['g']:.3f} |"


def _way(way: str) -> str:
    return "by rms" if "rms" in way else way


def _matrices(rows: Rows) -> Iterator[str]:
    names = {
        "mp_outliers": "values above 1.02 MP",
        "effective_rank": "effective rank / smaller side",
        "stable_rank": "stable rank / smaller side",
        "kurtosis": "kurtosis",
        "gini_strength": "Gini of strengths",
    }
    places = [f"{row['series']} {row['step']}" for row in rows]
    yield f"| measure | {' | '.join(places)} |"
    yield f"|---|{'---|' * len(rows)}"
    for name, words in names.items():
        yield f"| {words} | {' | '.join(_beside_null(row[name], name) for row in rows)} |"


def _beside_null(figure: dict[str, float], name: str) -> str:
    form = "{:.1f}" if name == "mp_outliers" else "{:.3f}"
    return f"{form.format(figure['value'])} ({form.format(figure['shuffled'])})"


def _neurons(found: dict[str, Any]) -> Iterator[str]:
    yield "| network | trials | by dimension | by strength |"
    yield "|---|---|---|---|"
    for row in found["random"]:
        shares = " | ".join(f"{100 * row[name]:.1f} % have any" for name in ("nfd", "strength"))
        yield f"| shuffled | {row['trials']} | {shares} |"
    for row in found["planted"]:
        shares = " | ".join(
            f"{100 * row[name]:.0f} % found, {100 * row[f'{name}_false']:.0f} % of the found false"
            for name in ("nfd", "strength")
        )
        yield f"| shuffled, 10 neurons times {row['factor']} | {row['trials']} | {shares} |"
    for row in found["bundled"]:
        name = f"{row['series']}, step {row['step']}, {row['samples']} samples"
        yield f"| {name} | - | {row['nfd']} of {row['tested']:,} | {row['strength']} of {row['tested']:,} |"


def _rates(rows: Rows) -> Iterator[str]:
    yield "| planted | samples | yes | no | undecided | trials |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        shares = " | ".join(f"{100 * row[answer]:.1f} %" for answer in ("yes", "no", "undecided"))
        yield f"| {row['planted'] or 'nothing'} | {row['samples']} | {shares} | {row['trials']} |"


def _replicates(found: dict[str, Any]) -> Iterator[str]:
    measures = list(found["groups"][0]["values"])
    yield f"| condition (3 runs each) | {' | '.join(measures)} |"
    yield f"|---|{'---|' * len(measures)}"
    for group in found["groups"]:
        values = " | ".join(_between(group["values"][measure]) for measure in measures)
        yield f"| {group['name']} | {values} |"
    for pair in found["pairs"]:
        differences = " | ".join(_difference(pair["differences"][measure]) for measure in measures)
        yield f"| {pair['first']} against {pair['second']} | {differences} |"


def _between(value: dict[str, float]) -> str:
    return (
        "-" if value["low"] is None else f"{value['value']:.4f} ({value['low']:.4f} to {value['high']:.4f})"
    )


def _difference(value: dict[str, float]) -> str:
    return "-" if value["p"] is None else f"{value['value']:+.4f} (p {value['p']:.2g})"


def _unrelated(found: dict[str, Any]) -> Iterator[str]:
    tests = "p of r | of differences | of shifts, off a line | of shifts, as here"
    yield f"| unrelated curves | steps | noise | {tests} | trials |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in found["rates"]:
        shares = " | ".join(f"{100 * row[test]:.1f} %" for test in ("plain", "differences", "line", "shift"))
        noise = "-" if row["noise"] is None else f"{100 * row['noise']:.1f} %"
        yield f"| {row['curves']} | {row['steps']} | {noise} | {shares} | {row['trials']} |"


def _example(found: dict[str, Any]) -> Iterator[str]:
    yield "| task | n | r | rho | r of differences | n from step 3000 | r | given log(step + 1) |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in found["example"]:
        early = " | ".join(f"{row[name]:.2f}" for name in ("pearson", "spearman", "differences"))
        late = " | ".join(f"{row[name]:.2f}" for name in ("pearson_from_3000", "partial_step_from_3000"))
        yield f"| {row['task']} | {row['n']} | {early} | {row['n_from_3000']} | {late} |"


OF_CORRELATIONS = ("unrelated", "example")
TABLES: dict[str, Callable[[Any], Iterator[str]]] = {
    "bundled": _bundled,
    "matrices": _matrices,
    "neurons": _neurons,
    "rates": _rates,
    "replicates": _replicates,
    "unrelated": _unrelated,
    "example": _example,
}
