"""Tables of benchmark scores: what is read, what is refused and in which words, and the published table."""

import json
from pathlib import Path
from typing import Any

import pytest

from neuromfa.errors import OptionError
from neuromfa.score_files import collect_scores, published_scores, read_scores
from neuromfa.scores import Score, by_benchmark

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


def read(folder: Path, raw: bytes, name: str = "scores.csv") -> list[Score]:
    path = folder / name
    path.write_bytes(raw)
    return read_scores(path, model="m")


@pytest.mark.parametrize("mark", ["N/A", "", "nan", "NaN", "None", "null", "-", "<NA>", "n/a"])
def test_a_standard_error_that_nobody_had_is_null(tmp_path: Path, mark: str) -> None:
    table = f"step,task,metric,value,stderr\n0,mmlu,acc,0.25,{mark}\n".encode()
    assert read(tmp_path, table) == [Score(0, "mmlu", "acc", 0.25, None)]


@pytest.mark.parametrize(
    ("written", "step"),
    [("100.0", 100), ("1e3", 1000), ("1e+05", 100000), (" 7 ", 7), ("step512", 512), ("-", None), ("", None)],
)
def test_a_step_is_read_as_programs_write_it(tmp_path: Path, written: str, step: int | None) -> None:
    table = f"step,task,metric,value\n{written},piqa,acc,0.5\n".encode()
    assert read(tmp_path, table) == [Score(step, "piqa", "acc", 0.5)]


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbfstep;task;metric;value\r\n8;piqa;acc;0,5\r\n;;;\r\n\r\n",
        b"sep=;\r\nstep;task;metric;value\r\n8;piqa;acc;0.5\r\n",
        b"step\ttask\tmetric\tvalue\n8\tpiqa\tacc\t.5\n",
        "step\ttask\tmetric\tvalue\r\n8\tpiqa\tacc\t0.5\r\n".encode("utf-16"),
        b",Step, Task ,metric,VALUE\n0,8.0, piqa ,acc,0.5\n",
        b'step,task,metric,value\n8,piqa,"acc,none",0.5\n',
        b"step,task,metric,value\n8,piqa,acc,0.5\n8.0,piqa,acc,0.50\n",
    ],
    ids=["semicolons", "separator line", "tabs", "utf-16", "index column", "filter", "the same again"],
)
def test_tables_of_spreadsheets_and_pandas_are_read(tmp_path: Path, raw: bytes) -> None:
    assert read(tmp_path, raw) == [Score(8, "piqa", "acc", 0.5)]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("8,x,acc,0,61", "line 3: more cells than columns"),
        ("8,x,acc,61 %", r"line 3: value is a finite number, not '61 %'"),
        ("8,x,acc,N/A", r"line 3: value is a finite number, not 'N/A'"),
        ("8,x,acc,1_0", r"line 3: value is a finite number, not '1_0'"),
        ("8,x,acc,1e999", r"line 3: value is a finite number"),
        ("-5,x,acc,1", r"line 3: a step is a whole number.*'-5'"),
        ("nan,x,acc,1", r"line 3: a step is a whole number.*'nan'"),
        ('8,x,"acc_stderr,none",1', r"line 3: acc_stderr is a standard error.*column stderr"),
    ],
)
def test_one_bad_row_is_named_and_the_rest_taken(tmp_path: Path, row: str, words: str) -> None:
    path = written(tmp_path, "step,task,metric,value", "0,piqa,acc,0.5", row, "16,piqa,acc,0.7")
    given = collect_scores(path, model="m")
    assert given.scores == [Score(0, "piqa", "acc", 0.5), Score(16, "piqa", "acc", 0.7)]
    [fault] = given.faults
    with pytest.raises(OptionError, match=words) as refused:
        read_scores(path, model="m")
    assert str(refused.value) == fault


def test_of_a_score_given_twice_with_other_values_neither_is_taken(tmp_path: Path) -> None:
    path = written(tmp_path, "step,task,metric,value", "8,a,acc,1", "8,a,acc,2", "8,b,acc,3")
    given = collect_scores(path, model="m")
    assert given.scores == [Score(8, "b", "acc", 3.0)]
    assert len(given.faults) == 1


NEW = {"piqa": {"alias": "piqa", "acc,none": 0.61, "acc_stderr,none": 0.011}}
OLD = {"piqa": {"acc": 0.61, "acc_stderr": 0.011}}
PIQA = Score(200, "piqa", "acc", 0.61, 0.011)


