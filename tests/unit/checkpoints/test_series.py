"""Series on this machine: step folders under every naming, single folders, clear sentences otherwise."""

import pytest

from neuromfa.checkpoints.series import PAPER_STEPS, open_series
from neuromfa.checkpoints.transport.step_names import step_name
from neuromfa.errors import CheckpointMissing, OptionError, UnsafeFormat

from .making import write_step


@pytest.mark.parametrize("naming", ["step{}", "step_{}", "checkpoint-{}", "global_step{}"])
def test_steps_in_order_of_training(tmp_path, naming):
    for step in (512, 0, 1000, 64):
        write_step(tmp_path / "run" / naming.format(step), step)
    (tmp_path / "run" / "logs").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("")
    series = open_series(str(tmp_path / "run"))
    assert series.id == "run"
    assert [point.step for point in series.checkpoints] == [0, 64, 512, 1000]
    assert series.at(512).revision == naming.format(512)
    with_numbers = series.at(64).open()
    assert with_numbers.read("w")[0, 0] == 64
    with_numbers.close()


@pytest.mark.parametrize(
    "name",
    ["step", "step--5", "step5x", "xstep5", "Step5", "step5 ", "step٣", "checkpoint5", "5"]
    + ["step1,00", "step5-tokens", "stage-step5", "epoch=1", "step5-tokens4X", "iter5"],
)
def test_other_names_are_no_steps(name):
    assert step_name(name) is None


def test_one_folder_is_one_checkpoint_without_a_step(tmp_path):
    series = open_series(str(write_step(tmp_path / "minilm")))
    (point,) = series.checkpoints
    assert (point.step, point.revision, point.series) == (None, "minilm", "minilm")
    assert open_series(str(tmp_path / "minilm"), model_id="a/b").checkpoints[0].series == "a/b"


def test_steps_win_over_a_final_model_beside_them(tmp_path):
    write_step(tmp_path)
    write_step(tmp_path / "checkpoint-10")
    assert [point.step for point in open_series(str(tmp_path)).checkpoints] == [10]


def test_a_naming_of_ones_own(tmp_path):
    for step in (3, 20):
        write_step(tmp_path / f"ckpt.{step}.ema")
    write_step(tmp_path / "step7")
    series = open_series(str(tmp_path / "ckpt.{n}.ema"), model_id="m")
    assert [point.step for point in series.checkpoints] == [3, 20]
    with pytest.raises(CheckpointMissing, match="matches no folder"):
        open_series(str(tmp_path / "other{n}"))


def test_an_address_of_a_local_file_is_the_local_folder(tmp_path):
    write_step(tmp_path / "a b" / "step1")
    series = open_series((tmp_path / "a b").as_uri())
    assert series.id == "a b"
    assert series.at(1).open().names() == ("w",)


def test_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_step(tmp_path / "run" / "step1")
    assert open_series("~/run").at(1).step == 1


def test_choosing_steps(tmp_path):
    for step in (0, 1, 3, 512, 13_000):
        write_step(tmp_path / f"step{step}")
    series = open_series(str(tmp_path), steps="512, 0")
    assert [point.step for point in series.checkpoints] == [0, 512]
    assert [point.step for point in open_series(str(tmp_path), steps="paper").checkpoints] == [
        0,
        1,
        512,
        13_000,
    ]
    with pytest.raises(CheckpointMissing, match="has no step 7; it has 0, 1, 3, 512, 13000"):
        open_series(str(tmp_path), steps="0,7")
    with pytest.raises(CheckpointMissing, match="has no step 9"):
        open_series(str(tmp_path)).at(9)


@pytest.mark.parametrize("steps", ["", "first", "1,,2", "-1", "1.5", "٣", "1;2", "9" * 40])
def test_steps_that_are_no_steps(tmp_path, steps):
    write_step(tmp_path / "step1")
    with pytest.raises(OptionError, match="steps is all, paper, or numbers joined by commas"):
        open_series(str(tmp_path), steps=steps)


def test_published_steps_by_hand():
    assert sorted(PAPER_STEPS)[:12] == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000]
    assert sorted(PAPER_STEPS)[12:] == [3000, *range(13_000, 143_001, 10_000)]


def test_none_of_the_published_steps(tmp_path):
    write_step(tmp_path / "step7")
    with pytest.raises(CheckpointMissing, match="none of the published steps; it has 7"):
        open_series(str(tmp_path), steps="paper")


def test_a_single_checkpoint_has_no_steps_to_choose_from(tmp_path):
    write_step(tmp_path)
    with pytest.raises(CheckpointMissing, match="has no step 0; it is a single checkpoint without a step"):
        open_series(str(tmp_path), steps="0")


def test_many_steps_are_named_in_short(tmp_path):
    for step in range(60):
        (tmp_path / f"step{step}").mkdir()
    with pytest.raises(CheckpointMissing, match=r"it has 0, 1, .*19, \.\.\., 40, .*59$"):
        open_series(str(tmp_path), steps="100")


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(CheckpointMissing, match="nowhere does not exist"):
        open_series(str(tmp_path / "nowhere"))
    with pytest.raises(CheckpointMissing, match="does not exist"):
        open_series("./nowhere")


def test_a_file_instead_of_a_folder(tmp_path):
    file = write_step(tmp_path) / "model.safetensors"
    with pytest.raises(CheckpointMissing, match="is a file; name the folder it stands in"):
        open_series(str(file))


def test_a_folder_without_checkpoints_says_what_was_looked_for(tmp_path):
    with pytest.raises(
        CheckpointMissing, match=r"holds no checkpoint; looked for folders named step\{n\}, .* and for model"
    ):
        open_series(str(tmp_path))


def test_two_folders_of_one_step_are_refused(tmp_path):
    for name in ("step5", "step_5"):
        write_step(tmp_path / name)
    with pytest.raises(CheckpointMissing, match="has step 5 twice: step_?5 and step_?5"):
        open_series(str(tmp_path))


@pytest.mark.parametrize("options", [{"revision": "step1"}, {"download": True}])
def test_options_of_the_hub_are_refused_for_a_folder(tmp_path, options):
    write_step(tmp_path)
    with pytest.raises(OptionError, match="is for repositories of the hub"):
        open_series(str(tmp_path), **options)


def test_a_step_folder_that_is_a_link_out_of_the_series_is_unsafe(tmp_path):
    write_step(tmp_path / "elsewhere")
    write_step(tmp_path / "run" / "step0")
    (tmp_path / "run" / "step1").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "run" / "step2").symlink_to("step0")
    series = open_series(str(tmp_path / "run"))
    assert series.at(2).open().names() == ("w",)
    with pytest.raises(UnsafeFormat, match="step1 is a link that leads out"):
        series.at(1).open()


def test_nothing_is_opened_before_it_is_asked_for(tmp_path):
    write_step(tmp_path / "step0")
    (tmp_path / "step1").mkdir()
    series = open_series(str(tmp_path))
    with pytest.raises(CheckpointMissing, match="step1 has no weights"):
        series.at(1).open()
