"""The command line as a person uses it: answers, files, and one clear sentence for every kind of bad input."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from neuromfa.app.cli.main import main
from neuromfa.plots import CHARTS

ROOT = Path(__file__).parents[2]
SERIES = ROOT / "series" / "stdlib-14m"
QUICK = ("--samples", "3", "--nodes", "32", "--no-nulls")


def neuromfa(*words: object, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "neuromfa.app.cli.main", *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "COLUMNS": "100", "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT), **environment},
    )


def test_analyze_prints_what_is_skipped_first_then_the_table() -> None:
    run = neuromfa("analyze", SERIES, "--steps", "0,2000", *QUICK)
    assert run.returncode == 0, run.stderr
    skipped, table = run.stdout.index("skipped 37 tensors (bias)"), run.stdout.index("profile exact")
    told = " ".join(run.stdout.split())
    assert skipped < table < run.stdout.index("E mixes growth of the weights")
    assert "No verdict: no nulls were measured. Structure beyond scale separates trained" in told


def test_analyze_writes_json_to_standard_output_and_nothing_else() -> None:
    run = neuromfa("analyze", SERIES, "--steps", "0", *QUICK, "--json", "-")
    assert json.loads(run.stdout)["checkpoints"][0]["step"] == 0
    assert run.stderr == ""


@pytest.mark.slow
def test_analyze_writes_files(tmp_path: Path) -> None:
    table, record, charts = tmp_path / "a.csv", tmp_path / "a.json", tmp_path / "charts"
    run = neuromfa(
        "analyze", SERIES, "--steps", "0,2000", "--samples", "3", "--nodes", "32",
        "--csv", table, "--json", record, "--plot", charts, "--scores", SERIES / "scores.csv",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    with table.open() as file:
        rows = list(csv.DictReader(file))
    first, last = json.loads(record.read_text())["checkpoints"]
    assert [row["step"] for row in rows] == ["0", "2000"]
    assert float(rows[1]["emergence"]) == last["emergence"]["value"]
    assert float(rows[1]["shuffled_emergence"]) == last["nulls"]["shuffled"]["emergence"]["value"]
    assert float(rows[0]["alpha0_low"]) == first["alpha0"]["low"]
    assert {path.name for path in charts.iterdir()} == {
        f"{name}{end}" for name in CHARTS for end in (".svg", ".png")
    }
    assert "next_byte loss" in run.stdout


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("analyze", "no/such/folder"), 1, "no/such/folder"),
        (("analyze", ROOT / "docs"), 1, "holds no checkpoint; looked for folders named step{n}"),
        (("analyze", SERIES, "--steps", "7"), 1, "has no step 7; it has 0, 32, 128"),
        (("analyze", SERIES, "--steps", "x"), 2, "steps"),
        (("analyze", SERIES, "--baseline", "7"), 1, "has no step 7"),
        (("analyze", SERIES, "--profile", "other"), 2, "profile is exact, paper or shape, not 'other'"),
        (("analyze", SERIES, "--nodes", "0"), 2, "nodes is 1..4096 or all, not 0"),
        (("analyze", SERIES, "--nodes", "many"), 2, "--nodes is a number or all, not 'many'"),
        (("analyze", SERIES, "--q", "1"), 2, "--q is low:high:step"),
        (("analyze", SERIES, "--q", "-3:3:2.5"), 2, "--q is low:high:step"),
        (
            ("analyze", SERIES, "--grid", "fixed", "--max-distance", "30"),
            2,
            "needs max_distance of at least 40",
        ),
        (("analyze", SERIES, "--hops", "multi", "--profile", "paper"), 2, "profiles exact and shape only"),
        (("analyze", SERIES, "--steps", "0", *QUICK, "--json", "/no/such/folder/a.json"), 2, "cannot write"),
        (("analyze", SERIES, "--scores", "no.csv"), 2, "cannot read scores from no.csv"),
        (("scores", "m", "a.csv", "--published"), 2, "give a FILE or --published, not both"),
        (("scores", "gpt2", "--published"), 2, "has no row of model 'gpt2'"),
        (("ingest", SERIES, "--graph-samples", "some"), 2, "--graph-samples is a number or all"),
        (("frobnicate",), 2, "No such command"),
    ],
)
def test_bad_input_is_one_sentence_and_a_code(
    words: tuple[object, ...],
    code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["neuromfa", *map(str, words)])
    monkeypatch.setattr("neuromfa.checkpoints.transport.hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == code
    assert sentence in " ".join(capsys.readouterr().err.split())


def test_an_unknown_architecture_names_tensors_and_the_nearest_family(tmp_path: Path) -> None:
    save_file({"strange.weight": np.ones((40, 40), np.float32)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"model_type": "strange"}')
    run = neuromfa("analyze", tmp_path)
    assert run.returncode == 1
    assert "strange.weight" in run.stderr


@pytest.mark.slow
def test_a_store_that_is_down_says_where_and_what_to_do() -> None:
    for command in (("ingest", SERIES), ("verify", "a"), ("doctor",), ("serve", "--port", "0")):
        run = neuromfa(*command, NEUROMFA_NEO4J_URI="bolt://127.0.0.1:9", NEUROMFA_NEO4J_PASSWORD="x")
        assert run.returncode == 1
        assert "bolt://127.0.0.1:9" in run.stderr
        assert "start it, or set NEUROMFA_NEO4J_URI" in " ".join(run.stderr.split())
        assert "Traceback" not in run.stderr


@pytest.mark.slow
def test_a_setting_out_of_bounds_is_named() -> None:
    run = neuromfa("serve", NEUROMFA_PORT="99999999")
    assert (run.returncode, "NEUROMFA_PORT" in run.stderr) == (2, True)


@pytest.mark.slow
def test_a_public_address_without_a_key_is_refused() -> None:
    run = neuromfa("serve", "--host", "0.0.0.0", "--port", "0")
    assert run.returncode == 2
    assert "NEUROMFA_API_KEY" in run.stderr


def test_architectures_are_listed() -> None:
    run = neuromfa("architectures", "--json")
    names = {record["name"] for record in json.loads(run.stdout)}
    assert {"gpt_neox", "gpt2", "bert", "roberta", "distilbert", "albert", "llama", "mistral", "qwen2", "opt",
            "vit", "t5_encoder", "mlp", "resnet"} <= names  # fmt: skip


@pytest.mark.slow
def test_the_base_install_imports_without_torch_or_plots() -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('torch', 'transformers', 'altair', 'vl_convert', 'numba')));"
        "import neuromfa.app.cli.main, neuromfa.app.main, neuromfa.analysis, neuromfa.ingest.ingest; print('imported')"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.strip() == "imported", run.stderr
