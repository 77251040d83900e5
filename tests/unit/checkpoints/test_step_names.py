"""Names of steps in use and namings of one's own: on folders, files, hub caches; what lies beside them."""

import hashlib

import huggingface_hub.constants
import pytest

from neuromfa.checkpoints.series import open_series
from neuromfa.checkpoints.transport.step_names import StepName, naming, step_name
from neuromfa.errors import CheckpointMissing, OptionError, UnsafeFormat
from neuromfa.ingest.request import IngestRequest

from .lie_about import neox, write_config, write_model, write_torch


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("step1000-tokens4B", StepName(1000, 4_000_000_000)),
        ("step-500", StepName(500)),
        ("step_500", StepName(500)),
        ("step=7", StepName(7)),
        ("step1,000", StepName(1000)),
        ("step12,345,678", StepName(12_345_678)),
        ("iter_0001000", StepName(1000)),
        ("ckpt_100", StepName(100)),
        ("ckpt-100", StepName(100)),
        ("epoch=1-step=100", StepName(100)),
        ("checkpoint-100", StepName(100)),
        ("global_step100", StepName(100)),
        ("samples_2000", StepName(2000)),
        ("step250-tokens1.5T", StepName(250, 1_500_000_000_000)),
        ("step250_tokens900", StepName(250, 900)),
        ("stage1-step1000-tokens5B", StepName(1000, 5_000_000_000, stage=1)),
        ("stage2-ingredient3-step1000-tokens5B", StepName(1000, 5_000_000_000, stage=2, ingredient=3)),
        ("step1000-unsharded", StepName(1000)),
        ("iteration_100", StepName(100)),
        ("global-step-100", StepName(100)),
        ("epoch3-step100", StepName(100)),
        ("epoch=1-step=100.ckpt", StepName(100)),
        ("step1000-tokens4.5b", StepName(1000, 4_500_000_000)),
    ],
)
def test_names_in_use(name, told):
    assert step_name(name) == told


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        ("{step}-tokens{tokens}", "30-tokens2M", StepName(30, 2_000_000)),
        ("run.{n}.ema", "run.8.ema", StepName(8)),
        ("stage2-*-step{step}*", "stage2-ingredient1-step40-tokens1B", StepName(40)),
        ("a+b({step})", "a+b(3)", StepName(3)),
        ("{step}", "1,000", StepName(1000)),
    ],
)
def test_a_naming_of_ones_own(text, name, told):
    assert naming(text)(name) == told
    assert naming(text)("something else") is None


@pytest.mark.parametrize(
    "text", ["", "run", "{tokens}", "{step}{n}", "{step}-{tokens}-{tokens}", "*" * 4 + "{step}"]
)
def test_a_naming_needs_one_place_for_the_step(text):
    with pytest.raises(OptionError, match="a naming is a text with"):
        naming(text)


def steps(source, **options):
    return [(point.step, point.tokens) for point in open_series(str(source), **options).checkpoints]


def test_tokens_are_kept(tmp_path):
    for name in ("step0-tokens0B", "step2000-tokens8B", "step1000-tokens4B"):
        write_model(tmp_path / name)
    assert steps(tmp_path) == [(0, 0), (1000, 4 * 10**9), (2000, 8 * 10**9)]
    assert steps(tmp_path, naming="step*000-tokens{step}B") == [(4, None), (8, None)]


def test_a_naming_that_fits_nothing_names_what_is_there(tmp_path):
    write_model(tmp_path / "it7")
    with pytest.raises(CheckpointMissing, match="no folder by that naming; there is it7"):
        open_series(str(tmp_path), naming="step{step}")
    with pytest.raises(OptionError, match="give one"):
        open_series(str(tmp_path / "it{n}"), naming="it{step}")


def test_a_later_stage_is_left_out_and_named(tmp_path):
    for name in ("stage1-step10", "stage1-step20", "stage2-step10"):
        write_model(tmp_path / name)
    series = open_series(str(tmp_path))
    assert [point.revision for point in series.checkpoints] == ["stage1-step10", "stage1-step20"]
    assert len(series.left_out) == 1
    assert "stage 2" in series.left_out[0]
    assert steps(tmp_path, naming="stage2-step{step}*") == [(10, None)]


def test_ingredients_of_a_stage_are_runs_of_their_own(tmp_path):
    for name in ("stage2-ingredient1-step10", "stage2-ingredient2-step10", "stage2-ingredient2-step20"):
        write_model(tmp_path / name)
    series = open_series(str(tmp_path))
    assert [point.revision for point in series.checkpoints] == ["stage2-ingredient1-step10"]
    assert series.left_out == (
        "ingredient 2 of stage 2 of the training has steps of its own; "
        "--naming 'stage2-ingredient2-step{step}*' reads them",
    )
    assert steps(tmp_path, naming="stage2-ingredient2-step{step}*") == [(10, None), (20, None)]


