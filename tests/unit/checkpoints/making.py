"""Files for the readers' tests, written byte by byte so that each can be wrong in one chosen way."""

import json
from pathlib import Path

import numpy as np

DATA = Path(__file__).parents[2] / "data" / "tensors"
CODES = {"float64": "F64", "float32": "F32", "float16": "F16", "uint16": "BF16", "int64": "I64"}


def entry(code="F32", shape=(2, 3), offsets=(0, 24)):
    """Return a header entry."""
    return {"dtype": code, "shape": list(shape), "data_offsets": list(offsets)}


def safetensors_bytes(header, data=b"", *, length=None):
    """Return a file with any header (a dict, or the text itself) and any claimed header length."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def write_tensors(path, arrays):
    """Write arrays as a right safetensors file; uint16 arrays count as bfloat16."""
    header, data = {}, b""
    for name, array in arrays.items():
        end = len(data) + array.nbytes
        header[name] = entry(CODES[str(array.dtype)], array.shape, (len(data), end))
        data += np.ascontiguousarray(array).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(safetensors_bytes(header, data))
    return path


def write_step(folder, value=1.0):
    """Write a checkpoint of one small matrix."""
    write_tensors(folder / "model.safetensors", {"w": np.full((4, 3), value, np.float32)})
    (folder / "config.json").write_text('{"model_type": "none"}')
    return folder
