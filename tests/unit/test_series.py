"""The bundled series is what its provenance and README say, and its maker overwrites nothing."""

from __future__ import annotations

import csv
import hashlib
import importlib
import json
import re
import struct
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SERIES = ROOT / "series"
STEPS = {
    "stdlib-14m": [0, 32, 128, 256, 512, 1000, 1500, 2000],
    "stdlib-14m-decay1": [0, 1000, 2000],
    "stdlib-14m-shuffled": [0, 1000, 2000],
}
CHECKPOINTS = [(name, step) for name, steps in STEPS.items() for step in steps]


@cache
def provenance(name: str) -> dict[str, Any]:
    """Stored provenance of a series."""
    content: dict[str, Any] = json.loads((SERIES / name / "provenance.json").read_text(encoding="utf-8"))
    return content


@cache
def log(name: str) -> list[dict[str, float]]:
    """Rows of a series' training log, as numbers."""
    with (SERIES / name / "training-log.csv").open(encoding="utf-8", newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def weights(name: str, step: int) -> bytes:
    """Bytes of one checkpoint's weights."""
    return (SERIES / name / f"step{step}" / "model.safetensors").read_bytes()


def header_of(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Header of a safetensors file without its metadata, and the data after it."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    return header, content[8 + length :]


class TestStoredSeries:
    """Files against provenance."""

    @pytest.mark.parametrize("name", STEPS)
    def test_lists_its_steps_and_nothing_else_stands_there(self, name: str) -> None:
        assert [checkpoint["step"] for checkpoint in provenance(name)["checkpoints"]] == STEPS[name]
        expected = {f"step{step}" for step in STEPS[name]} | {
            "provenance.json",
            "training-log.csv",
            "scores.csv",
        }
        assert {path.name for path in (SERIES / name).iterdir()} == expected
        for step in STEPS[name]:
            files = {path.name for path in (SERIES / name / f"step{step}").iterdir()}
            assert files == {"config.json", "model.safetensors"}

    @pytest.mark.parametrize("name", STEPS)
    def test_weights_have_the_recorded_hash_and_size(self, name: str) -> None:
        for checkpoint in provenance(name)["checkpoints"]:
            content = (SERIES / name / checkpoint["file"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == checkpoint["sha256"]
            assert len(content) == checkpoint["bytes"]

    def test_all_series_start_from_the_same_bytes(self) -> None:
        assert len({weights(name, 0) for name in STEPS}) == 1

    @pytest.mark.parametrize("name", STEPS)
    def test_later_checkpoints_all_differ(self, name: str) -> None:
        assert len({weights(name, step) for step in STEPS[name]}) == len(STEPS[name])

    def test_is_below_40_megabytes(self) -> None:
        files = [path for name in STEPS for path in (SERIES / name).rglob("*") if path.is_file()]
        assert sum(path.stat().st_size for path in files) < 40e6

    @pytest.mark.parametrize(("name", "step"), CHECKPOINTS)
    def test_weights_are_finite_float16_under_pythia_names(self, name: str, step: int) -> None:
        header, data = header_of(weights(name, step))
        assert {entry["dtype"] for entry in header.values()} == {"F16"}
        assert np.isfinite(np.frombuffer(data, dtype="<f2")).all()
        outside = {"embed_out.weight", "gpt_neox.embed_in.weight"}
        outside |= {f"gpt_neox.final_layer_norm.{part}" for part in ("weight", "bias")}
        assert {key for key in header if ".layers." not in key} == outside
        assert len(header) == len(outside) + 6 * 12
        assert header["gpt_neox.layers.5.attention.query_key_value.weight"]["shape"] == [384, 128]

    @pytest.mark.parametrize(("name", "step"), CHECKPOINTS)
    def test_config_describes_the_body_of_pythia_14m(self, name: str, step: int) -> None:
        config = json.loads((SERIES / name / f"step{step}" / "config.json").read_text(encoding="utf-8"))
        expected = {
            "model_type": "gpt_neox",
            "hidden_size": 128,
            "num_hidden_layers": 6,
            "num_attention_heads": 4,
        }
        expected |= {
            "intermediate_size": 512,
            "rotary_pct": 0.25,
            "use_parallel_residual": True,
            "vocab_size": 256,
        }
        assert expected.items() <= config.items()

    @pytest.mark.parametrize("name", STEPS)
    def test_names_no_machine(self, name: str) -> None:
        for path in [
            SERIES / "README.md",
            *(SERIES / name).glob("*.*"),
            *(SERIES / name).glob("*/config.json"),
        ]:
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"://|/(home|root|usr|work|tmp)\b|[A-Z]:\\", text), path


def test_step_0_follows_the_pythia_initialisation() -> None:
    header, data = header_of(weights("stdlib-14m", 0))
    expected = {"query_key_value": 0.0559, "dense_h_to_4h": 0.0559, "embed_in": 0.0559, "embed_out": 0.0559}
    expected |= {"attention.dense": 0.0295, "dense_4h_to_h": 0.0295}
    drawn = 0
    for name, entry in header.items():
        values = np.frombuffer(data[slice(*entry["data_offsets"])], dtype="<f2").astype(np.float64)
        std = [std for kind, std in expected.items() if name.endswith(f"{kind}.weight")]
        if std:
            # The error of a standard deviation over n draws is std / sqrt(2 n), n >= 16384: .55 %.
            assert values.std() == pytest.approx(std[0], rel=0.025)
            drawn += 1
        else:
            assert (values == name.endswith("weight")).all()
    assert drawn == 2 + 6 * 4


class TestLog:
    """Losses in the training logs."""

    @pytest.mark.parametrize("name", STEPS)
    def test_has_a_row_every_50_steps_and_at_each_checkpoint(self, name: str) -> None:
        assert [row["step"] for row in log(name)] == sorted({*range(0, 2001, 50), *STEPS[name]})

    @pytest.mark.parametrize("name", ["stdlib-14m", "stdlib-14m-decay1"])
    @pytest.mark.parametrize("column", ["train_loss", "heldout_loss"])
    def test_loss_falls_by_more_than_2_nats(self, name: str, column: str) -> None:
        assert log(name)[0][column] - log(name)[-1][column] > 2

    @pytest.mark.parametrize("name", STEPS)
    def test_begins_near_the_loss_of_a_guess(self, name: str) -> None:
        assert log(name)[0]["heldout_loss"] == pytest.approx(np.log(256), abs=0.4)

    def test_shuffled_bytes_teach_no_more_than_their_frequencies(self) -> None:
        last, corpus = log("stdlib-14m-shuffled")[-1], provenance("stdlib-14m-shuffled")["corpus"]
        assert last["train_loss"] == pytest.approx(corpus["train_unigram_entropy"], abs=0.05)
        assert last["heldout_loss"] > corpus["heldout_unigram_entropy"] - 0.05

    @pytest.mark.parametrize("name", STEPS)
    def test_readme_gives_the_losses_of_the_log(self, name: str) -> None:
        readme = (SERIES / "README.md").read_text(encoding="utf-8")
        rows = {row["step"]: row for row in log(name)}
        for step in STEPS[name]:
            losses = f"{rows[step]['train_loss']:.3f} | {rows[step]['heldout_loss']:.3f}"
            assert f"| `{name}` | {step} | {losses} |" in readme


@pytest.fixture
def train(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Give the training script, which lives outside the installed packages."""
    monkeypatch.syspath_prepend(str(ROOT))
    from series import train

    return train


@pytest.fixture
def corpus(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Give the corpus module."""
    monkeypatch.syspath_prepend(str(ROOT))
    from series import corpus

    return corpus


class TestCorpus:
    """Which files are read, and how they are split and shuffled."""

    @pytest.fixture
    def library(self, tmp_path: Path) -> Path:
        names = [f"m{i:02}.py" for i in range(25)] + [
            "pkg/a.py",
            "test/t.py",
            "pkg/tests/t.py",
            "site-packages/x.py",
        ]
        for name in [*names, "_sysconfigdata_x.py", "config-3/y.py", "notes.txt", "pkg/__pycache__/a.py"]:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name[:3].encode())
        return tmp_path

    def test_takes_sources_in_order_without_tests_and_installed_packages(
        self, corpus: ModuleType, library: Path
    ) -> None:
        found = [path.relative_to(library).as_posix() for path in corpus.source_files(library)]
        assert found == [*(f"m{i:02}.py" for i in range(25)), "pkg/a.py"]

    def test_holds_out_every_20th_file(self, corpus: ModuleType, library: Path) -> None:
        result = corpus.read_corpus(library)
        assert result.heldout.tobytes() == b"m00m20"
        assert result.train.size == 24 * 3
        joined = b"".join(f"m{i:02}".encode() for i in range(25)) + b"pkg"
        assert result.sha256 == hashlib.sha256(joined).hexdigest()

    def test_no_sources_is_an_error_that_says_so(self, corpus: ModuleType, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="no Python sources"):
            corpus.read_corpus(tmp_path)

    def test_shuffling_keeps_the_byte_counts_and_repeats_itself(
        self, corpus: ModuleType, library: Path
    ) -> None:
        plain = corpus.read_corpus(library)
        once, again = (corpus.shuffled(plain, seed=7) for _ in range(2))
        assert (once.train == again.train).all()
        assert (once.train != plain.train).any()
        assert (np.bincount(once.train) == np.bincount(plain.train)).all()

    def test_entropy_of_four_equal_bytes(self, corpus: ModuleType) -> None:
        assert corpus.unigram_entropy(np.array([1, 2, 3, 4], dtype=np.uint8)) == pytest.approx(np.log(4))


class TestRecipe:
    """The parts of the recipe that need no torch."""

    @pytest.mark.parametrize(
        ("step", "rate"), [(0, 0.0), (1, 5e-5), (10, 5e-4), (20, 1e-3), (1010, 5.5e-4), (2000, 1e-4)]
    )
    def test_rate_warms_up_and_falls_along_a_cosine(self, train: ModuleType, step: int, rate: float) -> None:
        assert train.learning_rate(step, recipe=train.RECIPES["main"]) == pytest.approx(rate)

    def test_windows_hold_the_context_and_the_byte_after_it(self, train: ModuleType) -> None:
        recipe = replace(train.RECIPES["main"], context=3)
        windows = train.windows_at(np.arange(9, dtype=np.uint8), np.array([0, 5]), recipe=recipe)
        assert windows.tolist() == [[0, 1, 2, 3], [5, 6, 7, 8]]

    def test_windows_reach_both_ends_of_the_heldout_bytes(self, train: ModuleType) -> None:
        windows = train.heldout_windows(np.arange(200, dtype=np.uint8), recipe=train.RECIPES["main"])
        assert (windows.min(), windows.max(), windows.shape) == (0, 199, (256, 65))

    def test_an_unknown_matrix_is_not_left_to_chance(self, train: ModuleType) -> None:
        rng = np.random.default_rng(0)
        with pytest.raises(train.SeriesError, match="unknown.weight"):
            train.initial_weight("unknown.weight", (2, 2), recipe=train.RECIPES["main"], rng=rng)

    @pytest.mark.parametrize("series", ["main", "decay1", "shuffled"])
    def test_is_the_recipe_of_the_stored_series(self, train: ModuleType, series: str) -> None:
        recipe = train.RECIPES[series]
        assert provenance(recipe.name)["recipe"] == train.recipe_record(recipe)


class TestMaking:
    """What the command does with folders that exist, and without torch."""

    @pytest.fixture
    def stored(self, corpus: ModuleType) -> Any:
        """Give a stand-in for the corpus the series was made from, whatever Python runs this test."""
        record = provenance("stdlib-14m")["corpus"]
        nothing = np.zeros(0, dtype=np.uint8)
        return corpus.Corpus(
            train=nothing, heldout=nothing, sha256=record["sha256"], n_files=0, python="3.0.0"
        )

    @pytest.fixture
    def copy(self, tmp_path: Path) -> Path:
        """Give a copy of a finished series without its weights, but with provenance."""
        folder = tmp_path / "stdlib-14m-decay1"
        folder.mkdir()
        (folder / "provenance.json").write_text(json.dumps(provenance(folder.name)), encoding="utf-8")
        return folder

    def test_a_finished_series_is_left_alone(self, train: ModuleType, stored: Any) -> None:
        said: list[str] = []
        train.make_series(train.RECIPES["decay1"], stored, out=SERIES, report=said.append)
        assert said == ["stdlib-14m-decay1: already finished, nothing to do"]

    @pytest.mark.parametrize(
        ("spoil", "message"),
        [
            (lambda recipe, corpus: (replace(recipe, seed=1), corpus), "another recipe"),
            (
                lambda recipe, corpus: (recipe, replace(corpus, sha256="0")),
                r"another corpus \(Python .*, here 3.0.0\)",
            ),
            (lambda recipe, corpus: (recipe, corpus), "missing or damaged"),
        ],
    )
    def test_anything_else_is_never_overwritten(
        self, train: ModuleType, stored: Any, copy: Path, spoil: Callable[..., tuple[Any, Any]], message: str
    ) -> None:
        recipe, corpus = spoil(train.RECIPES["decay1"], stored)
        with pytest.raises(train.SeriesError, match=message):
            train.make_series(recipe, corpus, out=copy.parent, report=print)
        assert [path.name for path in copy.iterdir()] == ["provenance.json"]

    def test_a_strange_folder_is_never_overwritten(
        self, train: ModuleType, stored: Any, tmp_path: Path
    ) -> None:
        (tmp_path / "stdlib-14m").mkdir()
        with pytest.raises(train.SeriesError, match="no provenance.json"):
            train.make_series(train.RECIPES["main"], stored, out=tmp_path, report=print)

    def test_a_failure_leaves_no_folder(
        self, train: ModuleType, stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(folder: Path, *_: Any, **__: Any) -> None:
            (folder / "step0").mkdir()
            raise KeyboardInterrupt

        monkeypatch.setattr(train, "require_torch", lambda: None)
        monkeypatch.setattr(train, "fill_folder", fail)
        with pytest.raises(KeyboardInterrupt):
            train.make_series(train.RECIPES["main"], stored, out=tmp_path, report=print)
        assert list(tmp_path.iterdir()) == []

    def test_without_torch_one_sentence_says_what_to_install(
        self,
        train: ModuleType,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        for name in ("torch", "transformers", "safetensors"):
            monkeypatch.setitem(sys.modules, name, None)
        assert train.main(["--series", "main", "--out", str(tmp_path)]) == 1
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert "pip install '.[torch]'" in error
        assert error.count("\n") == 1
        assert list(tmp_path.iterdir()) == []


def test_places_of_every_task_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    places = importlib.import_module("series.score").places
    text = np.frombuffer(b"a_1 (b)\n  c]x", np.uint8).astype(np.int64)[None, :]
    chosen = {task: np.flatnonzero(mask[0]).tolist() for task, mask in places(text).items()}
    # place k asks for byte k + 1
    assert chosen["next_byte"] == list(range(12))
    assert chosen["inside_words"] == [0, 1]  # a_ and _1; "c]" and "]x" are no words
    assert chosen["indentation"] == [7, 8, 9]  # the line break, then its two spaces
    assert chosen["closing_brackets"] == [5, 10]


def test_the_small_series_is_cut_from_the_main_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    cut = importlib.import_module("series.cut")
    cut.main(tmp_path / cut.TARGET.name)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    kept = {
        path.relative_to(cut.TARGET.parent): path.read_bytes()
        for path in cut.TARGET.rglob("*")
        if path.is_file()
    }
    assert made == kept
    assert sum(map(len, kept.values())) < 3e6
    full, whole = header_of(weights("stdlib-14m", 2000))
    header, small = header_of((cut.TARGET / "step2000" / "model.safetensors").read_bytes())
    assert len(header) == 4 + 2 * 12
    name = "gpt_neox.layers.1.mlp.dense_h_to_4h.weight"
    [begin, end], [at, until] = header[name]["data_offsets"], full[name]["data_offsets"]
    assert small[begin:end] == whole[at:until]


def test_a_replicate_needs_the_recorded_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    train, corpus = importlib.import_module("series.train"), importlib.import_module("series.corpus")
    other = corpus.Corpus(
        train=np.zeros(9, np.uint8), heldout=np.zeros(9, np.uint8), sha256="0" * 64, n_files=2, python="3"
    )
    monkeypatch.setattr(train, "read_corpus", lambda: other)
    assert train.main(["--series", "main", "--seed", "1", "--out", str(tmp_path)]) == 1
    assert "a replicate needs the corpus of stdlib-14m" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_replicate_changes_the_seed_alone() -> None:
    train = importlib.import_module("series.train")
    recipe = train.RECIPES["shuffled"]
    assert train.replicate(recipe, 0) is recipe
    assert train.replicate(recipe, 2) == replace(recipe, name="stdlib-14m-shuffled-seed2", seed=2)
