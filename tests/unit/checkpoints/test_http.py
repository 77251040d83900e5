"""Files behind HTTP: the same numbers as on disk, few bytes, and every way a server can fail."""

from dataclasses import replace

import httpx
import numpy as np
import pytest

from neuromfa.checkpoints.formats.open_tensors import open_tensors
from neuromfa.checkpoints.series import open_series
from neuromfa.checkpoints.transport.address import without_secrets
from neuromfa.checkpoints.transport.folder import LocalFolder
from neuromfa.checkpoints.transport.http_folder import HttpFolder
from neuromfa.checkpoints.transport.retry import RetryPolicy
from neuromfa.errors import CheckpointMissing, CorruptFile, OptionError, SourceError, UnsupportedFormat

from .loopback import Loopback
from .making import DATA, write_tensors

QUICK = RetryPolicy(timeout=20, attempts=3, pause=0.01, parallel=4)
HASTY = replace(QUICK, timeout=0.5, attempts=8)
"""Where the server falls silent; the attempts are for a machine that stands still for a while."""


@pytest.fixture
def server():
    with Loopback() as running:
        yield running


@pytest.fixture
def client():
    with httpx.Client(follow_redirects=True) as open_client:
        yield open_client


@pytest.fixture
def matrix(tmp_path, server):
    """A checkpoint of one matrix, on disk and on the server."""
    array = np.random.default_rng(0).normal(size=(2000, 100)).astype(np.float32)
    path = write_tensors(tmp_path / "run" / "step0" / "model.safetensors", {"w": array})
    server.files["/run/step0/model.safetensors"] = path.read_bytes()
    return array


def remote(server, client, retry=QUICK):
    return open_tensors(HttpFolder(f"{server.url}/run/step0", retry=retry, client=client))


ROWS = np.random.default_rng(1).choice(2000, 60, replace=False)
COLUMNS = np.array([5, 1, 99])


def sampled(tensors):
    return tensors.read("w", rows=ROWS, columns=COLUMNS)


def test_a_sample_equals_the_local_one_within_twice_its_bytes(server, client, matrix, tmp_path):
    tensors, local = remote(server, client), open_tensors(LocalFolder(tmp_path / "run" / "step0"))
    before, local_before = tensors.bytes_read, local.bytes_read
    assert (sampled(tensors) == matrix[ROWS][:, COLUMNS]).all()
    asked = ROWS.size * 400
    assert asked <= tensors.bytes_read - before <= 2 * asked
    sampled(local)
    assert tensors.bytes_read - before <= 2 * (local.bytes_read - local_before)
    assert len(server.asked("model.safetensors")) < ROWS.size + 10


def test_counts_are_those_of_the_wire(server, client, matrix):
    tensors = remote(server, client)
    probes = len(server.log)
    before = tensors.requests
    sampled(tensors)
    assert tensors.requests - before == len(server.log) - probes
    lengths = [
        each.range.removeprefix("bytes=").split("-") for each in server.log[-(tensors.requests - before) :]
    ]
    assert (
        sum(int(last) - int(first) + 1 for first, last in lengths) + before_header(server)
        == tensors.bytes_read
    )


def before_header(server):
    """Bytes of the header's length and of the header."""
    content = server.files["/run/step0/model.safetensors"]
    return 8 + int.from_bytes(content[:8], "little")


@pytest.mark.parametrize("container", ["safetensors", "zip", "legacy", "sharded", "sharded_bin"])
def test_every_container_is_read_behind_http(server, client, container):
    for path in (DATA / container).iterdir():
        server.files[f"/run/step0/{path.name}"] = path.read_bytes()
    tensors, local = remote(server, client), open_tensors(LocalFolder(DATA / container))
    assert tensors.names() == local.names()
    for name in local.names():
        assert tensors.read(name).tobytes() == local.read(name).tobytes()


