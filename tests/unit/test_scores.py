"""Tables of benchmark scores: what is read, what is refused and in which words, and the published table."""

from pathlib import Path

import pytest

from neuromfa.errors import OptionError
from neuromfa.scores import Score, by_benchmark, published_scores, read_scores

SERIES = Path(__file__).parents[2] / "series"


def written(folder: Path, *lines: str) -> Path:
    path = folder / "scores.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_columns_come_in_any_order_and_stderr_may_be_missing(tmp_path: Path) -> None:
    path = written(tmp_path, "value,step,metric,task", "0.5,8,acc,piqa", "0.25,-,acc,wsc")
    assert read_scores(path, model="m") == [Score(8, "piqa", "acc", 0.5), Score(None, "wsc", "acc", 0.25)]


def test_a_table_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_bytes(b"\xef\xbb\xbfstep,task,metric,value\r\n8,piqa,acc,0.5\r\n")
    assert read_scores(path, model="m") == [Score(8, "piqa", "acc", 0.5)]


def test_only_rows_of_the_model_are_taken(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "model,step,task,metric,value,stderr",
        "pythia-70m,0,piqa,acc,0.5,0.01",
        "EleutherAI/pythia-70m,1,piqa,acc,0.6,",
        "pythia-160m,0,piqa,acc,0.7,0.01",
    )
    assert read_scores(path, model="EleutherAI/pythia-70m") == [
        Score(0, "piqa", "acc", 0.5, 0.01),
        Score(1, "piqa", "acc", 0.6, None),
    ]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["step,task,value", "0,piqa,1"], r"no column metric; it needs step, task, metric, value"),
        (["step,task,metric,value", "8.5,piqa,acc,1"], r"line 2: a step is a whole number.*'8.5'"),
        (["step,task,metric,value", "8,piqa,acc,high"], r"line 2: value is a finite number, not 'high'"),
        (["step,task,metric,value", "8,piqa,acc,nan"], r"line 2: value is a finite number, not 'nan'"),
        (["step,task,metric,value", "8,piqa,acc"], r"line 2: value is a finite number, not None"),
        (["step,task,metric,value,stderr", "8,piqa,acc,1,x"], r"line 2: stderr is a finite number, not 'x'"),
        (["step,task,metric,value", "8, ,acc,1"], r"line 2: task and metric have names"),
        (["step,task,metric,value", "8,a,acc,1", "8,a,acc,2"], r"line 3: a acc is given twice for that step"),
        (["step,task,metric,value"], r"has no row of model 'm'"),
        (["model,step,task,metric,value", "n,8,a,acc,1"], r"has no row of model 'm'"),
    ],
)
def test_a_faulty_table_is_refused_by_line(tmp_path: Path, lines: list[str], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        read_scores(written(tmp_path, *lines), model="m")


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"cannot read scores from .*no\.csv: No such file"):
        read_scores(tmp_path / "no.csv", model="m")
    path = tmp_path / "bytes.csv"
    path.write_bytes(b"\xff\xfe\x00step")
    with pytest.raises(OptionError, match="is no CSV file in UTF-8"):
        read_scores(path, model="m")


def test_the_published_table_has_the_pythia_models() -> None:
    """Counts by hand from the table's origin: 27 steps, 8 tasks with one or two metrics."""
    scores = published_scores("EleutherAI/pythia-1.4b")
    assert {score.step for score in scores} >= {0, 1, 512, 1000, 143000}
    assert {score.task for score in scores} == {
        *("lambada_openai", "piqa", "winogrande", "wsc", "arc_easy", "arc_challenge", "sciq", "logiqa"),
    }
    start = next(
        score for score in scores if (score.step, score.task, score.metric) == (0, "arc_easy", "acc")
    )
    assert (start.value, start.stderr) == (0.25757575757575757, 0.008973187820215214)
    with pytest.raises(OptionError, match=r"published table of Pythia's scores has no row of model 'gpt2'"):
        published_scores("gpt2")


def test_benchmarks_come_with_their_values_by_step() -> None:
    scores = [Score(8, "b", "acc", 1.0), Score(0, "a", "acc", 2.0), Score(16, "b", "acc", 3.0)]
    scores.append(Score(None, "b", "acc", 9.0))
    assert list(by_benchmark(scores)) == [("b", "acc", {8: 1.0, 16: 3.0}), ("a", "acc", {0: 2.0})]


@pytest.mark.parametrize("name", ["stdlib-14m", "stdlib-14m-decay1", "stdlib-14m-shuffled"])
def test_every_bundled_checkpoint_has_scores(name: str) -> None:
    steps = {int(folder.name.removeprefix("step")) for folder in (SERIES / name).glob("step*")}
    tables = list(by_benchmark(read_scores(SERIES / name / "scores.csv", model=name)))
    assert len(tables) == 5
    assert all(set(values) == steps for _, _, values in tables)


def losses(name: str) -> dict[int, float]:
    scores = read_scores(SERIES / name / "scores.csv", model=name)
    [values] = [values for _, metric, values in by_benchmark(scores) if metric == "loss"]
    return values


def test_the_bundled_losses_fall_where_there_is_something_to_learn() -> None:
    learnt = losses("stdlib-14m")
    assert list(learnt.values()) == sorted(learnt.values(), reverse=True)
    assert learnt[2000] < 1.4 < 3.0 < losses("stdlib-14m-shuffled")[2000]
