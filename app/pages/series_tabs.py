"""What the tabs of a series say: each reads only what it shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from neuromfa.app.drawing import heat
from neuromfa.app.drawing.panels import Dot, Line, Panel
from neuromfa.app.pages.curves import Positions, axis_of, positions_of
from neuromfa.app.pages.series import Drawn, StoredSeries, Tab, drawn, spread_steps
from neuromfa.app.pages.words import step_name
from neuromfa.correlations import correlate
from neuromfa.errors import NotStored
from neuromfa.graph import GraphStore
from neuromfa.matrices import MatrixFigure, MatrixFigures
from neuromfa.neurons import SampleDepartures
from neuromfa.questions import Explorer, Neuron, NeuronList, ask
from neuromfa.results import CheckpointNumbers, CheckpointResult
from neuromfa.structure import Excess

Context = dict[str, Any]
MOST_NEURONS = 40
SHUFFLED = "shuffled"
MEDIAN = 2


def context_of(
    tab: Tab,
    store: GraphStore,
    explorer: Explorer,
    series: StoredSeries,
    result: CheckpointResult,
    *,
    seed: int | None,
    spread: Sequence[CheckpointResult],
) -> Context:
    """Return what a tab says of the chosen step; `spread` are about eight steps, whole."""
    graphs = [one.seed for one in store.samples(series.model.id, result.step)]
    context: Context = {"graph_step": step_name(result.step) if graphs and result.step is not None else "-"}
    context["graph_step"] = context["graph_step"] if graphs else None
    if tab == "layers":
        return context | _layers(explorer, series, result, spread, next(iter(graphs), 0))
    if tab == "neurons":
        found = _neurons(explorer, series, result, graphs, seed)
        return context | {"neurons": found, "departures": departures_of(result, seed), "most": MOST_NEURONS}
    if tab == "matrices":
        return context | {"matrices": matrices_of(result)}
    if tab == "benchmarks":
        return context | {"correlations": correlate(series.points, series.scores)}
    if tab == "provenance":
        return context | {"lowest_fit": lowest_fit(result)}
    return context


def lowest_fit(result: CheckpointResult) -> float | None:
    """Return the lowest R² of the log-log fits."""
    return min((one for one in result.r_squared.values() if one is not None), default=None)


@dataclass(frozen=True)
class KindRow:
    """What one matrix kind holds beyond its shuffled self."""

    name: str
    effect: Excess | None
    shape_alpha0: Excess | None
    alpha0: Excess
    width: Excess


def kind_rows(result: CheckpointResult) -> list[KindRow]:
    """Return the excess by matrix kind, none without nulls."""
    over = (result.excess or {}).get(SHUFFLED)
    if over is None:
        return []
    own = (result.shape.excess or {}).get(SHUFFLED) if result.shape else None
    shape = (own or over).by_matrix
    return [
        KindRow(
            kind,
            shape[kind].nfd_variance if kind in shape else None,
            shape[kind].alpha0 if kind in shape else None,
            one.alpha0,
            one.width,
        )
        for kind, one in over.by_matrix.items()
    ]


def _layers(
    explorer: Explorer,
    series: StoredSeries,
    result: CheckpointResult,
    spread: Sequence[CheckpointResult],
    seed: int,
) -> Context:
    return {
        "kinds": kind_rows(result),
        "excess_heats": excess_heats(spread),
        "dimensions": dimension_panels(series.points),
        "heats": _heats(explorer, series, seed),
    }


def excess_heats(results: Sequence[CheckpointResult]) -> dict[str, str]:
    """Return heat maps, matrix kind by step, of what goes beyond shuffled; those without any value are left out."""
    columns: dict[str, dict[str, dict[str, float]]] = {}
    for result in results:
        for kind in kind_rows(result):
            for title, one in (
                ("g² in shape", kind.effect),
                ("Excess of α₀", kind.alpha0),
                ("Excess of width", kind.width),
            ):
                if one is not None and one.value is not None:
                    by_step = columns.setdefault(title, {})
                    by_step.setdefault(step_name(result.step, result.revision), {})[kind.name] = one.value
    return {
        title: heat.draw(by_step, title=f"{title} by matrix kind and step", signed=True)
        for title, by_step in columns.items()
    }


def dimension_panels(points: Sequence[CheckpointNumbers]) -> list[Drawn]:
    """Return the node dimensions of every kind of layer as bands over the steps."""
    places = positions_of(points, "log")
    kinds = list(dict.fromkeys(one.row for point in points for one in point.dimensions))
    shown = [_dimension_panel(kind, points, places) for kind in kinds]
    return drawn([one for one in shown if one.has_values], axis_of(points, "log"), at=None)


def _dimension_panel(kind: str, points: Sequence[CheckpointNumbers], places: Positions) -> Panel:
    def line(name: str, low: int, high: int) -> Line:
        dots = [
            Dot(places[point.step], one.quantiles[MEDIAN], one.quantiles[low], one.quantiles[high])
            for point in points
            for one in point.dimensions
            if one.row == kind and point.step in places
        ]
        return Line(name, "score", tuple(dots))

    return Panel(
        name=f"nfd-{kind}",
        title=f"Sources in {kind}",
        note="",
        lines=(line("5 to 95 %", 0, 4), line("median", 1, 3)),
    )


Means = dict[str, dict[str, dict[str, float]]]
"""Node dimensions by kind of layer, step and block."""


def _heats(explorer: Explorer, series: StoredSeries, seed: int) -> dict[str, str]:
    """Return a heat map, block by step, for every kind of layer: from the stored graphs of a seed at about eight steps.

    All are asked for in one query: it stands before the first chart of the page.
    """
    try:
        stored = {one.manifest.step: one.manifest for one in explorer.series(series.model.id, seed).samples}
    except NotStored:
        return {}
    graphs = {stored[step].number: stored[step] for step in spread_steps(series.points) if step in stored}
    layers = max((one.n_layers for one in graphs.values()), default=0)
    means: Means = {}
    for row in explorer.store.query("layer_dimensions", {"samples": list(graphs), "layers": layers}):
        graph = graphs[row["sample"]]
        layer = graph.layout[row["layer"]]
        by_step = means.setdefault(layer.row, {})
        by_step.setdefault(step_name(graph.step), {})[f"block {layer.block}"] = row["mean"]
    return {
        kind: heat.draw(by_step, title=f"Mean node dimension of {kind} by block and step")
        for kind, by_step in means.items()
    }


@dataclass(frozen=True)
class Neurons:
    """The neurons of one stored sample, the highest dimensions first."""

    seed: int
    seeds: list[int]
    items: Sequence[Neuron]


def _neurons(
    explorer: Explorer, series: StoredSeries, result: CheckpointResult, graphs: list[int], seed: int | None
) -> Neurons | None:
    if not graphs and seed is None:
        return None
    chosen = graphs[0] if seed is None else seed
    sample = explorer.sample(series.model.id, result.step, chosen)
    answer = ask(sample, NeuronList(order="dimension", limit=MOST_NEURONS))
    return Neurons(chosen, sorted(set(graphs)), answer.items)


def departures_of(result: CheckpointResult, seed: int | None) -> SampleDepartures | None:
    """Return the neurons of a sample that depart from chance, of the first that was tested without a seed."""
    tested = result.neurons.samples if result.neurons else []
    return next((one for one in tested if seed in (None, one.seed)), None)


def matrices_of(result: CheckpointResult) -> Mapping[str, Mapping[str, MatrixFigure]]:
    """Return the plain measures by matrix kind and name, none where they were not asked for."""
    by_kind = result.matrices.by_kind if result.matrices else {}
    names = [each.name for each in fields(MatrixFigures)]
    return {kind: {name: getattr(one, name) for name in names} for kind, one in by_kind.items()}