@pytest.mark.parametrize("fault", ["drop", "refuse", "limit", "hang", "short", "dribble"])
def test_a_failure_that_passes_costs_a_retry_and_nothing_else(server, client, matrix, fault):
    tensors = remote(server, client, HASTY if fault == "hang" else QUICK)
    server.faults.extend([fault] * 2)
    assert (sampled(tensors) == matrix[ROWS][:, COLUMNS]).all()
    assert not server.faults


def test_a_dropped_answer_is_resumed_where_it_broke_off(server, client, matrix):
    tensors = remote(server, client)
    asked = len(server.log)
    server.faults.append("drop")
    assert (tensors.read("w", rows=np.array([7])) == matrix[[7]]).all()
    first, second = (each.range for each in server.log[asked:])
    start, end = map(int, first.removeprefix("bytes=").split("-"))
    assert second == f"bytes={start + 200}-{end}"


def test_progress_starts_the_count_of_failures_anew(server, client, matrix):
    tensors = remote(server, client)
    server.faults.extend(["drop"] * 6)
    assert (tensors.read("w", rows=np.array([7])) == matrix[[7]]).all()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("refuse", "the server answers 503"), ("hang", "timed out"), ("limit", "answers 429")],
)
def test_a_failure_that_stays_is_told_in_one_sentence(server, client, matrix, fault, reason):
    policy = RetryPolicy(timeout=0.2 if fault == "hang" else 20, attempts=2, pause=0.01)
    tensors = remote(server, client, policy)
    server.faults.extend([fault] * 100)
    with pytest.raises(SourceError, match=f"could not be read at byte .*{reason}, 2 times in a row"):
        sampled(tensors)
    server.faults.clear()


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        ("long", CorruptFile, "sends more than the range"),
        ("elsewhere", CorruptFile, "sends another range"),
        ("changed", CorruptFile, "changed while it was read"),
        ("deny", SourceError, "access denied"),
    ],
)
def test_a_wrong_answer_is_refused(server, client, matrix, fault, error, message):
    tensors = remote(server, client)
    server.faults.append(fault)
    with pytest.raises(error, match=message):
        sampled(tensors)


def test_a_size_that_changes_is_refused(server, client, matrix):
    tensors = remote(server, client)
    server.lies["size"] = 123
    with pytest.raises(CorruptFile, match="has 123 bytes on the server, not the"):
        sampled(tensors)


def test_a_file_that_shrinks_is_refused(server, client, matrix):
    tensors = remote(server, client)
    server.files["/run/step0/model.safetensors"] = b"0123456789"
    with pytest.raises(CorruptFile, match="bytes on the server|has not the"):
        tensors.read("w", rows=np.array([1999]))


def test_a_file_that_vanishes_is_missing(server, client, matrix):
    tensors = remote(server, client)
    server.files.clear()
    with pytest.raises(CheckpointMissing, match=r"is not there \(404\)"):
        sampled(tensors)


def test_a_server_without_ranges_is_not_made_to_send_the_whole_file(server, client, matrix):
    server.lies["no_ranges"] = True
    with pytest.raises(UnsupportedFormat, match="does not answer range requests; download the file first"):
        remote(server, client)


def test_a_server_that_stumbles_at_the_first_question(server, client, matrix):
    server.faults.extend(["refuse", "limit"])
    assert remote(server, client).names() == ("w",)
    assert not server.faults


def test_an_answer_nobody_expects_is_told(server, client, matrix):
    tensors = remote(server, client)
    server.lies["status"] = 418
    with pytest.raises(SourceError, match="the server answers 418"):
        sampled(tensors)
    with pytest.raises(SourceError, match="answers 418 without a length"):
        remote(server, client)


def test_a_file_that_is_gone_when_it_is_opened(server, client):
    with pytest.raises(CheckpointMissing, match="run/step0/x.safetensors is not there"):
        HttpFolder(f"{server.url}/run/step0", client=client).open("x.safetensors")


def test_nothing_there(server, client):
    with pytest.raises(CheckpointMissing, match="has no weights; looked for"):
        remote(server, client)