def test_weights_beside_the_steps_are_told(tmp_path):
    """A final model in the folder itself, files of other steps, a step that is still packed."""
    write_model(tmp_path)
    write_model(tmp_path / "checkpoint-5")
    write_torch(tmp_path / "step_7.pt", neox())
    (tmp_path / "step9.tar.gz").write_bytes(b"")
    assert steps(tmp_path) == [(5, None)]
    assert open_series(str(tmp_path)).left_out == (
        "model.safetensors, step_7.pt: beside the steps, and none of them",
        "step9.tar.gz: of a step, but packed: unpack it into a folder",
    )


def test_names_that_cannot_be_printed_are_shown_as_what_can(tmp_path):
    write_model(tmp_path / "step1")
    write_model(tmp_path / "fin\x1b[2J\udcffal")
    assert open_series(str(tmp_path)).left_out == ("fin?[2J?al/ holds weights and its name tells no step",)


def test_files_beside_those_that_are_steps_are_told(tmp_path):
    write_config(tmp_path)
    for name in ("epoch=0-step=1.ckpt", "epoch=0-step=1-v1.ckpt", "last.ckpt", "step2.bin"):
        write_torch(tmp_path / name, neox())
    assert steps(tmp_path) == [(1, None), (2, None)]
    assert open_series(str(tmp_path)).left_out == (
        "epoch=0-step=1-v1.ckpt, last.ckpt: beside the steps, and none of them",
    )


def test_files_of_steps_beside_a_whole_model_are_told(tmp_path):
    write_model(tmp_path)
    write_torch(tmp_path / "step3.pt", neox())
    series = open_series(str(tmp_path))
    assert [point.step for point in series.checkpoints] == [None]
    assert series.left_out == ("step3.pt: named after steps, beside weights that are read as one checkpoint",)


def test_of_two_folders_of_one_step_the_one_with_weights_is_read(tmp_path):
    (tmp_path / "step5").mkdir()
    write_model(tmp_path / "step5-unsharded")
    series = open_series(str(tmp_path))
    assert [point.revision for point in series.checkpoints] == ["step5-unsharded"]
    assert series.left_out == ("step5 holds no weights, and step5-unsharded is step 5 too",)


@pytest.mark.parametrize("target", ["gone", "step2"])
def test_a_step_that_is_a_link_to_nothing_is_a_step_that_fails(tmp_path, target):
    write_model(tmp_path / "step1")
    (tmp_path / "step2").symlink_to(tmp_path / target)
    series = open_series(str(tmp_path))
    assert [point.step for point in series.checkpoints] == [1, 2]
    with pytest.raises(CheckpointMissing, match="step2 is a link that leads nowhere"):
        series.at(2).open()


@pytest.mark.parametrize("name", ["x" * 300, "a/" + "b" * 300, "nul\0l"])
def test_a_name_that_no_file_can_have_does_not_exist(name):
    with pytest.raises(CheckpointMissing, match="does not exist"):
        open_series(name)


def test_weights_whose_folder_tells_no_step_are_left_out_by_name(tmp_path):
    write_model(tmp_path / "step1")
    write_model(tmp_path / "final")
    (tmp_path / "logs").mkdir()
    series = open_series(str(tmp_path))
    assert series.left_out == ("final/ holds weights and its name tells no step",)
    assert series.select("1").left_out == series.left_out


def test_steps_that_are_files(tmp_path):
    write_config(tmp_path)
    for step in (100, 200):
        write_torch(tmp_path / f"epoch={step // 100}-step={step}.ckpt", {"state_dict": neox(step)})
    series = open_series(str(tmp_path))
    assert [point.step for point in series.checkpoints] == [100, 200]
    tensors = series.at(200).open()
    assert tensors.config["model_type"] == "gpt_neox"
    assert (tensors.read("embed_out.weight") == neox(200)["embed_out.weight"]).all()


