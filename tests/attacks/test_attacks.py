"""Every exploit is refused by name, runs nothing and leaves no trace; README.md has the verdict on each."""

import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from neuromfa.checkpoints.formats.open_tensors import open_tensors
from neuromfa.checkpoints.series import open_series
from neuromfa.checkpoints.transport.folder import LocalFolder
from neuromfa.errors import (
    CorruptFile,
    NeuroMFAError,
    OptionError,
    SourceError,
    UnsafeFormat,
    UnsupportedFormat,
)

from . import exploits
from .exploits import legacy, state, tensor, torch_zip, touches, write_bin, write_index

README = Path(__file__).with_name("README.md").read_text()
CONTAINERS = {"zip": torch_zip, "legacy": legacy, "bare": bytes}
LIVE = sorted(touches("x"))
GADGETS = sorted(exploits.gadgets("x"))
TRICKS = sorted(exploits.tricks())
ZIP_VERDICTS = {
    "compressed": (UnsupportedFormat, "compressed or encrypted"),
    "bomb": (UnsupportedFormat, "compressed or encrypted"),
    "nested zip": (CorruptFile, "not a pickle"),
    "two pickles of one name": (CorruptFile, "twice"),
    "two archives in one": (UnsupportedFormat, "2 entries"),
    "header and directory disagree": (CorruptFile, "disagree"),
    "entries over one another": (CorruptFile, "lies over another"),
    "encrypted": (UnsupportedFormat, "compressed or encrypted"),
    "TorchScript": (UnsafeFormat, "TorchScript"),
    "cut off": (CorruptFile, "zip that cannot be followed"),
    "only a start": (CorruptFile, "zip that cannot be followed"),
    "no entries": (UnsupportedFormat, "0 entries"),
    "big-endian": (UnsupportedFormat, "little-endian"),
}


@pytest.fixture
def sentinel(tmp_path):
    """A file that must never appear."""
    path = tmp_path / "sentinel"
    yield path
    assert not path.exists(), "the exploit ran"


@pytest.mark.filterwarnings("ignore:Exception ignored in")
@pytest.mark.parametrize("trick", LIVE)
def test_the_exploits_are_live(tmp_path, trick):
    sentinel = tmp_path / "sentinel"
    pickle.loads(touches(sentinel)[trick])
    assert sentinel.exists()


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("trick", LIVE)
def test_a_pickle_that_runs_code_is_unsafe(tmp_path, sentinel, container, trick):
    folder = write_bin(tmp_path / "model", CONTAINERS[container](touches(sentinel)[trick]))
    refusal = UnsupportedFormat if container == "bare" and trick == "INST" else UnsafeFormat
    with pytest.raises(refusal, match="pytorch_model.bin"):
        open_tensors(LocalFolder(folder))


@pytest.mark.parametrize("container", ["zip", "legacy"])
@pytest.mark.parametrize("gadget", GADGETS)
def test_gadgets_of_torch_and_others_are_unsafe(tmp_path, sentinel, container, gadget):
    folder = write_bin(tmp_path / "model", CONTAINERS[container](exploits.gadgets(sentinel)[gadget]))
    with pytest.raises(UnsafeFormat, match="nothing of it was run"):
        open_tensors(LocalFolder(folder))


@pytest.mark.parametrize("gadget", GADGETS)
def test_gadgets_in_the_metadata_of_a_distributed_checkpoint_are_unsafe(tmp_path, sentinel, gadget):
    (tmp_path / ".metadata").write_bytes(exploits.gadgets(sentinel)[gadget])
    (tmp_path / "__0_0.distcp").write_bytes(b"")
    with pytest.raises((UnsafeFormat, CorruptFile)):
        open_tensors(LocalFolder(tmp_path))
    assert not sentinel.exists()


@pytest.mark.parametrize("container", ["zip", "legacy"])
@pytest.mark.parametrize("trick", TRICKS)
def test_misuse_of_what_is_allowed_is_unsafe(tmp_path, container, trick):
    folder = write_bin(tmp_path / "model", CONTAINERS[container](exploits.tricks()[trick]))
    with pytest.raises(UnsafeFormat):
        open_tensors(LocalFolder(folder))


def test_misuse_leaves_the_modules_as_they_were(tmp_path):
    import collections

    from neuromfa.checkpoints.formats import restricted_unpickler

    before = dict(vars(restricted_unpickler)), dict(vars(collections.OrderedDict))
    for pickled in exploits.tricks().values():
        with pytest.raises(UnsafeFormat):
            open_tensors(LocalFolder(write_bin(tmp_path, torch_zip(pickled))))
    assert (dict(vars(restricted_unpickler)), dict(vars(collections.OrderedDict))) == before


