"""Folders of torch.distributed.checkpoint: ``.metadata`` tells where the chunks of every tensor lie.

Each chunk is an archive of torch.save inside one of the ``.distcp`` files; it is opened when it is first read.
"""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

from neuromfa.checkpoints.formats.archive_member import Member
from neuromfa.checkpoints.formats.dtypes import DTYPES
from neuromfa.checkpoints.formats.recipes import Chunk, Chunked
from neuromfa.checkpoints.formats.restricted_unpickler import Named, Record, run_pickle
from neuromfa.checkpoints.formats.tensor_names import with_plain_names
from neuromfa.checkpoints.formats.tensor_store import StoredTensor, row_major
from neuromfa.checkpoints.formats.torch_file import MAX_PICKLE_BYTES, read_one_tensor
from neuromfa.checkpoints.transport.byte_source import ByteSource, read_bytes
from neuromfa.checkpoints.transport.folder import Folder
from neuromfa.errors import CheckpointMissing, CorruptFile, UnsafeFormat, UnsupportedFormat

METADATA = ".metadata"
FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}\.distcp")
OPTIMIZER = ("optim.", "optimizer.")

Sizes = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Distributed:
    """The tensors of a folder.

    Attributes
    ----------
    tensors : where each chunk lies, or a tensor that is one chunk
    recipes : how tensors are put together from chunks, by name
    hidden : names of the chunks
    notes : what was done
    """

    tensors: dict[str, StoredTensor]
    recipes: dict[str, Chunked]
    hidden: frozenset[str]
    notes: list[str]


def read_distributed(folder: Folder, sources: list[ByteSource]) -> Distributed:
    """Return the tensors of the model; every file opened is added to `sources`, nothing of an optimizer is read.

    Raises
    ------
    UnsafeFormat : the metadata asks for more than tensors need; nothing of it was run
    CorruptFile, CheckpointMissing : metadata that contradicts itself; a file that is not there
    """
    where = f"{folder.name}/{METADATA}"
    state = _metadata(folder, where)
    entries = {
        str(name): entry
        for name, entry in state["state_dict_metadata"].items()
        if not str(name).startswith(OPTIMIZER)
    }
    plain, renamed = with_plain_names(entries)
    original = dict(zip(plain, entries, strict=True))
    files: dict[str, ByteSource] = {}

    def opened(filename: Any) -> ByteSource:
        if not isinstance(filename, str) or not FILE_NAME.fullmatch(filename):
            raise UnsafeFormat(
                f"{where} names the file {str(filename)[:200]!r}; only files beside it are read"
            )
        if filename not in files:
            if not folder.has(filename):
                raise CheckpointMissing(f"{folder.name} lacks {filename}, which its metadata names; fetch it")
            files[filename] = folder.open(filename)
            sources.append(files[filename])
        return files[filename]

    tensors: dict[str, StoredTensor] = {}
    recipes = {}
    for name, entry in plain.items():
        if not isinstance(entry, Record) or entry.name != "TensorStorageMetadata":
            continue
        chunked, parts = _tensor(name, original[name], entry.state, state["storage_data"], opened, where)
        tensors |= parts
        if chunked is not None:
            recipes[name] = chunked
    hidden = frozenset(chunk.name for recipe in recipes.values() for chunk in recipe.chunks)
    notes = [f"{len(files)} files of torch.distributed.checkpoint read", *([renamed] if renamed else [])]
    return Distributed(tensors, recipes, hidden, notes)


def _metadata(folder: Folder, where: str) -> dict[str, Any]:
    source = folder.open(METADATA)
    try:
        if source.size > MAX_PICKLE_BYTES:
            raise CorruptFile(f"{where} has {source.size} bytes; at most {MAX_PICKLE_BYTES} are read")
        content = read_bytes(source, 0, source.size).tobytes()
    finally:
        source.close()
    value = run_pickle(io.BytesIO(content), where=where, records=True).value
    state = value.state if isinstance(value, Record) and value.name == "Metadata" else None
    parts = ("state_dict_metadata", "storage_data")
    if not isinstance(state, dict) or not all(isinstance(state.get(part), dict) for part in parts):
        raise CorruptFile(f"{where} does not say which tensors there are and where they lie")
    return state