def harness(path: Path, results: dict[str, Any], args: object = "", **more: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    config = {"model_args": args, **more.pop("config", {})}
    path.write_text(json.dumps({"results": results, "config": config, **more}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "results", "args"),
    [
        ("results.json", NEW, "pretrained=org/m,revision=step200,dtype=float16"),
        ("results.json", NEW, {"pretrained": "org/m", "revision": "step200"}),
        ("results.json", NEW, "pretrained=/runs/m/checkpoint-200"),
        ("results", OLD, "pretrained=org/m,revision=step200-tokens1B"),
        ("1.4b_step200.json", OLD, "pretrained=org/m"),
        ("results_step200_2026-01-02T03-04-05.6.json", NEW, "pretrained=org/m,revision=main"),
        ("step200/org__m/results_2026-01-02T03-04-05.6.json", NEW, "pretrained=org/m"),
    ],
)
def test_a_result_file_of_the_harness_is_read(
    tmp_path: Path, name: str, results: dict[str, Any], args: object
) -> None:
    assert read_scores(harness(tmp_path / name, results, args), model="org/m") == [PIQA]


def test_a_step_that_no_file_tells_is_asked_for(tmp_path: Path) -> None:
    path = harness(tmp_path / "results_old.json", OLD, "pretrained=org/m,revision=main")
    with pytest.raises(OptionError, match=r"tells no step.*give --step"):
        read_scores(path, model="m")
    assert read_scores(path, model="m", step="200") == [PIQA]
    assert read_scores(path, model="m", step="-") == [Score(None, "piqa", "acc", 0.61, 0.011)]
    other = harness(tmp_path / "step300.json", NEW, "pretrained=org/m,revision=step200")
    with pytest.raises(OptionError, match=r"made with step 200 and is named after step 300"):
        read_scores(other, model="m")
    with pytest.raises(OptionError, match="--step is for one result file"):
        read_scores(written(tmp_path, "step,task,metric,value", "8,a,acc,1"), model="m", step="8")


def test_groups_filters_and_shots_of_the_harness(tmp_path: Path) -> None:
    results = {
        "mmlu": {"acc,none": 0.3, "acc_stderr,none": "N/A", "alias": "mmlu"},
        "mmlu_law": {"acc,none": 0.2, "acc_stderr,none": 0.1, "alias": " - law", "sample_len": 9},
        "gsm8k": {"exact_match,strict-match": 0.1, "exact_match_stderr,strict-match": 0.01}
        | {"exact_match,flexible-extract": 0.2, "exact_match_stderr,flexible-extract": float("nan")},
        "glue": {" ": " ", "alias": "glue"},
        "wiki": {"word_perplexity,none": 20, "word_perplexity_stderr,none": "N/A"},
    }
    path = harness(
        tmp_path / "step8.json",
        results,
        **{"groups": {"mmlu": results["mmlu"], "blimp": {"acc,none": 0.7}}, "n-shot": {"mmlu_law": 5}},
        group_subtasks={"mmlu": ["mmlu_law"]},
        configs={"gsm8k": {"num_fewshot": 2}},
    )
    assert {(one.task, one.metric, one.value, one.stderr) for one in read_scores(path, model="m")} == {
        ("mmlu (5-shot)", "acc", 0.3, None),
        ("mmlu_law (5-shot)", "acc", 0.2, 0.1),
        ("gsm8k (2-shot)", "exact_match,strict-match", 0.1, 0.01),
        ("gsm8k (2-shot)", "exact_match,flexible-extract", 0.2, None),
        ("wiki", "word_perplexity", 20.0, None),
        ("blimp", "acc", 0.7, None),
    }


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"acc,none": "high"}, r"piqa acc,none: the score is a finite number, not 'high'"),
        ({"acc": True}, r"piqa acc: the score is a finite number"),
        ({"acc": float("nan")}, r"piqa acc: the score is a finite number, not 'nan'"),
        ({"acc": 0.5, "acc_stderr": "x"}, r"piqa acc: its stderr is a finite number, not 'x'"),
        ({"acc": 0.5, "acc_stderr": -1}, r"piqa acc: its stderr is 0 or more"),
    ],
)
def test_one_bad_score_of_the_harness_is_named(tmp_path: Path, row: dict[str, Any], words: str) -> None:
    path = harness(tmp_path / "step8.json", {"piqa": row, "wsc": {"acc": 0.5}})
    assert collect_scores(path, model="m").scores == [Score(8, "wsc", "acc", 0.5)]
    with pytest.raises(OptionError, match=words):
        read_scores(path, model="m")


def test_a_folder_is_read_and_its_bad_files_named(tmp_path: Path) -> None:
    harness(tmp_path / "a/results_1.json", NEW, "pretrained=org/m,revision=step200")
    harness(tmp_path / "a/copy/results_1.json", NEW, "pretrained=org/m,revision=step200")
    harness(tmp_path / "other/step200.json", {"piqa": {"acc": 0.9}}, "pretrained=org/n")
    written(tmp_path, "step,task,metric,value", "8,a,acc,1", "8,b,acc,x")
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "samples_piqa.jsonl").write_text("{}")
    (tmp_path / "results_cut.json").write_text('{"results": {"piqa"')
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    given = collect_scores(tmp_path, model="org/m")
    assert given.scores == [PIQA, Score(8, "a", "acc", 1.0)]
    bad = [("results_cut.json", "is no whole JSON file"), ("scores.csv, line 3", "value is a finite number")]
    for fault, (place, words) in zip(given.faults, [*bad, ("table.csv", "has no column step")], strict=True):
        assert place in fault
        assert words in fault


def test_what_is_no_result_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(OptionError, match="no result file of lm-evaluation-harness"):
        read_scores(tmp_path / "config.json", model="m")
    (tmp_path / "deep.json").write_text("[" * 200_000)
    with pytest.raises(OptionError, match="no whole JSON file"):
        read_scores(tmp_path / "deep.json", model="m")


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