@pytest.mark.parametrize("trick", ZIP_VERDICTS)
def test_zip_tricks(tmp_path, trick):
    error, message = ZIP_VERDICTS[trick]
    folder = write_bin(tmp_path / "model", exploits.zip_tricks()[trick])
    with pytest.raises(error, match=message):
        tensors = open_tensors(LocalFolder(folder))
        tensors.read("w")
    assert set(ZIP_VERDICTS) == set(exploits.zip_tricks())


def test_the_makers_make_files_that_are_read_when_nothing_is_wrong(tmp_path):
    numbers = np.arange(6, dtype="<f4")
    good = state(("w", tensor()), ("tied", tensor(shape=(3, 2), strides=(1, 3))))
    for make in (
        lambda: torch_zip(good, storage=numbers.tobytes()),
        lambda: legacy(good, tail=numbers.tobytes()),
    ):
        tensors = open_tensors(LocalFolder(write_bin(tmp_path / "model", make())))
        assert tensors.read("w").tolist() == [[0, 1, 2], [3, 4, 5]]
        assert tensors.read("tied").tolist() == [[0, 3], [1, 4], [2, 5]]


LIES = {
    "past the storage": (tensor(shape=(3, 3)), "reaches past its storage"),
    "offset past the storage": (tensor(offset=2**40), "reaches past its storage"),
    "negative offset": (tensor(offset=-1), "without type, offset"),
    "negative stride": (tensor(strides=(-3, 1)), "without type, offset"),
    "negative size": (tensor(shape=(-2, 3)), "without type, offset"),
    "shape wraps 2^64": (tensor(shape=(2**62, 8)), "reaches past its storage"),
    "strides of another rank": (tensor(strides=(1,)), "without type, offset"),
    "storage that is not there": (tensor(key="7"), "no storage 7|lists other storages"),
    "storage key with a path": (tensor(key="../../x"), "no storage|lists other storages"),
    "builder with too much": (tensor(tail=b"NNN"), "in a way tensors do not need"),
    "storage of no type": (
        tensor(storage=("torch._utils", "_rebuild_parameter")),
        "without type, key and size",
    ),
    "typeless storage": (tensor(storage=("torch.storage", "UntypedStorage")), "without type"),
}


@pytest.mark.parametrize("container", ["zip", "legacy"])
@pytest.mark.parametrize("lie", LIES)
def test_tensors_that_lie(tmp_path, container, lie):
    instructions, message = LIES[lie]
    folder = write_bin(tmp_path / "model", CONTAINERS[container](state(("w", instructions))))
    with pytest.raises(SourceError, match=message):
        open_tensors(LocalFolder(folder))


def test_one_number_repeated_a_million_million_times_takes_no_memory(tmp_path):
    folder = write_bin(tmp_path, torch_zip(state(("w", tensor(shape=(2**20, 2**20), strides=(0, 0))))))
    tensors = open_tensors(LocalFolder(folder))
    with pytest.raises(CorruptFile, match="repeats its 1 numbers"):
        tensors.read("w")


BROKEN = {
    "empty": b"",
    "no STOP": b"\x80\x02}",
    "nothing left": b"\x80\x02}0.",
    "two values": b"\x80\x02}}.",
    "text longer than the file": b"\x80\x02X\xff\xff\xff\x7fab.",
    "text of 2^63": b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7fab.",
    "memo that is empty": b"\x80\x02h\x07.",
    "mark that is missing": b"\x80\x02t.",
    "pair without a value": b"\x80\x02}(" + exploits.text("a") + b"u.",
    "item of a number": b"\x80\x02K\x01K\x01a.",
    "doubled name": state(("w", tensor()), ("w", tensor())),
    "not utf-8": b"\x80\x02X\x02\x00\x00\x00\xff\xfe.",
    "unknown instruction": b"\x80\x02\xff.",
    "two thoughts on one storage": state(("a", tensor()), ("b", tensor(numel=7))),
}


@pytest.mark.parametrize("container", ["zip", "legacy"])
@pytest.mark.parametrize("fault", BROKEN)
def test_broken_pickles_are_refused(tmp_path, container, fault):
    folder = write_bin(tmp_path / "model", CONTAINERS[container](BROKEN[fault]))
    with pytest.raises((CorruptFile, UnsafeFormat)):
        open_tensors(LocalFolder(folder))


def test_deep_and_circular_values_do_not_break_the_machine(tmp_path):
    deep = (
        b"\x80\x02}("
        + exploits.text("deep")
        + b"]" * 200_000
        + b"a" * 199_999
        + exploits.text("w")
        + tensor()
        + b"u."
    )
    circular = b"\x80\x02}q\x00(" + exploits.text("self") + b"h\x00" + exploits.text("w") + tensor() + b"u."
    for pickled in (deep, circular):
        tensors = open_tensors(LocalFolder(write_bin(tmp_path, torch_zip(pickled))))
        assert tensors.names() == ("w",)