def test_a_server_that_is_down(client):
    with Loopback() as running:
        url = running.url
    with pytest.raises(SourceError, match=r"cannot be reached: .*, 2 times in a row"):
        HttpFolder(url, retry=RetryPolicy(attempts=2, pause=0.01), client=client).has("model.safetensors")


def test_steps_from_an_index_page(server, matrix):
    content = server.files["/run/step0/model.safetensors"]
    for step in (8, 64):
        server.files[f"/run/step{step}/model.safetensors"] = content
    server.pages["/run/"] = (
        '<a href="../">up</a><a href="?C=N;O=D">Name</a><a href="step64/">step64/</a><a href="/run/step8/">8</a>'
        '<a href="step0/">0</a><a href="step9">a file</a><a href="http://elsewhere/step7/">7</a><a href="logs/">l</a>'
    )
    series = open_series(f"{server.url}/run")
    assert [point.step for point in series.checkpoints] == [0, 8, 64]
    assert series.id == "run"
    assert (sampled(series.at(8).open()) == matrix[ROWS][:, COLUMNS]).all()
    assert [point.step for point in open_series(f"{server.url}/run/step{{n}}").checkpoints] == [0, 8, 64]


def test_weights_that_an_index_page_lists_beside_the_steps_are_told(server, matrix):
    server.pages["/run/"] = (
        '<a href="step0/">0</a><a href="final/">f</a><a href="logs/">l</a><a href="last.ckpt">c</a>'
    )
    server.pages["/run/final/"] = '<a href="model.safetensors">m</a>'
    assert open_series(f"{server.url}/run").left_out == (
        "final/ holds weights and its name tells no step",
        "last.ckpt: beside the steps, and none of them",
    )


def test_a_folder_inside_outlives_the_one_it_was_found_in(server, matrix):
    server.pages["/run/"] = '<a href="step0/">0</a>'
    inside = HttpFolder(f"{server.url}/run", retry=QUICK).inside("step0")
    assert (sampled(open_tensors(inside)) == matrix[ROWS][:, COLUMNS]).all()


def test_one_folder_behind_http_is_one_checkpoint(server, matrix):
    series = open_series(f"{server.url}/run/step0/")
    assert [(point.step, point.revision) for point in series.checkpoints] == [(None, "step0")]


def test_an_address_without_checkpoints_says_what_was_looked_for(server):
    with pytest.raises(CheckpointMissing, match="holds no checkpoint; looked for folders named step"):
        open_series(f"{server.url}/nothing")


def test_an_address_with_a_query_is_refused():
    with pytest.raises(OptionError, match=r"http://host/run: an address with \? or #"):
        open_series("http://host/run?token=secret")


def test_messages_hold_no_secrets():
    assert without_secrets("https://user:pass@host:1/a/b/?token=x#y") == "https://host:1/a/b"


def test_a_password_in_an_address_opens_it_and_is_not_kept(server):
    server.pages["/run/"] = '<a href="step0/">0</a>'
    series = open_series(f"{server.url.replace('http://', 'http://user:secret@')}/run")
    assert [point.step for point in series.checkpoints] == [0]
    assert series.source == f"{server.url}/run"


def test_a_fingerprint_is_made_of_lengths_and_versions(server, matrix):
    server.pages["/run/"] = '<a href="step0/">0</a>'
    server.pages["/run/step0/"] = '<a href="model.safetensors">m</a>'
    before = open_series(f"{server.url}/run").checkpoints[0].fingerprint()
    assert before is not None
    assert open_series(f"{server.url}/run").checkpoints[0].fingerprint() == before
    server.files["/run/step0/model.safetensors"] += b"x"
    assert open_series(f"{server.url}/run").checkpoints[0].fingerprint() != before


def test_without_an_index_page_there_is_no_fingerprint(server, matrix):
    assert open_series(f"{server.url}/run/step0").checkpoints[0].fingerprint() is None
