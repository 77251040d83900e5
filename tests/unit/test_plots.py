"""Charts: rows by hand, every chart drawn to a file, colours that can be told from their ground."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuromfa import plots
from neuromfa.errors import MissingExtra, OptionError
from neuromfa.results import CheckpointResult, RowDimension, SeriesResult
from neuromfa.scores import Score
from tests.unit.making_results import checkpoint

THEMES = ("light", "dark")


def series(*checkpoints: CheckpointResult) -> SeriesResult:
    return SeriesResult("tiny", "exact", {}, {}, list(checkpoints))


# rows


def test_a_row_for_each_step_and_moment() -> None:
    rows = plots.spectrum_rows([checkpoint(0), checkpoint(512, alpha0=1.2)])
    assert len(rows) == 2 * 61
    row = next(row for row in rows if row["step"] == 512 and row["q"] == 2.0)
    assert row["tau"] == pytest.approx(2.2)
    assert (row["alpha"], row["f"]) == pytest.approx((1.0, -0.2))
    assert (row["tau_low"], row["tau_high"]) == pytest.approx((2.1, 2.3))
    assert row["slope"] == pytest.approx(1.2)
    assert row["name"] == "step 512"
    assert row["alpha_low"] is None


def test_forward_differences_leave_the_last_moment_without_alpha() -> None:
    rows = plots.spectrum_rows([checkpoint(0, forward=True)])
    assert [row["q"] for row in rows if row["alpha"] is None] == [3.0]
    assert all(row["tau_low"] is None for row in rows)


def test_real_weights_stand_beside_every_null() -> None:
    rows = plots.metric_rows([checkpoint(0), checkpoint(8, nulls=False), checkpoint(None)], "emergence")
    assert [(row["step"], row["model"]) for row in rows] == [
        (0, "real"), (0, "shuffled"), (0, "gaussian"), (0, "rescaled"), (8, "real"),
    ]  # fmt: skip
    assert rows[1] == {
        "step": 0, "model": "shuffled", "label": "Shuffled null",
        "value": 0.1, "low": pytest.approx(0.09), "high": pytest.approx(0.11),
    }  # fmt: skip


def test_rows_along_tokens_are_of_the_steps_that_tell_them() -> None:
    made = [
        replace(checkpoint(0, nulls=False), tokens=0),
        replace(checkpoint(8, nulls=False), tokens=4 * 10**9),
    ]
    rows = plots.metric_rows([*made, checkpoint(9)], "width", along="tokens")
    assert [row["step"] for row in rows] == [0, 4 * 10**9]
    spec = plots.chart("width", rows, along="tokens")
    assert spec["encoding"]["x"]["title"] == "tokens seen (log scale, with 0)"
    assert plots.chart("width", rows)["encoding"]["x"]["title"].startswith("training step")


def test_dimensions_have_a_row_for_each_kind_of_layer() -> None:
    spread = RowDimension("mlp", 40, 1.1, 0.2, [0.8, 1.0, 1.1, 1.2, 1.5])
    rows = plots.dimension_rows([checkpoint(0), replace(checkpoint(None), dimensions=[spread])])
    assert rows == [
        {"step": None, "name": "main", "place": 1, "row": "mlp", "n": 40, "mean": 1.1,
         "q05": 0.8, "q25": 1.0, "q50": 1.1, "q75": 1.2, "q95": 1.5},
    ]  # fmt: skip


def test_polygons_close_and_every_axis_has_its_own_range() -> None:
    results = [
        checkpoint(0, alpha0=1.5),
        checkpoint(8, alpha0=1.3),
        checkpoint(16, alpha0=1.1),
        checkpoint(None),
    ]
    scores = [Score(0, "piqa", "acc", 0.7), Score(8, "piqa", "acc", 0.5), Score(None, "piqa", "acc", 0.9)]
    rows = plots.radar_rows(results, scores)
    assert {row["step"] for row in rows} == {0, 8}
    eight = [row for row in rows if row["step"] == 8]
    assert [(row["axis"], row["value"], row["share"]) for row in eight] == [
        ("E", 0.2, 1.0),
        ("α₀", 1.3, 0.0),
        ("width", 0.6, 1.0),
        ("piqa acc", 0.5, 0.0),
        ("E", 0.2, 1.0),
    ]
    assert [row["place"] for row in eight] == [0, 1, 2, 3, 4]
    assert {row["places"] for row in eight} == {4}


def test_without_scores_there_is_no_radar() -> None:
    assert plots.radar_rows([checkpoint(0)], []) == []
    assert plots.radar_rows([checkpoint(0)], [Score(9, "piqa", "acc", 1.0)]) == []


@pytest.mark.parametrize(
    ("steps", "ticks"),
    [
        ([], []),
        ([None], []),
        ([512], [512]),
        ([0, 512, None, 0], [0, 512]),
        ([0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3, 5, 7]),
        ([0, 1, 1000, 1001, 1002], [0, 1002]),
    ],
)
def test_ticks_keep_their_distance(steps: list[int | None], ticks: list[int]) -> None:
    assert plots.step_ticks(steps) == ticks


def test_ticks_stay_few_however_many_steps() -> None:
    assert len(plots.step_ticks([0, *(2**k for k in range(10)), *range(1000, 144_000, 1000)])) <= 10
    assert plots.step_ticks([0, *range(1000, 144_000, 1000)])[-1] == 143_000


# files


def test_every_chart_of_a_series_is_drawn(tmp_path: Path) -> None:
    spread = RowDimension("mlp", 40, 1.1, 0.2, [0.8, 1.0, 1.1, 1.2, 1.5])
    result = series(
        checkpoint(0), checkpoint(512), replace(checkpoint(2000, alpha0=1.2), dimensions=[spread])
    )
    scores = [Score(step, "piqa", "acc", step / 4000) for step in (0, 512, 2000)]
    paths = plots.render_series(result, tmp_path / "new" / "folder", scores=scores)
    assert {path.stem for path in paths} == set(plots.CHARTS)
    for path in paths:
        start = path.read_bytes()[:8]
        assert start.startswith(b"<svg") if path.suffix == ".svg" else start == b"\x89PNG\r\n\x1a\n"
    drawn = (tmp_path / "new" / "folder" / "spectrum.svg").read_text(encoding="utf-8")
    assert len(re.findall(r'aria-label="[^"]*name: step', drawn)) >= 3
    assert "tiny (profile exact)" in drawn
    assert "Multifractal spectrum" in drawn


def test_a_measure_without_a_value_has_no_chart(tmp_path: Path) -> None:
    names = {path.stem for path in plots.render_series(series(checkpoint(None)), tmp_path)}
    assert names == set(plots.SPECTRAL_CHARTS)


@pytest.mark.parametrize("theme", THEMES)
def test_the_radar_is_drawn_in_both_themes(tmp_path: Path, theme: Any) -> None:
    scores = [Score(step, task, "acc", step / 10) for step in (0, 8) for task in ("piqa", "sciq")]
    rows = plots.radar_rows([checkpoint(0), checkpoint(8)], scores)
    drawn = plots.render("radar", rows, tmp_path / "radar.svg", title="tiny", theme=theme)
    text = drawn.read_text(encoding="utf-8")
    assert all(f">{axis}<" in text for axis in ("E", "piqa acc", "sciq acc"))


def test_bad_requests_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = plots.spectrum_rows([checkpoint(0)])
    with pytest.raises(OptionError, match=r"no chart is called 'pie'; there are spectrum, "):
        plots.render("pie", rows, tmp_path / "x.svg", title="")
    with pytest.raises(OptionError, match=r"written as \.svg or \.png, not '\.gif'"):
        plots.render("tau", rows, tmp_path / "x.gif", title="")
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(
        MissingExtra, match=r"a chart in a file needs vl_convert of the extra plots: .*\[plots\]'"
    ):
        plots.require()
    assert list(tmp_path.iterdir()) == []


# colours


def luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_lines_and_words_can_be_told_from_their_ground(theme: Any) -> None:
    config = plots.chart("tau", [], theme=theme)["config"]
    ground = config["background"]
    lines = [*config["range"]["category"], *config["range"]["ramp"]]
    assert min(contrast(colour, ground) for colour in lines) >= 3
    words = [config["axis"]["labelColor"], config["axis"]["titleColor"], config["legend"]["labelColor"]]
    assert min(contrast(colour, ground) for colour in words) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_later_steps_stand_out_more(theme: Any) -> None:
    config = plots.chart("tau", [], theme=theme)["config"]
    ladder = [contrast(colour, config["background"]) for colour in config["range"]["ramp"]]
    assert ladder == sorted(ladder)


def test_themes_differ_in_colours_only() -> None:
    folder = Path(plots.__file__).parent / "charts"
    light, dark = (json.loads((folder / f"theme-{theme}.json").read_text()) for theme in THEMES)

    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shape(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [shape(inner) for inner in value]
        return "colour" if isinstance(value, str) and value.startswith("#") else value

    assert shape(light) == shape(dark)
