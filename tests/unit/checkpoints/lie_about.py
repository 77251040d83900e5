"""Checkpoints as they lie about: tiny GPT-NeoX weights laid out as training programs and publishers leave them.

The layouts follow public reports of checkpoints that could not be read; the numbers are drawn here.
"""

import collections
import io
import json
import pickle
import sys
import types
import zipfile
from pathlib import Path

import numpy as np

from .making import safetensors_bytes

HIDDEN, BLOCKS, WIDE = 16, 2, 32
CONFIG = {
    "architectures": ["GPTNeoXForCausalLM"],
    "model_type": "gpt_neox",
    "hidden_size": HIDDEN,
    "num_hidden_layers": BLOCKS,
    "num_attention_heads": 4,
    "intermediate_size": WIDE,
}
STORAGES = {"float32": "FloatStorage", "float16": "HalfStorage", "int64": "LongStorage"}
CODES = {"float32": "F32", "float16": "F16", "int8": "I8", "uint8": "U8", "int32": "I32", "int64": "I64"}


def neox(seed=0, prefix="gpt_neox."):
    """Return the matrices of a small GPT-NeoX by name."""
    draw = np.random.default_rng(seed)
    shapes = {
        "attention.query_key_value": (3 * HIDDEN, HIDDEN),
        "attention.dense": (HIDDEN, HIDDEN),
        "mlp.dense_h_to_4h": (WIDE, HIDDEN),
        "mlp.dense_4h_to_h": (HIDDEN, WIDE),
    }
    return {
        f"{prefix}layers.{block}.{name}.weight": draw.normal(size=shape).astype(np.float32)
        for block in range(BLOCKS)
        for name, shape in shapes.items()
    } | {"embed_out.weight": draw.normal(size=(8, HIDDEN)).astype(np.float32)}


def write_config(folder, config=CONFIG):
    """Write config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def write_weights(path, tensors, codes=None):
    """Write safetensors; `codes` says the format of arrays that numpy calls otherwise, such as F8_E4M3."""
    header, data = {}, b""
    for name, array in tensors.items():
        end = len(data) + array.nbytes
        code = (codes or {}).get(name) or CODES[array.dtype.name]
        header[name] = {"dtype": code, "shape": list(array.shape), "data_offsets": [len(data), end]}
        data += np.ascontiguousarray(array).tobytes()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(safetensors_bytes(header, data))


def write_model(folder, tensors=None, config=CONFIG):
    """Write a checkpoint of safetensors and config.json."""
    write_weights(folder / "model.safetensors", neox() if tensors is None else tensors)
    return write_config(folder, config)


def write_torch(path, value):
    """Write a file as torch.save does, without torch: a zip of a pickle and one entry for each storage."""
    arrays = []
    path.parent.mkdir(parents=True, exist_ok=True)
    with pretended_torch() as named:
        pickled = _pickled(value, arrays, named)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/byteorder", "little")
        for key, array in enumerate(arrays):
            archive.writestr(f"archive/data/{key}", array.tobytes())
        archive.writestr("archive/version", "3\n")
    return path


class pretended_torch:
    """Modules called torch for as long as a pickle is written: pickling looks the names up that it writes."""

    def __init__(self, *more):
        self._modules = ("torch", "torch._utils", *more)

    def __enter__(self):
        self._before = {name: sys.modules.get(name) for name in self._modules}
        for name in self._before:
            sys.modules[name] = types.ModuleType(name)
        return self._named

    def __exit__(self, *_):
        for name, module in self._before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module

    @staticmethod
    def _named(module, name, kind):
        home = sys.modules[module]
        if not hasattr(home, name):
            made = type(name, (), {}) if kind is type else types.FunctionType((lambda: None).__code__, {})
            made.__module__, made.__name__, made.__qualname__ = module, name, name
            setattr(home, name, made)
        return getattr(home, name)


class _Storage:
    def __init__(self, key, array):
        self.key, self.array = key, array


def _pickled(value, arrays, named):
    class Tensor:
        def __init__(self, array):
            self.array = np.ascontiguousarray(array)

        def __reduce__(self):
            key = str(len(arrays))
            arrays.append(self.array)
            strides = tuple(step // self.array.itemsize for step in self.array.strides)
            build = named("torch._utils", "_rebuild_tensor_v2", types.FunctionType)
            storage = _Storage(key, self.array)
            return build, (storage, 0, self.array.shape, strides, False, collections.OrderedDict())

    class Pickler(pickle.Pickler):
        def persistent_id(self, item):
            if not isinstance(item, _Storage):
                return None
            kind = named("torch", STORAGES[item.array.dtype.name], type)
            return ("storage", kind, item.key, "cpu", item.array.size)

    def noted(item):
        if isinstance(item, np.ndarray):
            return Tensor(item)
        if isinstance(item, dict):
            return {key: noted(each) for key, each in item.items()}
        return [noted(each) for each in item] if isinstance(item, list) else item

    out = io.BytesIO()
    Pickler(out, 2).dump(noted(value))
    return out.getvalue()