LEGACY_LIES = {
    "count differs": (legacy(state(("w", tensor())), count=7), "has 7 numbers, not 6"),
    "too short": (legacy(state(("w", tensor())), tail=bytes(20)), "its storages end at"),
    "too long": (legacy(state(("w", tensor())), tail=bytes(28)), "its storages end at"),
    "keys are no list": (legacy(state(("w", tensor())), keys=[("0",)]), "lists other storages"),
}


@pytest.mark.parametrize("lie", LEGACY_LIES)
def test_old_files_that_lie(tmp_path, lie):
    content, message = LEGACY_LIES[lie]
    with pytest.raises(CorruptFile, match=message):
        open_tensors(LocalFolder(write_bin(tmp_path, content))).read("w")


@pytest.mark.parametrize(
    ("pickled", "message"),
    [
        (b"\x80\x02].", "holds no state dict"),
        (b"\x80\x02}.", "holds no tensors at its top"),
        (
            b"\x80\x02}" + exploits.text("optimizer") + b"}" + exploits.text("w") + tensor() + b"ss.",
            "only optimizer; save",
        ),
    ],
)
def test_what_is_no_state_dict_says_what_to_save(tmp_path, pickled, message):
    with pytest.raises(UnsupportedFormat, match=message):
        open_tensors(LocalFolder(write_bin(tmp_path, torch_zip(pickled))))


@pytest.mark.parametrize(
    "shard", ["../model/pytorch_model.bin", "/etc/passwd", "~/x.bin", "a/b.bin", "%2e%2e/x.bin"]
)
def test_an_index_cannot_leave_its_folder(tmp_path, shard):
    write_bin(tmp_path / "model", torch_zip(state(("w", tensor()))))
    with pytest.raises(UnsafeFormat, match="only files beside it are read"):
        open_tensors(LocalFolder(write_index(tmp_path / "index", shard)))


@pytest.mark.parametrize(
    "source",
    [
        "../../etc",
        "a/b/c",
        "a--b/c",
        ".git",
        "a/..",
        "x" * 200,
        "datasets/a/b",
        "a b",
        "-rf",
        "a/b.git",
        "ab\n",
    ],
)
def test_what_is_no_repository_never_reaches_the_hub(source, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("neuromfa.checkpoints.transport.hub.HfApi", None)
    with pytest.raises(NeuroMFAError, match="does not exist|holds no checkpoint"):
        open_series(source)


@pytest.mark.parametrize(
    "revision",
    ["../main", "a/../../b", "-x", "/etc", "a b", "x?y", "x#y", "", "a//b", "refs\n", "r" * 300, "%2e%2e"],
)
def test_what_is_no_revision_never_reaches_the_hub(revision, monkeypatch):
    monkeypatch.setattr("neuromfa.checkpoints.transport.hub.HfApi", None)
    with pytest.raises(OptionError, match="not the name of a branch, a tag or a commit"):
        open_series("someone/something", revision=revision)


def test_no_source_file_unpickles_or_trusts_remote_code():
    package = Path(__file__).parents[2] / "neuromfa"
    forbidden = re.compile(
        r"\b(pickle\.|import pickle\b|from pickle\b|torch\.load|joblib|dill|marshal)|weights_only=False"
        r"|trust_remote_code=True|allow_pickle=True"
    )
    for path in package.rglob("*.py"):
        assert not forbidden.search(path.read_text()), path


def made(kind):
    """Return every exploit of a kind, as a file."""
    if kind in ("live", "gadgets", "tricks"):
        makers = {"live": touches("x"), "gadgets": exploits.gadgets("x"), "tricks": exploits.tricks()}
        return {trick: torch_zip(pickled) for trick, pickled in makers[kind].items()}
    if kind == "lies":
        return {lie: torch_zip(state(("w", instructions))) for lie, (instructions, _) in LIES.items()}
    if kind == "broken":
        return {fault: torch_zip(pickled) for fault, pickled in BROKEN.items()}
    return (
        exploits.zip_tricks()
        if kind == "zip"
        else {lie: content for lie, (content, _) in LEGACY_LIES.items()}
    )


@pytest.mark.parametrize("kind", ["live", "gadgets", "tricks", "zip", "lies", "broken", "legacy"])
def test_the_readme_gives_the_right_verdict_on_every_exploit(tmp_path, kind):
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in README.splitlines() if " | " in line}
    for trick, content in made(kind).items():
        with pytest.raises(SourceError) as refused:
            open_tensors(LocalFolder(write_bin(tmp_path, content))).read("w")
        assert f"`{type(refused.value).__name__}`" in rows[trick], trick