@pytest.mark.parametrize("state", ["global_step1000", "checkpoint-5"])
def test_training_state_beside_the_weights_is_one_checkpoint(tmp_path, state):
    folder = write_model(tmp_path / "checkpoint-1000")
    (folder / state).mkdir()
    (folder / state / "zero_pp_rank_0_mp_rank_00_optim_states.pt").write_bytes(b"x")
    assert steps(folder) == [(None, None)]
    assert steps(tmp_path) == [(1000, None)]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A hub cache read offline; the function it gives adds a revision."""
    repository = tmp_path / "cache" / "models--org--m"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)

    def add(name):
        commit = hashlib.sha1(name.encode()).hexdigest()  # noqa: S324 - as git names commits
        write_model(repository / "snapshots" / commit)
        ref = repository / "refs" / name
        ref.parent.mkdir(parents=True, exist_ok=True)
        ref.write_text(commit)
        return commit

    return add


def test_branches_with_tokens_and_a_naming_of_ones_own_on_the_hub(cache):
    for name in ("main", "step0-tokens0B", "step1000-tokens4B", "a7"):
        cache(name)
    assert steps("org/m") == [(0, 0), (1000, 4 * 10**9)]
    (told,) = open_series("org/m").left_out
    assert told.startswith("a7, main: branches or tags whose names tell no step")
    assert open_series("org/m", revision="step1000-tokens4B").left_out == ()
    assert steps("org/m", naming="a{step}") == [(7, None)]
    assert steps("org/m", revision="step1000-tokens4B") == [(1000, 4 * 10**9)]
    with pytest.raises(CheckpointMissing, match="no branch or tag of org/m fits the naming; it has a7, main"):
        open_series("org/m", naming="b{step}")


def test_what_a_cache_has_names_of_only(cache, tmp_path):
    for name in ("step0", "step100", "main"):
        cache(name)
    gone = hashlib.sha1(b"step100").hexdigest()  # noqa: S324 - as git names commits
    snapshots = tmp_path / "cache/models--org--m/snapshots"
    (snapshots / gone).rename(tmp_path / "gone")
    series = open_series("org/m")
    assert [point.step for point in series.checkpoints] == [0]
    assert series.left_out[1:] == (
        "step100: steps that the cache names and has no files of; fetch them again",
    )


def test_a_cache_with_several_branches_and_no_main_asks_which(cache):
    for name in ("a", "b", "refs/pr/1"):
        cache(name)
    with pytest.raises(CheckpointMissing, match="no main of org/m, but a, b: choose one with --revision"):
        open_series("org/m")


@pytest.mark.parametrize(
    "source", ["http://", "http://[::1/run", "https://u:secret@host:port/x", "https:///x"]
)
def test_an_address_that_is_none(source):
    with pytest.raises(OptionError, match="is no address") as refused:
        open_series(source)
    assert "secret" not in str(refused.value)


def test_a_revision_behind_an_id_is_answered_with_the_option(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointMissing, match="does not exist; .* give --revision step1"):
        open_series("org/m@step1")


def test_two_names_of_one_commit_are_one_step(cache, tmp_path):
    commit = cache("step1000")
    (tmp_path / "cache/models--org--m/refs/step1000-tokens4B").write_text(commit)
    assert [step for step, _ in steps("org/m")] == [1000]


@pytest.mark.parametrize("others", [["refs/pr/7"], ["refs/pr/1", "refs/pr/2"], ["refs/convert/parquet"]])
def test_main_of_a_cache_that_keeps_pull_requests_too(cache, others):
    commit = cache("main")
    for name in others:
        cache(name)
    (point,) = open_series("org/m").checkpoints
    assert (point.step, point.revision) == (None, commit)


def linked(tmp_path):
    """Return a run whose first step is a link, and whose second has a link for its file."""
    write_model(tmp_path / "scratch" / "step0")
    write_model(tmp_path / "scratch" / "step1")
    write_config(tmp_path / "run" / "step1")
    (tmp_path / "run" / "step0").symlink_to(tmp_path / "scratch" / "step0")
    (tmp_path / "run" / "step1" / "model.safetensors").symlink_to(
        tmp_path / "scratch" / "step1" / "model.safetensors"
    )
    return str(tmp_path / "run")


@pytest.mark.parametrize("step", [0, 1])
def test_links_are_followed_for_the_person_who_asks_only(tmp_path, step):
    run = linked(tmp_path)
    assert open_series(run, follow_links=True).at(step).open().names()
    with pytest.raises(UnsafeFormat, match="is not followed"):
        open_series(run).at(step).open()


def test_a_request_follows_links_only_when_told_to_as_a_worker_never_does(tmp_path):
    request = IngestRequest(source=linked(tmp_path))
    assert request.open(follow_links=True).at(0).open().names()
    with pytest.raises(UnsafeFormat, match="is not followed"):
        IngestRequest.from_json(request.as_json()).open().at(0).open()


def test_a_request_carries_its_naming(tmp_path):
    write_model(tmp_path / "a7-tokens2M")
    request = IngestRequest(source=str(tmp_path), naming="a{step}-tokens{tokens}")
    (point,) = IngestRequest.from_json(request.as_json()).open().checkpoints
    assert (point.step, point.tokens) == (7, 2_000_000)
