"""A checkpoint in memory, for tests that need odd tensors rather than files."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from neuromfa.checkpoints.formats.tensor_store import TensorInfo


class MemoryTensors:
    """A TensorStore over arrays."""

    def __init__(self, tensors: Mapping[str, np.ndarray], config: Mapping[str, Any] | None = None) -> None:
        self.tensors = dict(tensors)
        self.config = dict(config or {})
        self.name = "memory"
        self.notes = ()
        self.bytes_read = 0
        self.requests = 0

    def names(self):
        return tuple(sorted(self.tensors))

    def info(self, name):
        return TensorInfo(str(self.tensors[name].dtype), self.tensors[name].shape)

    def read(self, name, *, rows=None, columns=None):
        array = self.tensors[name]
        array = array if rows is None else array[rows]
        array = array if columns is None else array[:, columns]
        self.bytes_read += array.nbytes
        self.requests += 1
        return array

    def close(self):
        pass
