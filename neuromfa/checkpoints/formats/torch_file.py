"""Files that ``torch.save`` writes: the notes in their pickle become places of tensors; nothing is ever unpickled.

Two containers exist: a zip with one stored entry for each storage (torch 1.6 and later), and before that a
row of five pickles followed by the storages. Both are read through `run_pickle`, which can call nothing.
"""

import io
import struct
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

from neuromfa.checkpoints.formats.archive_member import Member, SourceStream
from neuromfa.checkpoints.formats.dtypes import DTYPES
from neuromfa.checkpoints.formats.restricted_unpickler import Pickled, StorageNote, TensorNote, run_pickle
from neuromfa.checkpoints.formats.stand_ins import refuse_stand_in
from neuromfa.checkpoints.formats.tensor_store import StoredTensor
from neuromfa.checkpoints.transport.byte_source import ByteSource, read_bytes
from neuromfa.errors import CorruptFile, UnsafeFormat, UnsupportedFormat

ZIP_START = b"PK\x03\x04"
LEGACY_MAGIC, LEGACY_PROTOCOL, LEGACY_PICKLES = 0x1950A86A20F9469CFC6C, 1001, 5
LEGACY_START = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
MAX_PICKLE_BYTES = MAX_DIRECTORY_BYTES = 1 << 24
LEGACY_WINDOWS = (1 << 18, 1 << 21, MAX_PICKLE_BYTES)
LOCAL_HEADER = struct.Struct("<4s5H3L2H")
ENCRYPTED, UTF8_NAME = 1, 0x800
# numbers of types that are not read still take room among the storages of a legacy file
WIDTHS = {name: dtype.itemsize for name, dtype in DTYPES.items()} | {"complex64": 8, "complex128": 16}

NESTED = ("state_dict", "model", "module", "model_state_dict", "ema", "ema_state_dict", "model_ema")
"""Keys under which training checkpoints keep the state dict of the model, in the order they are looked for.

Under another key a state dict is read where it is the only one.
"""
DEEPEST = 3
MATRIX_AXES = 2

Tell = Callable[[str], None]


def _untold(sentence: str) -> None:  # noqa: ARG001 - the shape of a Tell
    """Tell nobody."""


def read_torch_file(source: ByteSource, *, tell: Tell = _untold) -> dict[str, StoredTensor]:
    """Return where every tensor of a state dict lies; tied tensors share their bytes.

    A state dict inside a training checkpoint is found under the keys of `NESTED`, in that order, or under the only
    key that has one; what else the checkpoint holds, such as an optimizer's tensors, is never read.

    Parameters
    ----------
    tell : told one sentence where the state dict was found inside

    Raises
    ------
    UnsafeFormat
        The file asks for more than tensors; nothing of it was run.
    UnsupportedFormat, CorruptFile
        A compressed or big-endian archive, or no archive of torch; an archive that contradicts itself.
    """
    start = read_bytes(source, 0, min(source.size, len(LEGACY_START))).tobytes()
    refuse_stand_in(start, name=source.name)
    if start.startswith(ZIP_START):
        return _read_zip(source, tell)
    if start == LEGACY_START:
        return _read_legacy(source, tell)
    if start[:1] == b"\x80":
        raise UnsafeFormat(f"{source.name} is a bare pickle, not a torch archive; nothing of it was run")
    raise UnsupportedFormat(f"{source.name} is not an archive that torch.save writes")


def _read_zip(source: ByteSource, tell: Tell) -> dict[str, StoredTensor]:
    entries = _zip_entries(source)
    prefix = _prefix(source, entries)
    if f"{prefix}constants.pkl" in entries:
        raise UnsafeFormat(f"{source.name} is a TorchScript program, not a state dict; nothing of it was run")
    _refuse_big_endian(source, entries, prefix)
    where = f"{source.name}, {prefix}data.pkl"
    state = run_pickle(io.BytesIO(_read_entry(source, entries[f"{prefix}data.pkl"])), where=where).value
    members: dict[str, Member] = {}

    def member(storage: StorageNote) -> Member:
        entry = entries.get(f"{prefix}data/{storage.key}")
        if entry is None:
            raise CorruptFile(f"{source.name} has no storage {storage.key[:100]}")
        return members.setdefault(storage.key, _entry_member(source, entry))

    notes = _tensor_notes(source, state, tell)
    return {name: _placed(member(note.storage), name, note) for name, note in notes}


def read_one_tensor(source: ByteSource) -> StoredTensor:
    """Return the tensor of an archive that holds one tensor and no state dict; `CorruptFile` for any other."""
    entries = _zip_entries(source)
    prefix = _prefix(source, entries)
    where = f"{source.name}, {prefix}data.pkl"
    note = run_pickle(io.BytesIO(_read_entry(source, entries[f"{prefix}data.pkl"])), where=where).value
    entry = entries.get(f"{prefix}data/{note.storage.key}") if isinstance(note, TensorNote) else None
    if entry is None:
        raise CorruptFile(f"{source.name} does not hold one tensor")
    return _placed(_entry_member(source, entry), "of a chunk", note)