def _tensor(
    name: str, original: str, state: Any, places: Mapping[Any, Any], opened: Any, where: str
) -> tuple[Chunked | None, dict[str, StoredTensor]]:
    """Return how a tensor is put together (None where it is one chunk), and where its chunks lie."""
    try:
        dtype, shape = _dtype(state["properties"]), _sizes(state["size"])
        chunks = [(_sizes(each.state["offsets"]), _sizes(each.state["sizes"])) for each in state["chunks"]]
        found = [places[(original, *offsets)].state for offsets, _ in chunks]
        spans = [(opened(each["relative_path"]), int(each["offset"]), int(each["length"])) for each in found]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CorruptFile(f"{where} does not describe tensor {name[:200]} as torch does") from error
    _check_chunks(chunks, shape, f"{where}, tensor {name[:200]}")
    if any(place.get("transform_descriptors") for place in found):
        raise UnsupportedFormat(f"{where}: tensor {name[:200]} is compressed; save it again without")
    stored = [
        _stored(f"{name} at {offsets}", span, dtype, sizes)
        for span, (offsets, sizes) in zip(spans, chunks, strict=True)
    ]
    if len(chunks) == 1:
        return None, {name: stored[0]}
    parts = tuple(Chunk(f"{name} at {offsets}", offsets, sizes) for offsets, sizes in chunks)
    return Chunked(parts, shape), {part.name: each for part, each in zip(parts, stored, strict=True)}


def _dtype(properties: Any) -> str:
    """Return torch's name of the number format, first of what the properties keep."""
    kept = properties.state
    first = kept["dtype"] if isinstance(kept, dict) else kept[0]
    return str(first.name) if isinstance(first, Named) else str(first)


def _sizes(value: Any) -> Sizes:
    if not isinstance(value, tuple) or not all(type(size) is int and 0 <= size < 2**63 for size in value):
        raise TypeError("not sizes")
    return value


def _check_chunks(chunks: list[tuple[Sizes, Sizes]], shape: Sizes, where: str) -> None:
    """Refuse chunks that do not tile their tensor, and those that cut it along a third axis."""
    whole = [offsets[2:] == (0,) * len(shape[2:]) and sizes[2:] == shape[2:] for offsets, sizes in chunks]
    if not all(whole):
        raise UnsupportedFormat(f"{where} is cut along its third axis, which is not read")
    inside = all(
        len(offsets) == len(sizes) == len(shape)
        and all(begin + size <= end for begin, size, end in zip(offsets, sizes, shape, strict=True))
        for offsets, sizes in chunks
    )
    distinct = len({offsets for offsets, _ in chunks}) == len(chunks)
    if not chunks or not inside or not distinct or sum(prod(sizes) for _, sizes in chunks) != prod(shape):
        raise CorruptFile(f"{where}: its chunks do not make up its shape {shape}")


def _stored(name: str, span: tuple[ByteSource, int, int], dtype: str, sizes: Sizes) -> StoredTensor:
    """Return a chunk as a tensor whose numbers are found when they are first read."""
    source, offset, length = span
    width = DTYPES[dtype].itemsize if dtype in DTYPES else 1
    where = f"{source.name}, {name[:200]}"
    locate = partial(_locate, source, offset, length, where, dtype, sizes)
    member = Member(source, name=where, size=prod(sizes) * width, locate=locate)
    return StoredTensor(member, dtype, sizes, row_major(sizes), 0)


def _locate(source: ByteSource, offset: int, length: int, where: str, dtype: str, sizes: Sizes) -> int:
    """Return where the numbers of a chunk start in its file, once its archive agrees with the metadata."""
    if offset < 0 or length < 0 or offset + length > source.size:
        raise CorruptFile(f"{where} lies outside the file's {source.size} bytes")
    archive = Member(source, name=where, size=length, locate=lambda: offset)
    tensor = read_one_tensor(archive)
    if (tensor.dtype, tensor.shape) != (dtype, sizes):
        raise CorruptFile(
            f"{where} is {tensor.dtype} of shape {tensor.shape}, the metadata says {dtype} of {sizes}"
        )
    if tensor.strides != row_major(sizes):
        raise UnsupportedFormat(f"{where} does not lie row by row, which is not read")
    assert isinstance(tensor.source, Member)
    return offset + tensor.source.start + tensor.offset
