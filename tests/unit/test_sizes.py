"""Series by their number of parameters, twins on a deduplicated corpus, and warnings about what was not alike."""

import sys
from dataclasses import replace
from math import sqrt
from pathlib import Path

import pytest
from scipy.stats import ttest_1samp

from neuromfa.analysis import analyze
from neuromfa.app.cli.main import main
from neuromfa.checkpoints import open_series
from neuromfa.comparison import Comparison, Source, compare
from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointResult, CurvePoint, from_json, to_json
from tests.made_series import tensors, write
from tests.unit.making_series import numbers, series

FEW = AnalysisOptions(nodes=16, samples=3, min_edges=3, draws=2)


def of_size(parameters: int | None, g2: float, *, rms: float = 0.02) -> CheckpointResult:
    return replace(numbers(2000, g2=[g2 - 0.001, g2, g2 + 0.001]), parameters=parameters, rms=rms)


def sized(id: str, parameters: int | None, g2: float) -> Source:
    return series(id, of_size(parameters, g2))


def compared(*sources: Source) -> Comparison:
    found = compare(sources)
    assert from_json(Comparison, to_json(found)) == found
    return found


def test_series_stand_by_size_with_the_rank_correlation_of_each_measure() -> None:
    found = compared(
        sized("c", 410, 0.03), sized("a", 70, 0.01), sized("b", 160, 0.02), sized("old", None, 0.5)
    ).by_size
    assert found is not None
    assert [(one.id, one.parameters) for one in found.series] == [("a", 70), ("b", 160), ("c", 410)]
    assert (found.trends["g2"].rho, found.trends["g2"].n) == (pytest.approx(1.0), 3)
    assert found.series[0].values["g2"].value == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("sources", "reason"),
    [
        ([sized("a", 70, 0.01), sized("b", 70, 0.02)], None),
        ([sized("a", None, 0.01), sized("b", None, 0.02)], None),
        ([sized("a", 70, 0.01), sized("b", 160, 0.02)], "few_sizes"),
    ],
)
def test_one_size_is_no_comparison_by_size_and_two_are_no_trend(
    sources: list[Source], reason: str | None
) -> None:
    found = compared(*sources).by_size
    if reason is None:
        assert found is None
    else:
        assert found is not None
        assert (found.trends["g2"].rho, found.trends["g2"].reason) == (None, reason)


def test_twins_on_the_deduplicated_corpus_are_compared_over_sizes() -> None:
    pairs = {70: (0.010, 0.012), 160: (0.020, 0.023), 410: (0.030, 0.034)}
    sources = [
        sized(f"pythia-{size}m{suffix}", size, g2)
        for size, both in pairs.items()
        for suffix, g2 in zip(("", "-deduped"), both, strict=True)
    ]
    found = compared(*reversed(sources)).deduped
    assert found is not None
    assert found.pairs == [(f"pythia-{size}m", f"pythia-{size}m-deduped") for size in (160, 410, 70)]
    difference = found.differences["g2"]
    expected = ttest_1samp([0.002, 0.003, 0.004], 0.0)
    assert (difference.value, difference.p, difference.n) == (
        pytest.approx(0.003),
        pytest.approx(expected.pvalue),
        (3, 3),
    )
    assert difference.se == pytest.approx(0.001 / sqrt(3)) and difference.method == "sizes"


def test_one_pair_of_twins_has_no_interval() -> None:
    found = compared(sized("a", 70, 0.01), sized("a-deduped", 70, 0.02)).deduped
    assert found is not None
    assert (found.differences["g2"].value, found.differences["g2"].reason) == (
        pytest.approx(0.01),
        "few_sizes",
    )
    assert compared(sized("a", 70, 0.01), sized("b-deduped", 70, 0.02)).deduped is None


def test_sizes_and_initial_scales_that_differ_are_told() -> None:
    def started(id: str, parameters: int, rms: float) -> Source:
        return series(id, replace(of_size(parameters, 0.0, rms=rms), step=0), of_size(parameters, 0.02))

    warnings = compared(started("a", 70_000, 0.02), started("b", 160_000, 0.03)).warnings
    assert (
        "The number of parameters differs: 70,000 in a; 160,000 in b (E is not comparable between sizes)."
        in warnings
    )
    assert (
        "The root mean square of the weights at step 0 differs: 0.02 in a; 0.03 in b (initialisations differ)."
        in warnings
    )
    close = compared(started("a", 70_000, 0.02), started("b", 70_000, 0.0204)).warnings
    assert not [one for one in close if "parameters" in one or "step 0" in one]


def test_parameters_are_counted_from_headers_without_buffers(tmp_path: Path) -> None:
    weights = tensors() | {
        "gpt_neox.embed_in.weight": tensors()["gpt_neox.layers.0.attention.dense.weight"],
        "gpt_neox.layers.0.attention.masked_bias": tensors()["gpt_neox.layers.0.attention.dense.weight"][0],
    }
    [found] = analyze(open_series(str(write(tmp_path / "step0", weights).parent)), FEW).checkpoints
    expected = sum(one.size for one in tensors().values()) + 32 * 32
    assert found.parameters == found.coverage.tensors.parameters == expected
    assert CurvePoint.of(found).parameters == expected


def test_the_command_shows_sizes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    roots = [tmp_path / name for name in ("small", "small-deduped", "large")]
    for seed, (root, hidden) in enumerate(zip(roots, (32, 32, 48), strict=True)):
        write(root / "step0", tensors(hidden=hidden, seed=seed))
    words = [
        "compare",
        *map(str, roots),
        "--nodes",
        "16",
        "--samples",
        "3",
        "--min-edges",
        "3",
        "--draws",
        "2",
        "--matrices",
    ]
    monkeypatch.setattr(sys, "argv", ["neuromfa", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "By number of parameters" in told and "Deduplicated - standard" in told
    assert "Whole matrices at the last step" in told and "rho with size" in told
    assert "Whole matrices, first - second" in told
    assert f"{sum(one.size for one in tensors(hidden=48).values()):,}" in told