def _zip_entries(source: ByteSource) -> dict[str, zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(SourceStream(source, longest=MAX_DIRECTORY_BYTES)) as archive:
            listing = archive.infolist()
    except (
        zipfile.BadZipFile,
        ValueError,
        struct.error,
        OverflowError,
        NotImplementedError,
        EOFError,
    ) as error:
        raise CorruptFile(f"{source.name} is a zip that cannot be followed: {error}") from error
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in listing:
        if entry.filename in entries:
            raise CorruptFile(f"{source.name} holds {entry.filename[:100]!r} twice")
        entries[entry.filename] = entry
    _refuse_overlap(source, listing)
    return entries


def _refuse_overlap(source: ByteSource, listing: list[zipfile.ZipInfo]) -> None:
    """Refuse entries that share bytes, as the parts of a zip bomb do."""
    places = sorted((entry.header_offset, entry.compress_size, entry.filename) for entry in listing)
    for (start, size, name), (end, _, _) in pairwise([*places, (source.size, 0, "")]):
        if start < 0 or start + LOCAL_HEADER.size + size > end:
            raise CorruptFile(f"{source.name}: entry {name[:100]!r} lies over another or outside the file")


def _prefix(source: ByteSource, entries: Mapping[str, zipfile.ZipInfo]) -> str:
    found = [name for name in entries if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(found) != 1:
        raise UnsupportedFormat(
            f"{source.name} is a zip with {len(found)} entries called */data.pkl; an archive of torch has one"
        )
    return found[0].removesuffix("data.pkl")


def _refuse_big_endian(source: ByteSource, entries: Mapping[str, zipfile.ZipInfo], prefix: str) -> None:
    order = entries.get(f"{prefix}byteorder")
    if order is not None and _read_entry(source, order) != b"little":
        raise UnsupportedFormat(
            f"{source.name} is not little-endian; save it again on a little-endian machine"
        )


def _read_entry(source: ByteSource, entry: zipfile.ZipInfo) -> bytes:
    if entry.file_size > MAX_PICKLE_BYTES:
        raise CorruptFile(
            f"{source.name}: {entry.filename} has {entry.file_size} bytes; at most {MAX_PICKLE_BYTES}"
        )
    member = _entry_member(source, entry)
    return read_bytes(member, 0, member.size).tobytes()


def _entry_member(source: ByteSource, entry: zipfile.ZipInfo) -> Member:
    name = f"{source.name}, {entry.filename[:100]}"
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & ENCRYPTED:
        raise UnsupportedFormat(
            f"{name} is compressed or encrypted; torch.save stores it plainly, so save it again"
        )
    if entry.compress_size != entry.file_size:
        raise CorruptFile(f"{name} claims {entry.file_size} bytes in {entry.compress_size}")
    return Member(source, name=name, size=entry.file_size, locate=partial(_locate_entry, source, entry))


def _locate_entry(source: ByteSource, entry: zipfile.ZipInfo) -> int:
    """Return where the bytes of an entry start; its own header must agree with the directory."""
    listed = entry.orig_filename.encode("utf-8" if entry.flag_bits & UTF8_NAME else "cp437")
    head = read_bytes(source, entry.header_offset, LOCAL_HEADER.size + len(listed)).tobytes()
    header = LOCAL_HEADER.unpack_from(head)
    magic, method, name_length, extra_length = header[0], header[3], int(header[9]), int(header[10])
    as_listed = name_length == len(listed) and head.endswith(listed)
    if magic != ZIP_START or method != zipfile.ZIP_STORED or not as_listed:
        raise CorruptFile(f"{source.name}: directory and entry disagree about {entry.filename[:100]!r}")
    begin: int = entry.header_offset + LOCAL_HEADER.size + name_length + extra_length
    if begin + entry.file_size > source.size:
        raise CorruptFile(f"{source.name} is cut off in {entry.filename[:100]!r}")
    return begin


def _read_legacy(source: ByteSource, tell: Tell) -> dict[str, StoredTensor]:
    pickles, end = _legacy_pickles(source)
    magic, protocol, system, state, keys = (pickled.value for pickled in pickles)
    if magic != LEGACY_MAGIC or protocol != LEGACY_PROTOCOL or not isinstance(system, dict):
        raise CorruptFile(f"{source.name} does not start as a torch file of protocol {LEGACY_PROTOCOL}")
    if system.get("little_endian") is not True:
        raise UnsupportedFormat(
            f"{source.name} is not little-endian; save it again on a little-endian machine"
        )
    members = _legacy_members(source, pickles[3].storages, keys, end)
    notes = _tensor_notes(source, state, tell)
    return {name: _placed(members[note.storage.key], name, note) for name, note in notes}


def _legacy_pickles(source: ByteSource) -> tuple[list[Pickled], int]:
    """Return the five values at the head of the file and where they end, reading no more than needed."""
    for window in LEGACY_WINDOWS:
        stream = io.BytesIO(read_bytes(source, 0, min(window, source.size)).tobytes())
        try:
            return [run_pickle(stream, where=source.name) for _ in range(LEGACY_PICKLES)], stream.tell()
        except CorruptFile:
            if window >= source.size or window == LEGACY_WINDOWS[-1]:
                raise
    raise AssertionError("the last window returns or raises")


def _legacy_members(
    source: ByteSource, storages: Mapping[str, StorageNote], keys: Any, start: int
) -> dict[str, Member]:
    """Return the storages in the order of the file: each a count of 8 bytes, then the numbers."""
    named = isinstance(keys, list) and all(isinstance(key, str) for key in keys)
    if not named or sorted(keys) != sorted(storages):
        raise CorruptFile(f"{source.name} lists other storages than its tensors use")
    members = {}
    for key in keys:
        storage = storages[key]
        size = storage.numel * WIDTHS[storage.dtype or "uint8"]
        locate = partial(_locate_legacy, source, start, storage)
        members[key] = Member(source, name=f"{source.name}, storage {key[:100]}", size=size, locate=locate)
        start += 8 + size
    if start != source.size:
        raise CorruptFile(f"{source.name} has {source.size} bytes; its storages end at {start}")
    return members


def _locate_legacy(source: ByteSource, start: int, storage: StorageNote) -> int:
    count = int.from_bytes(read_bytes(source, start, 8).tobytes(), "little")
    if count != storage.numel:
        raise CorruptFile(
            f"{source.name}: storage {storage.key[:100]} has {count} numbers, not {storage.numel}"
        )
    return start + 8


def _tensor_notes(source: ByteSource, state: Any, tell: Tell) -> list[tuple[str, TensorNote]]:
    """Return the tensors of a state dict; other values in it are no tensors and are left."""
    if not isinstance(state, dict):
        raise UnsupportedFormat(f"{source.name} holds no state dict; save model.state_dict()")
    path, found = _innermost(state)
    notes = [(str(name), note) for name, note in found.items() if isinstance(note, TensorNote)]
    if not notes and len(_other_keys(found)) > 1:
        raise UnsupportedFormat(
            f"{source.name} holds state dicts under {', '.join(_other_keys(found)[:8])}, and nothing tells which is "
            "the model; save the one that is meant by itself"
        )
    if not notes:
        held = ", ".join(str(name)[:60] for name in list(state)[:8])
        raise UnsupportedFormat(
            f"{source.name} holds no tensors at its top nor under {', '.join(NESTED)}, only {held}; "
            "save model.state_dict()"
        )
    if path:
        tell(_nesting_told(state, path))
    return notes


def _innermost(state: dict[Any, Any]) -> tuple[tuple[str, ...], dict[Any, Any]]:
    """Return the state dict inside a training checkpoint and the keys that lead to it, () for a plain one."""
    path: tuple[str, ...] = ()
    while len(path) < DEEPEST:
        key = next((key for key in NESTED if _holds_tensors(state.get(key))), None)
        others = _other_keys(state)
        if key is None and len(others) == 1:
            key = others[0]
        if key is None:
            break
        path, state = (*path, key), state[key]
    return path, state


def _other_keys(state: dict[Any, Any]) -> list[str]:
    """Return the keys, known or not, under which a dict without tensors of its own has state dicts with matrices."""
    if any(isinstance(value, TensorNote) for value in state.values()):
        return []
    return [key for key, value in state.items() if isinstance(key, str) and _has_matrices(key, value)]


def _has_matrices(key: str, value: Any) -> bool:
    inside = value.values() if isinstance(value, dict) and not key.startswith("optim") else ()
    return any(isinstance(each, TensorNote) and len(each.shape) == MATRIX_AXES for each in inside)


def _holds_tensors(value: Any) -> bool:
    """Tell whether a value is a state dict, or has one inside."""
    if not isinstance(value, dict):
        return False
    inside = value.values()
    return any(isinstance(each, TensorNote) for each in inside) or any(
        isinstance(value.get(key), dict) for key in NESTED
    )


def _nesting_told(state: Mapping[Any, Any], path: tuple[str, ...]) -> str:
    others = [key for key in NESTED if key != path[0] and _holds_tensors(state.get(key))]
    beside = f"; also there and not read: {', '.join(others)}" if others else ""
    return f"state dict read from the key {' / '.join(path)}{beside}"


def _placed(member: Member, name: str, note: TensorNote) -> StoredTensor:
    width = WIDTHS.get(note.dtype, 1)
    last = note.offset + sum(
        (size - 1) * stride for size, stride in zip(note.shape, note.strides, strict=True)
    )
    if 0 not in note.shape and (last + 1) * width > member.size:
        raise CorruptFile(
            f"{member.name}: tensor {name[:200]} of shape {note.shape} reaches past its storage"
        )
    return StoredTensor(member, note.dtype, note.shape, note.strides, note.offset * width)
