"""The report: one file that stands alone; the committed one differs from what is measured by rounding alone."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from neuromfa import AnalysisOptions, analyze, open_series
from neuromfa.app.cli.main import main
from neuromfa.app.pages.comparison import learned_words, pictures
from neuromfa.app.pages.report import (
    LARGEST_BYTES,
    ReportData,
    report_data,
    report_of,
    shown_of,
    style_policy,
)
from neuromfa.comparison import Group, compare
from neuromfa.results import from_json, to_json
from neuromfa.scores import Score

ROOT = Path(__file__).parents[2]
SERIES = ROOT / "series" / "stdlib-14m"
COMMITTED = ROOT / "docs" / "report" / "report"
RELATIVE = 1e-6
SMALL = AnalysisOptions(samples=3, nodes=16, draws=2)


@pytest.fixture
def neuromfa(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The command line in this process: exit code, and all that it says."""

    def run(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["neuromfa", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as stopped:
            code = int(stopped.code or 0)
        told = capsys.readouterr()
        return code, told.out + told.err

    return run


@pytest.fixture(scope="module")
def committed() -> ReportData:
    return from_json(ReportData, COMMITTED.with_suffix(".json").read_bytes())


@pytest.fixture(scope="module")
def small() -> ReportData:
    first = analyze(open_series(str(SERIES)), SMALL, steps="0,2000")
    other = analyze(open_series(f"{SERIES}-decay1"), SMALL, steps="0,2000")
    return report_data([first, other], {"stdlib-14m": [Score(2000, "x", "loss", 1.5)]})


def test_the_committed_report_is_what_its_numbers_say(committed: ReportData) -> None:
    assert report_of(committed) == COMMITTED.with_suffix(".html").read_text(encoding="utf-8"), (
        "run `make docs`"
    )
    assert [one.series for one in committed.series] == [
        "stdlib-14m",
        "stdlib-14m-decay1",
        "stdlib-14m-shuffled",
    ]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_committed_numbers_are_measured_again(committed: ReportData, place: int) -> None:
    told = committed.series[place]
    one = AnalysisOptions(samples=1, draws=1, shape=False, nulls=False)
    again = analyze(open_series(str(ROOT / "series" / told.series)), one, steps="0,2000")
    for step in again.checkpoints:
        stored = next(each for each in told.checkpoints if each.step == step.step).samples[0]
        assert step.samples[0].alpha0 == pytest.approx(stored.alpha0, rel=RELATIVE)
        assert step.samples[0].width == pytest.approx(stored.width, rel=RELATIVE)
        assert step.samples[0].graph_hash == stored.graph_hash


def test_a_report_stands_alone_and_is_small(small: ReportData) -> None:
    text = report_of(small)
    assert len(text.encode()) < LARGEST_BYTES
    assert not re.search(r"<script|<link|\ssrc=|url\(|@import|\son[a-z]+=|\sstyle=", text)
    assert text.count("<figure") == text.count('class="origin"')
    assert style_policy().count("sha256-") == 1


def test_it_says_what_the_numbers_say(small: ReportData) -> None:
    text = report_of(small)
    assert small.comparison is not None
    sentence = small.comparison.sentence.split(";")[0]
    assert sentence in re.sub(r'<span class="name">([^<]*)</span>', r"\1", text)
    for one in small.series:
        assert one.checkpoints[-1].analysis_hash in text


def test_replicates_are_drawn_as_a_band_between_runs(small: ReportData) -> None:
    shown = [shown_of(one) for one in small.series]
    group = Group("runs", tuple(one.id for one in shown))
    compared = compare([one.source for one in shown], groups=[group])
    [effect] = [one.panel for one in pictures(compared, shown).together if one.panel.name == "g2"]
    band = effect.lines[-1]
    assert (band.name, band.kind) == ("runs, between runs", "score")
    runs = [one.last.values["g2"].value or 0.0 for one in compared.series]
    last = band.dots[-1]
    assert last.value == pytest.approx(sum(runs) / 2)
    assert last.low is not None and last.high is not None and last.low < min(runs) < max(runs) < last.high


def test_what_was_learned_is_left_to_scores(small: ReportData) -> None:
    shown = [shown_of(one, [Score(2000, "x", "loss", float(k))]) for k, one in enumerate(small.series)]
    assert small.comparison is not None
    told = learned_words(small.comparison, shown)
    assert told.startswith("The amount of structure does not tell")
    assert "best first: stdlib-14m 0.000, stdlib-14m-decay1 1.000" in told
    assert "another order" in told  # the one with decay holds more structure
    assert "No benchmark is stored of all" in learned_words(
        small.comparison, [shown_of(one) for one in small.series]
    )


def test_its_json_comes_back_whole(small: ReportData) -> None:
    assert report_of(from_json(ReportData, to_json(small))) == report_of(small)


def test_the_command_takes_what_analyze_wrote(neuromfa: Any, small: ReportData, tmp_path: Path) -> None:
    for one in small.series:
        (tmp_path / f"{one.series}.json").write_text(to_json(one))
    out = tmp_path / "out.html"
    code, told = neuromfa("report", *(tmp_path / f"{one.series}.json" for one in small.series), "-o", out)
    assert code == 0, told
    assert from_json(ReportData, out.with_suffix(".json").read_bytes()).series == small.series
    assert "stdlib-14m-decay1" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("x.json", "-o", "report.pdf"), "a report is an .html file"),
        (("x.json", "x.json"), "named twice"),
        (("missing.json",), "cannot read missing.json"),
    ],
)
def test_the_command_says_what_is_wrong(neuromfa: Any, words: tuple[str, ...], sentence: str) -> None:
    code, told = neuromfa("report", *words)
    assert code != 0
    assert sentence in " ".join(told.split())
