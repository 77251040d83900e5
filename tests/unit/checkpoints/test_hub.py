"""Hub repositories, through huggingface-hub itself: its endpoint setting, its session and its cache."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import huggingface_hub.constants
import numpy as np
import pytest

from neuromfa.checkpoints.formats.open_tensors import open_tensors
from neuromfa.checkpoints.series import open_series
from neuromfa.checkpoints.transport.hub import hub_found
from neuromfa.checkpoints.transport.retry import RetryPolicy
from neuromfa.errors import CheckpointMissing, CorruptFile, OptionError, SourceError, UnsafeFormat

from .loopback import Loopback, Repository
from .making import write_tensors

REPO = "someone/pythia-tiny"
STEPS = (0, 1, 512)
QUICK = RetryPolicy(timeout=20, attempts=3, pause=0.01, parallel=4)
HASTY = replace(QUICK, timeout=0.6, attempts=8)
"""Where the hub falls silent; the attempts are for a machine that stands still for a while."""
ROWS = np.random.default_rng(1).choice(500, 40, replace=False)
COLUMNS = np.array([9, 0, 5])


def commit(step):
    return f"{step + 1:040x}"


def matrix(step):
    return np.random.default_rng(step).normal(size=(500, 60)).astype(np.float32)


@pytest.fixture
def contents(tmp_path):
    """The files of every step."""
    files = {}
    for step in STEPS:
        path = write_tensors(tmp_path / "w", {"w": matrix(step)})
        files[commit(step)] = {
            "model.safetensors": path.read_bytes(),
            "config.json": json.dumps({"step": step}).encode(),
            "README.md": b"text",
        }
    return files


@pytest.fixture
def hub(contents, tmp_path, monkeypatch):
    """A loopback hub with one repository, an empty cache, and a token that must not travel further."""
    with Loopback() as server:
        branches = {f"step{step}": commit(step) for step in STEPS} | {"main": commit(512)}
        server.repositories[REPO] = Repository(branches, contents, tags={"v1": commit(1)})
        constants = huggingface_hub.constants
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        monkeypatch.chdir(tmp_path)
        yield server
        huggingface_hub.close_session()


def opened(step=512, retry=QUICK, **options):
    """Return the tensors of one step."""
    locations, _ = hub_found(REPO, revision=f"step{step}", download=False, retry=retry, **options)
    return open_tensors(locations[0].folder())


def sample(tensors):
    return tensors.read("w", rows=ROWS, columns=COLUMNS)


def test_step_branches_pinned_to_their_commits(hub):
    series = open_series(REPO)
    assert series.id == REPO
    assert [(point.step, point.revision) for point in series.checkpoints] == [
        (step, commit(step)) for step in STEPS
    ]
    hub.repositories[REPO].branches["step1"] = commit(0)
    tensors = series.at(1).open()
    assert tensors.config == {"step": 1}
    assert (sample(tensors) == matrix(1)[ROWS][:, COLUMNS]).all()


def test_names_of_steps_with_tokens_and_a_naming_of_ones_own(hub):
    branches = hub.repositories[REPO].branches
    branches.clear()
    branches |= {
        "main": commit(512),
        "stage1-step1-tokens2B": commit(1),
        "stage2-ingredient1-step0": commit(0),
    }
    series = open_series(REPO)
    assert [(point.step, point.tokens, point.revision) for point in series.checkpoints] == [
        (1, 2 * 10**9, commit(1))
    ]
    assert any("ingredient 1 of stage 2" in told for told in series.left_out)
    assert (sample(series.at(1).open()) == matrix(1)[ROWS][:, COLUMNS]).all()
    (point,) = open_series(REPO, naming="v{step}").checkpoints
    assert (point.step, point.revision) == (1, commit(1))
    with pytest.raises(
        CheckpointMissing, match="no branch or tag of .* fits the naming; it has main, stage1"
    ):
        open_series(REPO, naming="w{step}")


def test_branches_and_tags_that_tell_no_step_are_left_out_by_name(hub):
    repository = hub.repositories[REPO]
    assert open_series(REPO).left_out == ()  # main and v1 are commits of the steps
    repository.branches["final"] = repository.tags["v2"] = commit(9)
    (told,) = open_series(REPO).left_out
    assert told.startswith("final, v2: branches or tags whose names tell no step")
    assert open_series(REPO, revision="step1").left_out == ()


def test_a_tag_and_a_branch_of_one_commit_are_one_step(hub):
    hub.repositories[REPO].tags["step1-tokens2B"] = commit(1)
    assert [point.step for point in open_series(REPO).checkpoints] == list(STEPS)
    hub.repositories[REPO].tags["step_1"] = commit(512)
    with pytest.raises(CheckpointMissing, match="has step 1 twice: .*--naming"):
        open_series(REPO)


def test_the_address_of_a_page_of_the_hub_is_answered_with_the_id(hub):
    with pytest.raises(OptionError, match=f"is a page of the hub; give the id {REPO}, and --revision"):
        open_series(f"{hub.url}/{REPO}/tree/step1")


def test_folders_inside_a_repository(hub):
    """The folder FSDP writes is looked into, in the listing and in the cache."""
    repository = hub.repositories[REPO]
    repository.files[commit(1)] = {"config.json": b"{}", "hf/model.safetensors": b"x", "hf/a/b": b"y"}
    ((location,), _) = hub_found(REPO, revision="step1", download=False, retry=QUICK)
    inside = location.folder().inside("hf")
    assert (inside.files(), inside.folders(), inside.has("model.safetensors")) == (
        ["model.safetensors"],
        ["a"],
        True,
    )
    assert inside.open("model.safetensors").size == 1
    with pytest.raises(CheckpointMissing, match="its folder hf holds weights or steps"):
        open_tensors(location.folder())


def test_a_sample_downloads_no_file_and_at_most_twice_its_bytes(hub, tmp_path):
    tensors = open_series(REPO).at(512).open()
    header = tensors.bytes_read
    sample(tensors)
    asked = ROWS.size * 240
    assert asked <= tensors.bytes_read - header <= 2 * asked
    assert not list((tmp_path / "cache").rglob("*.safetensors"))
    assert all(each.range for each in hub.asked("/store/"))


def test_the_token_goes_to_the_hub_and_not_to_its_file_store(hub):
    sample(open_series(REPO).at(512).open())
    # by name: a question an earlier test gave up on may still be asked, and meets the endpoint of today
    assert {each.authorization for each in hub.asked(f"/api/models/{REPO}")} == {"Bearer hf_secret"}
    assert {each.authorization for each in hub.asked("/resolve/")} == {"Bearer hf_secret"}
    assert {each.authorization for each in hub.asked("/store/")} == {None}


@pytest.mark.parametrize(
    ("revision", "step"), [("step1", 1), ("v1", None), ("main", None), (commit(1), None)]
)
def test_one_revision(hub, revision, step):
    (point,) = open_series(REPO, revision=revision).checkpoints
    assert (point.step, point.revision) == (step, commit(512 if revision == "main" else 1))


def test_a_repository_without_steps_is_its_main_branch(hub):
    branches = hub.repositories[REPO].branches
    for step in STEPS:
        del branches[f"step{step}"]
    (point,) = open_series(REPO).checkpoints
    assert (point.step, point.revision) == (None, commit(512))


def test_a_repository_that_is_not_there(hub):
    with pytest.raises(
        CheckpointMissing, match="someone/nothing is neither a folder here nor a repository at"
    ):
        open_series("someone/nothing")


def test_a_revision_that_is_not_there(hub):
    with pytest.raises(CheckpointMissing, match=f"{REPO}@step7: the repository has no such revision"):
        open_series(REPO, revision="step7")


def test_a_step_that_is_not_there_names_those_that_are(hub):
    with pytest.raises(CheckpointMissing, match="has no step 7; it has 0, 1, 512"):
        open_series(REPO, steps="0,7")


def test_a_gated_repository_says_what_to_do(hub):
    hub.repositories[REPO].gated = True
    with pytest.raises(CheckpointMissing, match="gated: accept its terms on the hub, then `hf auth login`"):
        opened()


def test_a_commit_without_weights_says_what_was_looked_for(hub):
    del hub.repositories[REPO].files[commit(512)]["model.safetensors"]
    with pytest.raises(CheckpointMissing, match="has no weights; looked for model.safetensors"):
        opened()


@pytest.mark.parametrize("fault", ["drop", "refuse", "limit", "hang", "short", "dribble"])
def test_a_failure_that_passes_is_retried_and_resumed(hub, fault):
    tensors = opened(retry=HASTY if fault == "hang" else QUICK)
    hub.faults.extend([fault] * 2)
    assert (sample(tensors) == matrix(512)[ROWS][:, COLUMNS]).all()
    assert not hub.faults


@pytest.mark.parametrize("fault", ["refs refuse", "refs limit", "refs hang"])
def test_slow_and_stumbling_answers_of_the_hub_itself_are_asked_again(hub, fault):
    hub.faults.append(fault)
    found = opened(retry=HASTY if fault == "refs hang" else QUICK)
    assert (sample(found) == matrix(512)[ROWS][:, COLUMNS]).all()


def test_a_hub_that_stays_silent_is_given_up(hub):
    hub.faults.extend(["refs hang"] * 5)
    with pytest.raises(SourceError, match=r"does not answer for .*no answer within 0.6 s; HF_HUB_OFFLINE=1"):
        opened(retry=replace(HASTY, attempts=3))


def test_a_hub_that_is_down(hub, monkeypatch):
    with Loopback() as gone:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", gone.url)
    with pytest.raises(
        SourceError, match=f"{REPO} is no folder here, and the hub at {gone.url} does not answer"
    ):
        opened()


def test_a_signed_address_that_runs_out_is_asked_for_again(hub):
    tensors = opened()
    hub.signature += 1
    assert (sample(tensors) == matrix(512)[ROWS][:, COLUMNS]).all()
    assert any(each.path.startswith("/store/1/") for each in hub.log)


@pytest.mark.parametrize(
    ("lies", "message"),
    [
        ({"linked_size": 5}, "in the listing and 5 in the file's own answer"),
        ({"list_size": 5}, "has 5 bytes in the listing"),
        ({"size": 5}, "has 5 bytes on the server, not the"),
        ({"commit": commit(99)}, "is answered from commit"),
    ],
)
def test_sizes_and_commits_that_do_not_agree_are_corrupt(hub, lies, message):
    hub.lies.update(lies)
    with pytest.raises(CorruptFile, match=message):
        sample(opened())


def test_a_ref_that_is_no_commit_is_corrupt(hub):
    hub.repositories[REPO].branches["step0"] = "../../../etc"
    with pytest.raises(CorruptFile, match="not pinned to a commit"):
        open_series(REPO)


def test_download_fetches_the_weights_once_and_reads_them_from_the_cache(hub, tmp_path):
    tensors = open_series(REPO, steps="1", download=True).at(1).open()
    assert (sample(tensors) == matrix(1)[ROWS][:, COLUMNS]).all()
    cached = {path.name for path in (tmp_path / "cache").rglob("snapshots/*/*")}
    assert cached == {"model.safetensors", "config.json"}
    asked = len(hub.asked("/store/"))
    again = open_series(REPO).at(1).open()
    assert (sample(again) == matrix(1)[ROWS][:, COLUMNS]).all()
    assert len(hub.asked("/store/")) == asked


def test_download_fetches_the_adapter_beside_the_weights(hub, tmp_path):
    files = hub.repositories[REPO].files[commit(1)]
    files |= {"adapter_config.json": b"{}", "adapter_model.bin": b"x"}
    ((location,), _) = hub_found(REPO, revision="step1", download=True, retry=QUICK)
    assert location.folder().has("adapter_model.bin")
    assert {path.name for path in (tmp_path / "cache").rglob("snapshots/*/*")} == files.keys() - {"README.md"}


def test_a_branch_that_moves_during_a_download_is_noticed(hub):
    series = open_series(REPO, download=True)
    hub.repositories[REPO].branches["step1"] = commit(0)
    with pytest.raises(CorruptFile, match="moved to another commit while it was downloaded"):
        series.at(1).open()


def test_a_download_the_store_refuses_is_told(hub):
    ((location,), _) = hub_found(REPO, revision="step1", download=True, retry=QUICK)
    hub.lies["status"] = 418
    with pytest.raises(SourceError, match="step1/.*(answers 418|could not be downloaded|does not answer)"):
        location.folder()


def test_nothing_to_download_says_what_was_looked_for(hub):
    del hub.repositories[REPO].files[commit(512)]["model.safetensors"]
    with pytest.raises(CheckpointMissing, match="has no weights; looked for model.safetensors"):
        open_series(REPO, download=True).at(512).open()


def test_the_endpoint_and_offline_settings_are_those_of_huggingface_hub(hub, tmp_path):
    """The same in a process of its own, set up by environment variables alone: online with a download, then offline."""
    program = (
        "import sys; from neuromfa.checkpoints.series import open_series\n"
        f"series = open_series({REPO!r}, download=sys.argv[1] == 'online')\n"
        "print([point.step for point in series.checkpoints], series.at(512).open().read('w').sum())"
    )
    settings = os.environ | {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_XET": "1",
    }

    def run(mode, **more):
        answer = subprocess.run(
            [sys.executable, "-c", program, mode],
            env=settings | more,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    online = run("online")
    assert online.startswith("[0, 1, 512] ")
    asked = len(hub.log)
    offline = run("offline", HF_HUB_OFFLINE="1")
    assert offline == online.replace("[0, 1, 512]", "[512]")
    assert len(hub.log) == asked


@pytest.fixture
def cache(contents, tmp_path, monkeypatch):
    """A cache as huggingface-hub lays it out: refs, snapshots of links, blobs; and no network."""
    repository = tmp_path / "cache" / "models--someone--pythia-tiny"
    (repository / "blobs").mkdir(parents=True)
    for step in STEPS:
        snapshot = repository / "snapshots" / commit(step)
        snapshot.mkdir(parents=True)
        for name in ("model.safetensors", "config.json"):
            blob = f"{step:03}{name.replace('.', '')}"
            (repository / "blobs" / blob).write_bytes(contents[commit(step)][name])
            (snapshot / name).symlink_to(f"../../blobs/{blob}")
        ref = repository / "refs" / f"step{step}"
        ref.parent.mkdir(exist_ok=True)
        ref.write_text(commit(step))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("neuromfa.checkpoints.transport.hub.HfApi", None)
    monkeypatch.chdir(tmp_path)
    return repository


def test_the_cache_alone_gives_the_series(cache):
    series = open_series(REPO)
    assert [(point.step, point.revision) for point in series.checkpoints] == [
        (step, commit(step)) for step in STEPS
    ]
    tensors = series.at(512).open()
    assert tensors.config == {"step": 512}
    assert (sample(tensors) == matrix(512)[ROWS][:, COLUMNS]).all()


@pytest.mark.parametrize(("revision", "step"), [("step1", 1), (commit(1), None)])
def test_one_revision_of_the_cache(cache, revision, step):
    (point,) = open_series(REPO, revision=revision).checkpoints
    assert (point.step, point.revision) == (step, commit(1))


def test_a_cache_with_main_alone_is_one_checkpoint(cache):
    for step in STEPS:
        (cache / "refs" / f"step{step}").unlink()
    (cache / "refs" / "main").write_text(commit(0) + "\n")
    assert [point.step for point in open_series(REPO).checkpoints] == [None]


def test_what_the_cache_lacks(cache):
    with pytest.raises(CheckpointMissing, match="no step7 in the hub cache .* holds step0, step1, step512"):
        open_series(REPO, revision="step7")
    with pytest.raises(CheckpointMissing, match="neither a folder here nor in the hub cache"):
        open_series("someone/other")


def test_steps_whose_files_are_gone_are_not_listed(cache):
    (cache / "snapshots" / commit(1)).rename(cache / "elsewhere")
    assert [point.step for point in open_series(REPO).checkpoints] == [0, 512]


def test_a_ref_of_the_cache_that_is_no_commit_is_corrupt(cache):
    (cache / "refs" / "step0").write_text("../../../../etc")
    with pytest.raises(CorruptFile, match="not pinned to a commit"):
        open_series(REPO)


def test_a_snapshot_may_not_link_out_of_its_repository(cache, tmp_path):
    snapshot = cache / "snapshots" / commit(0)
    outside = write_tensors(tmp_path / "outside.safetensors", {"w": np.ones((2, 2))})
    (snapshot / "model.safetensors").unlink()
    (snapshot / "model.safetensors").symlink_to(outside)
    with pytest.raises(UnsafeFormat, match="leads out of"):
        open_series(REPO).at(0).open()


def test_a_folder_of_that_name_is_never_looked_for_on_the_hub(hub, tmp_path):
    write_tensors(tmp_path / REPO / "model.safetensors", {"own": np.ones((2, 2))})
    assert open_series(REPO).checkpoints[0].open().names() == ("own",)
    assert not hub.log


def test_a_fingerprint_is_the_commit(hub):
    def fingerprints():
        return [point.fingerprint() for point in open_series(REPO).checkpoints]

    before = fingerprints()
    assert None not in before and len(set(before)) == len(STEPS)
    assert fingerprints() == before
