"""Comparisons of several series: alignment, differences against scipy's tests, replicates, warnings, the sentence."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from neuromfa.comparison import (
    Comparison,
    FailedSeries,
    Group,
    Source,
    check_series,
    compare,
    group_from,
    needed_steps,
)
from neuromfa.comparison.align import axis_named, axis_of, common
from neuromfa.comparison.records import COMPARED, MEASURES
from neuromfa.errors import AnalysisError, OptionError
from neuromfa.options import AnalysisOptions
from neuromfa.results import CurvePoint, Estimate, Reading, from_json, to_json
from tests.unit.making_series import numbers, series, without_verdict

RANDOM = np.random.default_rng(0)
HIGH = (0.0110 + 0.0004 * RANDOM.standard_normal(10)).tolist()
LOW = (0.0030 + 0.0004 * RANDOM.standard_normal(10)).tolist()
NOTHING = (0.0001 * RANDOM.standard_normal(10)).tolist()
EXCESS, OTHER_EXCESS = ((mean + 0.001 * RANDOM.standard_normal(10)).tolist() for mean in (0.005, 0.002))


def two(**second: object) -> Comparison:
    """Two series with step 0 and step 100, of which the second differs as told."""
    own = series("a", numbers(0, g2=NOTHING), numbers(100, g2=HIGH, excess=EXCESS))
    values = {"g2": LOW, "excess": OTHER_EXCESS} | second
    return compare([own, series("b", numbers(0, g2=NOTHING), numbers(100, **values))])  # type: ignore[arg-type]


# differences of two series


def test_the_same_seeds_are_paired() -> None:
    [pair] = two().pairs
    found = pair.differences
    for measure, expected in {
        "g2": stats.ttest_rel(HIGH, LOW),
        "excess_alpha0": stats.ttest_rel(EXCESS, OTHER_EXCESS),
    }.items():
        one = found[measure]
        assert one.method == "paired"
        assert (one.n, one.df) == ((10, 10), 9)
        assert one.p == pytest.approx(expected.pvalue, rel=1e-6)
        assert (one.low, one.high) == pytest.approx(tuple(expected.confidence_interval(0.95)), rel=1e-6)
    assert found["g2"].value == pytest.approx(np.mean(HIGH) - np.mean(LOW))
    assert found["excess_width"].value == pytest.approx(2 * found["excess_alpha0"].value)  # type: ignore[operator]


@pytest.mark.parametrize(
    "second",
    [
        {"first_seed": 5},
        {"g2": LOW[:6], "excess": OTHER_EXCESS[:6]},
    ],
    ids=["other seeds", "fewer samples"],
)
def test_other_samples_are_compared_by_welch(second: dict[str, Sequence[float]]) -> None:
    one = two(**second).pairs[0].differences["excess_alpha0"]
    expected = stats.ttest_ind(EXCESS, second.get("excess", OTHER_EXCESS), equal_var=False)
    assert one.method == "unpaired"
    assert one.df == pytest.approx(expected.df)
    assert one.p == pytest.approx(expected.pvalue)
    assert (one.low, one.high) == pytest.approx(tuple(expected.confidence_interval(0.95)))


def test_networks_read_otherwise_are_not_paired() -> None:
    own, other = numbers(100, g2=HIGH), numbers(100, g2=LOW)
    reading = Reading("gpt2", "other rows", "float16", {})
    found = compare([series("a", own), series("b", replace(other, reading=reading))])
    assert {found.pairs[0].differences[measure].method for measure in ("g2", "alpha0")} == {"unpaired"}


def test_other_rows_of_fused_tensors_are_not_paired() -> None:
    paper = AnalysisOptions(profile="paper")
    found = compare([series("a", numbers(1, g2=HIGH)), series("b", numbers(1, g2=LOW), options=paper)])
    assert found.pairs[0].differences["alpha0"].method == "unpaired"


def test_a_g2_that_is_no_mean_of_samples_is_not_paired() -> None:
    odd = numbers(100, g2=LOW)
    assert odd.verdict is not None
    assert odd.verdict.structure.g2 is not None
    other = replace(odd.verdict.structure, g2=odd.verdict.structure.g2 + 0.001)
    found = compare(
        [
            series("a", numbers(100, g2=HIGH)),
            series("b", replace(odd, verdict=replace(odd.verdict, structure=other))),
        ]
    )
    methods = {measure: found.pairs[0].differences[measure].method for measure in ("g2", "excess_alpha0")}
    assert methods == {"g2": "unpaired", "excess_alpha0": "paired"}


def test_e_is_compared_from_its_interval() -> None:
    ends = [
        replace(numbers(100, g2=g2), emergence=Estimate(value, value - half, value + half, 10))
        for g2, value, half in ((HIGH, 0.30, 0.02), (LOW, 0.25, 0.05))
    ]
    one = compare([series("a", ends[0]), series("b", ends[1])]).pairs[0].differences["emergence"]
    sds = [half / stats.t.ppf(0.975, 9) * np.sqrt(10) for half in (0.02, 0.05)]
    expected = stats.ttest_ind_from_stats(0.30, sds[0], 10, 0.25, sds[1], 10, equal_var=False)
    assert one.method == "unpaired"
    assert one.value == pytest.approx(0.05)
    assert one.p == pytest.approx(expected.pvalue)


def test_without_whole_results_nothing_is_paired() -> None:
    sources = [
        Source(id, AnalysisOptions(), [CurvePoint.of(numbers(100, g2=g2))])
        for id, g2 in (("a", HIGH), ("b", LOW))
    ]
    one = compare(sources).pairs[0].differences["g2"]
    assert one.method == "unpaired"
    assert one.p == pytest.approx(stats.ttest_ind(HIGH, LOW, equal_var=False).pvalue)


def test_two_samples_have_a_difference_without_an_interval() -> None:
    found = two(g2=LOW[:2], excess=OTHER_EXCESS[:2])
    one = found.pairs[0].differences["excess_alpha0"]
    assert one.value == pytest.approx(np.mean(EXCESS) - np.mean(OTHER_EXCESS[:2]))
    assert (one.low, one.p, one.reason) == (None, None, "few_samples")
    assert (found.pairs[0].structure.answer, found.pairs[0].structure.reason) == (None, "few_samples")


def test_a_measure_that_one_lacks_says_why() -> None:
    lacking = replace(numbers(100, g2=LOW), excess=None)
    one = (
        compare([series("a", numbers(100, g2=HIGH)), series("b", lacking)])
        .pairs[0]
        .differences["excess_alpha0"]
    )
    assert (one.value, one.reason) == (None, "no_nulls")


# is it another structure?


def test_structures_that_differ_differ() -> None:
    [pair] = two().pairs
    assert pair.structure.answer == "yes"
    assert pair.structure.g2 == pair.differences["g2"].value
    assert pair.p_adjusted == pair.structure.p == pytest.approx(pair.differences["g2"].p)


def test_a_series_differs_from_none_like_it() -> None:
    [pair] = two(g2=HIGH, excess=EXCESS).pairs
    assert (pair.structure.answer, pair.structure.g2, pair.structure.p) == ("no", 0.0, 1.0)


def test_what_weights_in_common_make_likely_counts_for_less() -> None:
    rho, n = 0.2, 10
    found = compare(
        [series("a", numbers(1, g2=HIGH, rho=rho)), series("b", numbers(1, g2=LOW, rho=rho))]
    ).pairs[0]
    t = stats.ttest_rel(HIGH, LOW).statistic * np.sqrt((1 - rho) / (1 + (n - 1) * rho))
    assert found.structure.p == pytest.approx(2 * stats.t.sf(t, 9), rel=1e-6)


def test_of_whole_layers_nothing_is_said() -> None:
    found = compare([series("a", numbers(1, g2=HIGH, whole=True)), series("b", numbers(1, g2=LOW))])
    assert (found.pairs[0].structure.answer, found.pairs[0].structure.reason) == (None, "whole_layer")
    assert "no verdict on a: whole layers were taken" in found.sentence


def test_a_p_that_many_pairs_make_likely_is_undecided() -> None:
    spread = np.array(LOW) - np.mean(LOW)
    apart = (np.mean(HIGH) + 0.0012 + 2.5 * spread).tolist()
    alone = compare([series("a", numbers(1, g2=HIGH)), series("b", numbers(1, g2=apart))])
    assert alone.pairs[0].structure.answer == "yes"
    assert 0.0005 < alone.pairs[0].p_adjusted < 0.01  # type: ignore[operator]
    others = [series(f"like a {k}", numbers(1, g2=HIGH)) for k in range(7)]
    among = compare([series("a", numbers(1, g2=HIGH)), series("b", numbers(1, g2=apart)), *others])
    pair = among.pairs[0]
    assert (pair.first, pair.second, pair.structure.answer) == ("a", "b", "undecided")
    assert pair.structure.p == alone.pairs[0].structure.p
    assert pair.p_adjusted > 0.01  # type: ignore[operator]


# replicates


def run(id: str, level: float) -> Source:
    return series(id, numbers(0, g2=NOTHING), numbers(100, g2=(level + np.array(NOTHING)).tolist()))


LEVELS = {"a1": 0.0101, "a2": 0.0112, "a3": 0.0107, "b1": 0.0052, "b2": 0.0041}
RUNS = [run(id, level) for id, level in LEVELS.items()]
REPLICATES = [Group("a", ("a1", "a2", "a3")), Group("b", ("b1", "b2"))]


def test_a_group_has_the_interval_between_its_runs() -> None:
    found = compare(RUNS, groups=REPLICATES)
    values = [one.last.values["g2"].value for one in found.series[:3]]
    one = found.groups[0].values["g2"]
    assert (one.n, found.groups[0].position) == (3, 100)
    assert one.value == pytest.approx(np.mean(values))
    assert one.sd == pytest.approx(np.std(values, ddof=1))
    interval = stats.t.interval(0.95, 2, loc=np.mean(values), scale=stats.sem(values))
    assert (one.low, one.high) == pytest.approx(interval)
    assert set(found.groups[0].values) == set(MEASURES)


def test_two_groups_are_compared_by_welch_over_runs() -> None:
    found = compare(RUNS, groups=REPLICATES)
    values = [one.last.values["g2"].value for one in found.series]
    expected = stats.ttest_ind(values[:3], values[3:], equal_var=False)
    [pair] = found.group_pairs
    one = pair.differences["g2"]
    assert (pair.first, pair.second, one.method, one.n) == ("a", "b", "runs", (3, 2))
    assert one.df == pytest.approx(expected.df)
    assert one.p == pytest.approx(expected.pvalue)
    assert (one.low, one.high) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert "between runs, a has a g2" in found.sentence
    assert f"more than b (p {expected.pvalue:.1g}, 3 and 2 runs)" in found.sentence


def test_one_run_is_too_few() -> None:
    found = compare(RUNS, groups=[Group("a", ("a1", "a2")), Group("b", ("b1",))])
    one = found.groups[1].values["g2"]
    assert (one.n, one.sd, one.low, one.reason) == (1, None, None, "few_runs")
    difference = found.group_pairs[0].differences["g2"]
    assert (difference.p, difference.reason) == (None, "few_runs")
    assert "between runs of a and b nothing can be said (few_runs)" in found.sentence


def test_runs_that_end_at_other_steps_meet_at_the_last_they_share() -> None:
    longer = series("b2", numbers(0, g2=NOTHING), numbers(100, g2=LOW), numbers(200, g2=HIGH))
    found = compare([RUNS[0], longer], groups=[Group("both", ("a1", "b2"))])
    assert found.groups[0].position == 100
    expected = np.mean([0.0101 + np.mean(NOTHING), np.mean(LOW)])
    assert found.groups[0].values["g2"].value == pytest.approx(expected)


def test_a_group_without_a_common_point_says_so() -> None:
    found = compare(
        [series("a", numbers(1, g2=LOW)), series("b", numbers(2, g2=LOW))], groups=[Group("both", ("a", "b"))]
    )
    assert found.groups[0].values["g2"].reason == "no_common_point"
    assert found.pairs[0].steps is None
    assert {found.pairs[0].differences[measure].reason for measure in COMPARED} == {"no_common_point"}


@pytest.mark.parametrize("text", ["a", "a=", "=b", "a=b,,c", "a=b,b", " =b"])
def test_a_group_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="a group is name=A,B"):
        group_from(text, separator="=")


def test_a_group_is_read() -> None:
    assert group_from("plain=runs/a, runs/b", separator="=") == Group("plain", ("runs/a", "runs/b"))
    assert group_from("plain:a", separator=":") == Group("plain", ("a",))


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        ([Group("x", ("a1", "c"))], "holds 'c', which is not compared; there are a1, a2"),
        ([Group("x", ("a1",)), Group("x", ("a2",))], "group 'x' is named twice"),
        ([Group("x", ("a1",)), Group("y", ("a1",))], "a1 is in the groups 'x' and 'y'"),
    ],
)
def test_groups_that_cannot_be_are_refused(groups: list[Group], sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        compare(RUNS[:2], groups=groups)


# the axis


def test_by_share_runs_of_other_lengths_meet_at_their_ends() -> None:
    short = series("short", *(numbers(step, g2=LOW) for step in (0, 500, 1000)))
    long = series("long", *(numbers(step, g2=LOW) for step in (0, 1000, 2000, 4000)))
    found = compare([short, long], by="share")
    assert [point.position for point in found.series[0].curve] == [0.0, 0.5, 1.0]
    assert (found.pairs[0].position, found.pairs[0].steps) == (1.0, (1000, 4000))
    assert common([axis_of(short, "share"), axis_of(long, "share")]) == [0.0, 0.5, 1.0]
    assert compare([short, long]).pairs[0].steps == (1000, 1000)


def test_by_tokens_series_meet_where_they_saw_as_many() -> None:
    small = series(
        "small",
        numbers(10, g2=LOW, tokens=1 * 10**9),
        numbers(20, g2=LOW, tokens=2 * 10**9),
    )
    large = series("large", numbers(5, g2=LOW, tokens=2 * 10**9))
    found = compare([small, large], by="tokens")
    assert (found.pairs[0].position, found.pairs[0].steps) == (2 * 10**9, (20, 5))


def test_by_tokens_a_series_that_tells_none_is_refused() -> None:
    with pytest.raises(OptionError, match="no checkpoint of b tells how many tokens"):
        compare(
            [series("a", numbers(1, g2=LOW, tokens=1 * 10**9)), series("b", numbers(1, g2=LOW))],
            by="tokens",
        )


def test_single_checkpoints_without_a_step_are_compared() -> None:
    found = compare([series("a", numbers(None, g2=HIGH)), series("b", numbers(None, g2=LOW))])
    assert (found.pairs[0].position, found.pairs[0].steps) == (None, (None, None))
    assert found.pairs[0].structure.answer == "yes"


def test_an_axis_is_one_of_three() -> None:
    assert axis_named("share") == "share"
    with pytest.raises(OptionError, match="aligned by step, tokens, share, not by 'time'"):
        axis_named("time")


def test_whole_results_are_needed_where_pairs_meet_and_at_the_end() -> None:
    sources = [
        series("a", *(numbers(step, g2=LOW) for step in (0, 100, 200))),
        series("b", *(numbers(step, g2=LOW) for step in (0, 100))),
    ]
    assert needed_steps(sources, by="step") == {"a": {100, 200}, "b": {100}}


# warnings


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"profile": "paper"}, "The option profile differs: exact in a; paper in b (alpha0, width and E are defined"),
        ({"nodes": 32}, "The option nodes differs: 64 in a; 32 in b ("),
        ({"nodes": None}, "The option nodes differs: 64 in a; all in b ("),
        ({"max_distance": 100.0}, "The option max_distance differs: 150 in a; 100 in b ("),
        ({"samples": 5}, "The option samples differs: 10 in a; 5 in b ("),
        ({"seed": 10}, "The option seed differs: 0 in a; 10 in b (samples cannot be paired)."),
        ({"hops": "multi"}, "The option hops differs: 1 in a; multi in b ("),
        ({"baseline": "reinit"}, "The option baseline differs: first in a; reinit in b ("),
        ({"scale": 2.0}, "The option lambda differs: 1 in a; 2 in b ("),
        ({"q": (-1.0, 0.0, 1.0)}, "The option q differs: 61 moments from -3 to 3 in a; 3 moments from -1 to 1 in b ("),
    ],
)  # fmt: skip
def test_other_options_are_told(options: dict[str, object], sentence: str) -> None:
    other = series("b", numbers(100, g2=LOW), options=AnalysisOptions(**options))  # type: ignore[arg-type]
    [warning] = compare([series("a", numbers(100, g2=LOW)), other]).warnings
    assert warning.startswith(sentence)


def test_what_was_read_and_what_is_kept_is_told() -> None:
    own, other = numbers(100, g2=LOW), numbers(100, g2=LOW)
    nodes = replace(other.coverage.nodes, kept=50, total=200)
    other = replace(
        other,
        reading=Reading("gpt2", "other", "bfloat16", {}),
        method_version=3,
        coverage=replace(other.coverage, nodes=nodes),
    )
    found = compare([series("a", own), series("b", other)]).warnings
    assert [warning.split(":")[0] for warning in found] == [
        "The version of the method differs",
        "The architecture differs",
        "The number format differs",
        "The number of nodes in a sample differs",
        "The share of kept nodes at the last step differs",
    ]
    assert found[0].startswith("The version of the method differs: 4 in a; 3 in b (")
    assert "gpt_neox in a; gpt2 in b" in found[1]
    assert "80 % in a; 25 % in b" in found[4]


def test_unequal_lengths_are_told_and_who_has_which() -> None:
    short = [series(id, numbers(0, g2=LOW), numbers(100, g2=LOW)) for id in ("a", "b")]
    long = series("c", numbers(0, g2=LOW), numbers(100, g2=LOW), numbers(200, g2=LOW))
    assert compare([*short, long]).warnings == [
        "The number of steps differs: 2 in a and b; 3 in c.",
        "The last step differs: 100 in a and b; 200 in c (the last numbers are of unequal training).",
    ]


def test_copies_are_told() -> None:
    ends = [
        replace(numbers(100, g2=LOW), reading=Reading("gpt_neox", "neox", "float16", {"mlp": weights}))
        for weights in ("aaaa", "aaaa", "bbbb")
    ]
    found = compare([series(id, end) for id, end in zip("abc", ends, strict=True)])
    assert found.warnings == [
        "The weights at the last step are the same in a and b: copies are no replicates."
    ]


def test_like_series_have_no_warnings() -> None:
    assert two().warnings == []


# the answer


def test_the_sentence_says_who_holds_structure_and_who_differs() -> None:
    found = compare(
        [
            series("a", numbers(1, g2=HIGH)),
            series("b", numbers(1, g2=LOW)),
            series("c", numbers(1, g2=NOTHING)),
        ]
    )
    assert [one.verdict.answer for one in found.series if one.verdict] == ["yes", "yes", "no"]
    assert found.sentence.startswith(
        "Structure that scale does not explain: a and b; none, or too little to speak of: c; "
        "it differs between a and b, a and c, b and c. Structure beyond scale separates trained"
    )


def test_alike_and_undecided_are_told_apart() -> None:
    wide = (0.0009 + 0.002 * np.linspace(-1, 1, 10)).tolist()
    found = compare(
        [
            series("a", numbers(1, g2=NOTHING)),
            series("b", numbers(1, g2=NOTHING)),
            series("c", numbers(1, g2=wide)),
        ]
    )
    assert found.sentence.startswith(
        "No structure beyond scale, or too little to speak of: a and b; undecided whether there is any: c; "
        "it is the same, or nearly so, in a and b; undecided whether it differs between a and c, b and c. "
    )


def test_of_many_pairs_the_sentence_gives_the_number() -> None:
    found = compare([series(f"m{k}", numbers(1, g2=NOTHING)) for k in range(5)])
    assert "nearly so, in 10 pairs" in found.sentence


def test_no_verdict_has_its_reason() -> None:
    old = replace(numbers(1, g2=LOW), verdict=None)
    few = without_verdict(numbers(1, g2=LOW), "few_edges")
    found = compare([series("old", old), series("few", few)])
    assert "no verdict on old: its results are of an older version" in found.sentence
    assert "no verdict on few: most neurons have too few edges" in found.sentence
    assert found.series[0].verdict is None
    assert found.series[0].last.values["g2"].reason == "no_verdict"


def test_a_series_that_could_not_be_measured_is_named_and_the_others_are_compared() -> None:
    failed = [FailedSeries(id="runs/c", error="SourceError", sentence="runs/c holds no checkpoint.")]
    groups = [Group("x", ("a", "runs/c")), Group("y", ("b",))]
    found = compare(
        [series("a", numbers(1, g2=HIGH)), series("b", numbers(1, g2=LOW))], groups=groups, failed=failed
    )
    assert found.failed == failed
    assert "runs/c could not be measured. " in found.sentence
    assert (found.groups[0].series, found.groups[0].values["g2"].reason) == (["a"], "few_runs")
    with pytest.raises(AnalysisError, match="1 of 2 series could be measured; runs/c holds no checkpoint"):
        compare([series("a", numbers(1, g2=HIGH))], failed=failed)


def test_a_group_of_failed_series_only_has_no_values() -> None:
    failed = [FailedSeries(id="c", error="SourceError", sentence="c is broken.")]
    found = compare(
        [series("a", numbers(1, g2=HIGH)), series("b", numbers(1, g2=LOW))],
        groups=[Group("x", ("c",))],
        failed=failed,
    )
    assert found.groups[0].series == []
    assert (found.groups[0].values["g2"].value, found.groups[0].values["g2"].reason) == (None, "few_runs")


@pytest.mark.parametrize(
    ("ids", "sentence"),
    [
        (["a"], "of 2 to 16 series, not of 1"),
        ([str(k) for k in range(17)], "of 2 to 16 series, not of 17"),
        (["a", "b", "a"], "a is to be compared with itself"),
    ],
)
def test_too_few_too_many_and_twins_are_refused(ids: list[str], sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        check_series(ids)


def test_notes_say_what_intervals_speak_of() -> None:
    assert "they do not say what training again" in two().notes[0]
    assert any("between runs" in note for note in compare(RUNS, groups=REPLICATES).notes)


def test_g_is_g2_with_its_interval_on_another_scale() -> None:
    values = two().series[0].curve[0].values
    assert values["g2"].low is not None and values["g"].low is not None
    assert values["g2"].low < 0.0
    assert values["g"].low == pytest.approx(-np.sqrt(-values["g2"].low))


def test_a_comparison_comes_back_from_its_json() -> None:
    found = compare(RUNS, groups=REPLICATES)
    text = to_json(found)
    assert "NaN" not in text
    assert from_json(Comparison, text) == found
