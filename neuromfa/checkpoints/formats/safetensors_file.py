"""Safetensors: the header, checked before a single number is believed, becomes the places of its tensors."""

from math import prod
from typing import Any

from neuromfa.checkpoints.formats.dtypes import DTYPES
from neuromfa.checkpoints.formats.stand_ins import refuse_stand_in
from neuromfa.checkpoints.formats.strict_json import parse_object
from neuromfa.checkpoints.formats.tensor_store import StoredTensor, row_major
from neuromfa.checkpoints.transport.byte_source import ByteSource, read_bytes
from neuromfa.errors import CorruptFile

LENGTH_BYTES = 8
MAX_HEADER_BYTES = 100_000_000
MAX_DIMENSIONS = 32
METADATA = "__metadata__"

CODES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}


def read_safetensors(source: ByteSource) -> dict[str, StoredTensor]:
    """Return where every tensor of a safetensors file lies.

    Raises
    ------
    CorruptFile
        Naming file, tensor and fault: a header longer than 100 MB or than the file, broken JSON or doubled
        names, a shape that does not fit its bytes, ranges outside the file or over one another.
    """
    start = LENGTH_BYTES + _header_length(source)
    header = _header(source, start)
    tensors = {name: _placed(source, name, entry, start) for name, entry in header.items()}
    _refuse_overlap(source, {name: entry["data_offsets"] for name, entry in header.items()})
    return tensors


def _header_length(source: ByteSource) -> int:
    if source.size < LENGTH_BYTES:
        raise CorruptFile(f"{source.name} has {source.size} bytes: too short for a safetensors file")
    start = read_bytes(source, 0, LENGTH_BYTES).tobytes()
    refuse_stand_in(start, name=source.name)
    length = int.from_bytes(start, "little")
    if length > MAX_HEADER_BYTES:
        raise CorruptFile(
            f"{source.name} claims a header of {length} bytes; at most {MAX_HEADER_BYTES} are read"
        )
    if LENGTH_BYTES + length > source.size:
        raise CorruptFile(
            f"{source.name} is cut off: a header of {length} bytes, {source.size} bytes in the file"
        )
    return length


def _header(source: ByteSource, end: int) -> dict[str, Any]:
    text = read_bytes(source, LENGTH_BYTES, end - LENGTH_BYTES).tobytes()
    header = parse_object(text, where=f"the header of {source.name}")
    return {name: entry for name, entry in header.items() if name != METADATA}


def _placed(source: ByteSource, name: str, entry: Any, start: int) -> StoredTensor:
    where = f"{source.name}, tensor {name[:200]}"
    if not isinstance(entry, dict) or not {"dtype", "shape", "data_offsets"} <= set(entry):
        raise CorruptFile(f"{where}: its entry has no dtype, shape and data_offsets")
    shape, (begin, end) = _shape(where, entry["shape"]), _offsets(where, entry["data_offsets"])
    if end > source.size - start:
        raise CorruptFile(
            f"{where}: ends at byte {end} of {source.size - start} bytes of data; the file is cut off"
        )
    dtype = CODES.get(entry["dtype"] if isinstance(entry["dtype"], str) else "", str(entry["dtype"])[:40])
    if dtype in DTYPES and prod(shape) * DTYPES[dtype].itemsize != end - begin:
        raise CorruptFile(f"{where}: {dtype} of shape {shape} does not take {end - begin} bytes")
    return StoredTensor(source, dtype, shape, row_major(shape), start + begin)


def _shape(where: str, shape: Any) -> tuple[int, ...]:
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS or not all(map(_is_natural, shape)):
        raise CorruptFile(f"{where}: its shape is not a list of sizes")
    return tuple(shape)


def _offsets(where: str, offsets: Any) -> tuple[int, int]:
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(map(_is_natural, offsets)):
        raise CorruptFile(f"{where}: its data_offsets are not two numbers from 0")
    begin, end = offsets
    if begin > end:
        raise CorruptFile(f"{where}: its data_offsets run backwards, {begin} to {end}")
    return begin, end


def _is_natural(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _refuse_overlap(source: ByteSource, offsets: dict[str, list[int]]) -> None:
    """Refuse bytes that belong to two tensors; an empty tensor lies over nothing."""
    ranges = sorted((begin, end, name) for name, (begin, end) in offsets.items() if begin < end)
    for (_, end, name), (begin, _, other) in zip(ranges, ranges[1:], strict=False):
        if begin < end:
            raise CorruptFile(f"{source.name}: tensors {name[:200]} and {other[:200]} lie over one another")
