"""What the tab Layers says: excess by matrix kind and by block, and node dimensions by layer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neuromfa.app.drawing import heat
from neuromfa.app.drawing.heat import Cell, HeatMap
from neuromfa.app.drawing.panels import Dot, Line, Panel
from neuromfa.app.pages.curves import SHUFFLED, Positions, axis_of, positions_of
from neuromfa.app.pages.series import Drawn, StoredSeries, drawn, spread_steps
from neuromfa.app.pages.words import step_name
from neuromfa.beyond_scale import lacking_blocks
from neuromfa.errors import NotStored
from neuromfa.questions import Explorer
from neuromfa.results import CheckpointNumbers, CheckpointResult
from neuromfa.structure import ASKED, NOT_BY_BLOCK, BlockExcess, Excess, KindExcess, NullExcess, ShortExcess

MEDIAN = 2
CHARTS = ("block_heats", "kind_heats", "dimension_heats", "dimensions")
"""What of `context_of` are charts."""


@dataclass(frozen=True)
class DrawnHeat:
    """A heat map with its picture."""

    heat: HeatMap
    picture: str


def context_of(
    explorer: Explorer,
    series: StoredSeries,
    result: CheckpointResult,
    spread: Sequence[CheckpointResult],
    seed: int,
) -> dict[str, Any]:
    """Return what the tab says of the chosen step; `spread` are about eight steps, whole."""
    results, chosen = with_chosen(spread, result), step_name(result.step, result.revision)
    return {
        "kinds": kind_rows(result),
        "kind_heats": drawn_heats(kind_maps(results, chosen)),
        "block_heats": drawn_heats(block_maps(results, chosen)),
        "blocks_lacking": lacking_blocks(results),
        "dimensions": dimension_panels(series.points),
        "dimension_heats": drawn_heats(_dimension_maps(explorer, series, seed)),
    }


def with_chosen(spread: Sequence[CheckpointResult], chosen: CheckpointResult) -> list[CheckpointResult]:
    """Return the spread steps with the chosen one among them."""
    found = {(one.step, one.revision): one for one in [*spread, chosen]}
    return sorted(found.values(), key=lambda one: -1 if one.step is None else one.step)


def drawn_heats(maps: Sequence[HeatMap]) -> list[DrawnHeat]:
    """Return heat maps with their pictures; those without any value are left out."""
    return [DrawnHeat(one, heat.draw(one)) for one in maps if any(one.cells.values())]


# ---- excess


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
    over, own = over_shuffled(result), over_shuffled(result, in_shape=True)
    shape = own.by_matrix if own else {}
    return [
        KindRow(
            kind,
            shape[kind].nfd_variance if kind in shape else None,
            shape[kind].alpha0 if kind in shape else None,
            one.alpha0,
            one.width,
        )
        for kind, one in (over.by_matrix.items() if over else ())
    ]


def over_shuffled(result: CheckpointResult, *, in_shape: bool = False) -> NullExcess | None:
    """Return the excess over shuffled weights, in the asked profile or in profile shape; None where it is not there."""
    own = result if not in_shape or result.shape_reason == ASKED else result.shape
    return (own.excess or {}).get(SHUFFLED) if own else None


@dataclass(frozen=True)
class Figure:
    """One figure whose excess is drawn.

    Attributes
    ----------
    name : short name for addresses
    of : its field in the records of excess
    in_shape : taken in profile shape
    """

    name: str
    title: str
    of: str
    in_shape: bool = False


EFFECT = Figure("g2", "g² in shape", "nfd_variance", in_shape=True)
ALPHA0 = Figure("alpha0", "Excess of α₀", "alpha0")
WIDTH = Figure("width", "Excess of width", "width")
WIDTH_IN_SHAPE = Figure("width", "Excess of width in shape", "width", in_shape=True)
Groups = Mapping[str, KindExcess] | Mapping[str, BlockExcess]


def kind_maps(results: Sequence[CheckpointResult], chosen: str | None) -> list[HeatMap]:
    """Return what goes beyond shuffled, matrix kind by step."""
    return [
        _map(one, "kind", "matrix kind", results, chosen, lambda over: over.by_matrix)
        for one in (EFFECT, ALPHA0, WIDTH)
    ]


def block_maps(results: Sequence[CheckpointResult], chosen: str | None) -> list[HeatMap]:
    """Return what goes beyond shuffled, block by step; the width in profile shape where the asked one has none."""
    figures = (EFFECT, ALPHA0, WIDTH if _has_widths(results) else WIDTH_IN_SHAPE)
    return [
        _map(one, "block", "block", results, chosen, lambda over: _by_block_name(over.by_block))
        for one in figures
    ]


def _has_widths(results: Sequence[CheckpointResult]) -> bool:
    found = [over for one in results if (over := over_shuffled(one))]
    return all(block.width.reason != NOT_BY_BLOCK for over in found for block in over.by_block.values())


def _by_block_name(blocks: Mapping[str, BlockExcess]) -> Mapping[str, BlockExcess]:
    return {f"block {number}": one for number, one in blocks.items()}


def _map(
    figure: Figure,
    name: str,
    words: str,
    results: Sequence[CheckpointResult],
    chosen: str | None,
    groups_of: Callable[[NullExcess], Groups],
) -> HeatMap:
    columns = {}
    for result in results:
        over = over_shuffled(result, in_shape=figure.in_shape)
        cells = {row: _cell(getattr(one, figure.of)) for row, one in groups_of(over).items()} if over else {}
        columns[step_name(result.step, result.revision)] = {row: cell for row, cell in cells.items() if cell}
    return HeatMap(
        name=f"{figure.name}-by-{name}",
        title=f"{figure.title} by {words} and step",
        cells={step: cells for step, cells in columns.items() if cells},
        signed=True,
        chosen=chosen,
    )


def _cell(one: Excess | ShortExcess) -> Cell | None:
    if one.value is None:
        return None
    return Cell(one.value, one.low, one.high, one.p_chance if isinstance(one, Excess) else one.p)


# ---- node dimensions


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


def _dimension_maps(explorer: Explorer, series: StoredSeries, seed: int) -> list[HeatMap]:
    """Return a heat map, block by step, for every kind of layer: from the stored graphs of a seed at about eight steps.

    All are asked for in one query: it stands before the first chart of the page.
    """
    try:
        stored = {one.manifest.step: one.manifest for one in explorer.series(series.model.id, seed).samples}
    except NotStored:
        return []
    graphs = {stored[step].number: stored[step] for step in spread_steps(series.points) if step in stored}
    layers = max((one.n_layers for one in graphs.values()), default=0)
    means: dict[str, dict[str, dict[str, Cell]]] = {}
    for row in explorer.store.query("layer_dimensions", {"samples": list(graphs), "layers": layers}):
        graph = graphs[row["sample"]]
        layer = graph.layout[row["layer"]]
        by_step = means.setdefault(layer.row, {})
        by_step.setdefault(step_name(graph.step), {})[f"block {layer.block}"] = Cell(row["mean"])
    return [
        HeatMap(
            name=f"nfd-by-block-{kind}",
            title=f"Mean node dimension of {kind} by block and step",
            cells=by_step,
        )
        for kind, by_step in means.items()
    ]
