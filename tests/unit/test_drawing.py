"""Charts as text, and the words beside them: what is on top, what a gap leaves out, what is rounded how."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from neuromfa import AnalysisOptions, analyze, open_series
from neuromfa.app.drawing import heat, network, spark, svg
from neuromfa.app.drawing.heat import Cell, HeatMap
from neuromfa.app.drawing.network import MOST_ELEMENTS, Spot, Thread
from neuromfa.app.drawing.panels import MOST_POINTS, Dot, Line, Panel, draw
from neuromfa.app.drawing.scales import Along, StepAxis, nice_ticks, reach, step_label, tick_label
from neuromfa.app.pages import words
from neuromfa.app.pages.curves import marks_of
from neuromfa.app.pages.graph_path import PathView, terms_of
from neuromfa.app.pages.layers import CHARTS, block_maps, kind_rows
from neuromfa.app.pages.series_tabs import departures_of
from neuromfa.app.pages.templating import rendered
from neuromfa.beyond_scale import lacking_blocks
from neuromfa.neurons import NeuronDeparture
from neuromfa.options import Profile
from neuromfa.questions import Edge, ShortestPathAnswer
from neuromfa.results import CheckpointResult

SERIES = Path(__file__).parents[2] / "series" / "stdlib-14m"


def panel(*lines: Line, **more: object) -> Panel:
    return Panel(name="x", title="E", note="", lines=lines, **more)  # type: ignore[arg-type]


def line(kind: str, values: list[float | None], flags: dict[int, tuple[str, ...]] | None = None) -> Line:
    dots = (Dot(float(k), value, flags=(flags or {}).get(k, ())) for k, value in enumerate(values))
    return Line(kind, kind, tuple(dots))


def axis(count: int, along: Along = "linear") -> StepAxis:
    return StepAxis.of(map(float, range(count)), along)


def test_what_comes_last_is_drawn_on_top() -> None:
    text = draw(panel(line("shuffled", [0, 1, 2]), line("real", [0, 1, 2])), axis(3))
    kinds = re.findall(r'class="curve is-(\w+)"', text)
    assert kinds == ["shuffled", "real"]


def test_a_gap_is_left_out_and_a_panel_of_nothing_has_no_values() -> None:
    text = draw(panel(line("real", [1, 2, None, 3, 4])), axis(5))
    assert text.count('class="curve') == 2
    assert not panel(line("real", [None])).has_values


def test_flags_are_drawn_where_they_are_also_among_too_many_points() -> None:
    many = line("real", [float(k) for k in range(MOST_POINTS + 1)], {7: ("poor fit, no clean scaling",)})
    text = draw(panel(many), axis(MOST_POINTS + 1))
    assert (text.count('class="flagged'), text.count('class="point')) == (1, 0)
    assert "7: poor fit, no clean scaling" in text


def test_a_chart_is_one_spoken_sentence_and_no_markup_of_others() -> None:
    text = draw(panel(Line("<b>", "real", (Dot(0.0, 1.0), Dot(1.0, 2.0)))), axis(2))
    assert 'aria-label="E: &lt;b&gt; from 1 to 2 over 2 steps."' in text
    assert "<b>" not in text
    assert svg.words(0, 0, "<i>") == '<text x="0" y="0">&lt;i&gt;</text>'


def test_a_single_step_stands_in_the_middle() -> None:
    assert StepAxis.of([5.0], "log").scale(0.0, 10.0)(5.0) == 5.0


def test_steps_are_spread_along_the_axis_and_keep_both_ends() -> None:
    steps = StepAxis.of([float(k) for k in range(1000)], "log")
    spread = steps.spread(8)
    assert (spread[0], spread[-1], len(spread)) == (0.0, 999.0, 8)
    assert spread[1] < 10
    assert StepAxis.of([0.0, 1.0], "log").spread(8) == [0.0, 1.0]
    ticks = steps.ticks()
    assert (ticks[0], ticks[-1]) == (0.0, 999.0) and len(ticks) <= 8


@pytest.mark.parametrize(
    ("value", "text"), [(143000.0, "143k"), (2000.0, "2000"), (3e11, "300B"), (0.5, "0.5"), (2.1e6, "2.1M")]
)
def test_positions_are_told_in_few_letters(value: float, text: str) -> None:
    assert step_label(value, "log") == text
    assert step_label(0.4, "share") == "40 %"


def test_ticks_are_round_and_within() -> None:
    ticks = nice_ticks(-0.0003, 0.0042)
    assert [round(one, 6) for one in ticks] == [0.0, 0.002, 0.004]
    assert tick_label(0.00004) == "4e−5" and tick_label(-0.5) == "−0.5"
    assert reach([None, 1.0, 1.0]) == (0.95, 1.05) and reach([]) == (0.0, 1.0)


def test_a_sparkline_needs_two_values() -> None:
    assert spark.draw(panel(line("real", [1.0])), axis(1)) == ""
    assert 'class="curve is-real"' in spark.draw(panel(line("real", [1.0, 2.0])), axis(2))


def heat_map(cells: dict[str, dict[str, float]], **more: object) -> HeatMap:
    told = {step: {row: Cell(value) for row, value in column.items()} for step, column in cells.items()}
    return HeatMap(name="d", title="D", cells=told, **more)  # type: ignore[arg-type]


def test_a_heat_map_tells_every_value() -> None:
    shown = heat_map({"0": {"block 0": 1.0, "block 1": 2.0}, "8": {"block 1": 3.0}}, chosen="8")
    text = heat.draw(shown)
    assert text.count('class="cell') == 3 and text.count("tick middle here") == 1
    assert "block 1, step 8: 3.0000" in text and "shade-7" in text
    assert shown.spoken() == "D: 2 rows, 2 steps, from 1.0000 to 3.0000."


def test_a_heat_map_with_signs_is_shaded_from_zero() -> None:
    text = heat.draw(heat_map({"0": {"mlp": -2.0, "output": 0.0}, "8": {"mlp": 1.0}}, signed=True))
    assert re.findall(r'class="cell ([^"]*)"', text) == ["shade-7 below", "shade-0", "shade-4"]


def test_what_random_weights_hardly_give_is_marked_without_colour() -> None:
    cells = {"8": {"block 0": Cell(0.2, 0.1, 0.3, 0.0099), "block 1": Cell(0.1, -0.1, 0.3, 0.01)}}
    shown = HeatMap(name="d", title="D", cells=cells, signed=True)
    text = heat.draw(shown)
    assert text.count('class="sure"') == 1
    assert "block 0, step 8: 0.2000, 0.1000 to 0.3000, p 0.0099" in text
    assert shown.spoken().endswith("the highest in block 0 at step 8; p below .01 in 1 of 2 cells.")


def test_flags_of_a_long_line_are_told_apart() -> None:
    dots = tuple(Dot(float(k), 1.0, flags=("few nodes",) if k >= 100 else ()) for k in range(200))
    text = draw(panel(Line("real", "real", dots)), StepAxis.of(range(200), "linear"))
    places = [float(x) for x in re.findall(r'class="flagged is-real" d="M([\d.]+)', text)]
    assert 5 < len(places) < 20 and min(b - a for a, b in zip(places, places[1:], strict=False)) >= 16
    assert text.count("curve doubted") == 1


def test_a_graph_is_never_more_than_can_be_seen() -> None:
    spots = [Spot(f"n{k}", k % 2, k / 100, 0.5, "real", f"n{k}", "?") for k in range(100)]
    threads = [Thread("n0", f"n{k % 100}", float(k), k / 9000) for k in range(9000)]
    text = network.draw(["a", "b"], spots, threads, spoken="G", chosen="n1")
    assert text.count("<") - text.count("</") <= MOST_ELEMENTS
    assert 'stroke-width="2.6"' in text  # the strongest stay


def test_every_term_of_a_path_is_told_with_its_sum() -> None:
    edges = tuple(Edge(f"a{k}", f"a{k + 1}", float(k + 1), 0.5) for k in range(3))
    path = ShortestPathAnswer("a0", "a3", "exact", 5.0, 150.0, None, 16.0, None, edges)
    terms = terms_of(path, blocks=[0, 0, 1], drawn=[True, True, False])
    assert [(one.number, one.length, one.total) for one in terms] == [
        (1, 1, 1),
        (None, 5, 6),
        (2, 2, 8),
        (None, 5, 13),
        (3, 3, 16),
    ]
    assert PathView(path, terms, []).other_blocks == [1]


def test_a_marked_path_is_drawn_whole_over_all_else() -> None:
    spots = [Spot(f"n{k}", k % 2, k / 100, 0.5, "real", f"n{k}", "?", on_path=k < 2) for k in range(100)]
    threads = [Thread("n0", f"n{k % 100}", float(k), k / 9000) for k in range(9000)]
    text = network.draw(
        ["a", "b"], spots, [Thread("n0", "n1", 0.1, 1.0, 1), *threads], spoken="G", chosen=None
    )
    assert text.count("<") - text.count("</") <= MOST_ELEMENTS
    assert text.count("on-path") == 3 and ">1</text>" in text
    assert text.rindex("<line") == text.index('<line class="thread is-positive on-path"')


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (0.0, "0.000"),
        (-0.00004, "−0.000040"),
        (0.0032435, "0.00324"),
        (12.345, "12.35"),
        (1.0143, "1.014"),
    ],
)
def test_numbers_have_three_digits(value: float | None, text: str) -> None:
    assert words.figure(value) == text


def test_change_points_are_marked_where_the_new_direction_begins() -> None:
    steps = [0, *(2**k for k in range(14))]
    bent = [0.9 + 0.001 * (k % 2) + 0.05 * max(0, k - 8) for k in range(len(steps))]
    points: list[Any] = [
        SimpleNamespace(
            step=step, alpha0=SimpleNamespace(value=value), width=SimpleNamespace(value=1.0), verdict=None
        )
        for step, value in zip(steps, bent, strict=True)
    ]
    places = {step: float(step) for step in steps}
    found = marks_of(points, places)
    assert (len(found["alpha0"]), found["width"], found["effect"]) == (1, (), ())
    assert 64.0 <= found["alpha0"][0] <= 512.0
    assert 'class="mark"' in draw(panel(line("real", [0, 1, 2]), marks=(1.0,)), axis(3))


@cache
def with_nulls(profile: Profile = "exact") -> CheckpointResult:
    options = AnalysisOptions(samples=3, nodes=16, draws=2, baseline="none", profile=profile)
    return analyze(open_series(str(SERIES)), options, steps="2000").checkpoints[0]


def test_blocks_are_drawn_as_they_are_stored() -> None:
    result = with_nulls()
    g2, alpha0, width = block_maps([result], "2000")
    assert [one.name for one in (g2, alpha0, width)] == ["g2-by-block", "alpha0-by-block", "width-by-block"]
    assert g2.rows == [f"block {number}" for number in range(6)] and g2.chosen == "2000"
    own, shape = result.excess["shuffled"].by_block["4"], result.shape.excess["shuffled"].by_block["4"]
    assert g2.cells["2000"]["block 4"].value == shape.nfd_variance.value
    assert (alpha0.cells["2000"]["block 4"].value, width.cells["2000"]["block 4"].p) == (
        own.alpha0.value,
        own.width.p,
    )


def test_profile_paper_shows_the_width_of_blocks_in_shape() -> None:
    *_, width = block_maps([with_nulls("paper")], None)
    assert width.title == "Excess of width in shape by block and step" and len(width.cells["2000"]) == 6


def test_results_without_blocks_say_how_to_get_them() -> None:
    new = with_nulls()
    old = replace(new, step=1, excess={"shuffled": replace(new.excess["shuffled"], by_block={})}, shape=None)
    assert lacking_blocks([old, new]) == 1
    assert [list(one.cells) for one in block_maps([old, new], None)] == [["2000"], ["2000"], ["2000"]]
    series = SimpleNamespace(model=SimpleNamespace(id="a", source="runs/a"))
    context = {"kinds": [], **dict.fromkeys(CHARTS, []), "blocks_lacking": 1, "series": series}
    text = rendered("tab_layers.html", context | {"name": "step 1"})
    assert "1 step of these was measured before excess by block was kept" in text
    assert "neuromfa ingest runs/a --measure-again" in text


def test_without_profile_shape_there_is_no_effect_by_kind() -> None:
    bare = replace(with_nulls(), shape=None, shape_reason="not_asked")
    assert [row.effect for row in kind_rows(bare)] == [None] * 4


def test_kinds_and_departures_of_a_result_are_said() -> None:
    options = AnalysisOptions(samples=1, nodes=16, draws=2, neurons=1, baseline="none")
    [result] = analyze(open_series(str(SERIES)), options, steps="2000").checkpoints
    assert {row.name for row in kind_rows(result)} == {"qkv", "dense", "mlp", "output"}
    found = departures_of(result, None)
    assert found is not None and departures_of(result, 77) is None
    p = {"nfd": 1.2, "nfd_z": 9.31, "nfd_p": 1e-9, "nfd_p_adjusted": 0.004}
    none = dict.fromkeys(("strength", "strength_z", "strength_p", "strength_p_adjusted"))
    found = replace(found, neurons=[NeuronDeparture(name="B00.mlp.00001", **p, **none)])
    context = {"result": result, "departures": found, "neurons": None, "name": "step 2000"}
    series = SimpleNamespace(model=SimpleNamespace(id="a/b"), analysis=SimpleNamespace(options_hash="0"))
    text = rendered(
        "tab_neurons.html", context | {"graph_step": None, "most": 40, "root": "./", "series": series}
    )
    assert result.neurons is not None and result.neurons.sentence[:40] in text
    for words_told in ("B00.mlp.00001", "9.3", "0.004", "1 of 1 that depart", "models/a--b/checkpoints"):
        assert words_told in text
