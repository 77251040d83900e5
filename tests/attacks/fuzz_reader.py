"""A fuzz target: any bytes whatever are either read or refused with a `SourceError`, by all readers of files.

``python -m tests.attacks.fuzz_reader CORPUS -max_total_time=60`` runs atheris, a tool that is not installed by
default; `test_fuzz.py` runs the same target for a few seconds with plain mutations.
"""

import inspect
import sys
from pathlib import Path

import numpy as np

from neuromfa.checkpoints.formats.safetensors_file import read_safetensors
from neuromfa.checkpoints.formats.tensor_store import FileTensors
from neuromfa.checkpoints.formats.torch_file import read_torch_file
from neuromfa.checkpoints.transport.byte_source import LOCAL_BATCH_BYTES, Traffic
from neuromfa.errors import SourceError

DATA = Path(__file__).parents[1] / "data" / "tensors"
READERS = (read_safetensors, read_torch_file)


class BytesInMemory:
    """A file in memory; a `ByteSource` that insists on being asked only for what it has."""

    batch_bytes = LOCAL_BATCH_BYTES

    def __init__(self, content):
        self.name = "fuzzed"
        self.size = len(content)
        self.traffic = Traffic()
        self._content = np.frombuffer(content, np.uint8)

    def gap(self, starts, length):
        return 1 << 14

    def read_into(self, starts, lengths, buffer):
        position = 0
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
            assert 0 <= start <= start + length <= self.size, "a reader asks for bytes outside its file"
            buffer[position : position + length] = self._content[start : start + length]
            position += length

    def close(self):
        pass


def read_everything(content, reader):
    """Read all tensors of a file, whole and by one row; return whether it was read or refused."""
    source = BytesInMemory(content)
    try:
        placed = reader(source)
        tensors = FileTensors(name="fuzzed", tensors=placed, sources=[source], config={})
    except SourceError:
        return False
    for name in tensors.names():
        shape = tensors.info(name).shape
        try:
            whole = tensors.read(name)
            assert whole.shape == shape
            if whole.ndim:
                last = np.array([shape[0] - 1])
                assert tensors.read(name, rows=last).tobytes() == whole[last].tobytes()
        except SourceError:
            continue
    return True


def seeds():
    """Return whole files of every kind, as the starting points of mutations."""
    return [path.read_bytes() for path in sorted(DATA.rglob("*")) if path.suffix in (".safetensors", ".bin")]


def fuzz_one(content):
    """Give the bytes to both readers."""
    for reader in READERS:
        read_everything(content, reader)


def main():
    """Run atheris until its time is up."""
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed: python -m pip install atheris")
    for module in (
        "strict_json",
        "safetensors_file",
        "torch_file",
        "pickle_machine",
        "members",
        "tensors",
        "ranges",
    ):
        for thing in vars(sys.modules[f"neuromfa.checkpoints.{module}"]).values():
            for function in (thing, *(vars(thing).values() if inspect.isclass(thing) else ())):
                if inspect.isfunction(function) and function.__module__.startswith("neuromfa.checkpoints."):
                    atheris.instrument_func(function)
    corpus = Path(sys.argv.pop(1)) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None
    if corpus:
        corpus.mkdir(parents=True, exist_ok=True)
        for place, content in enumerate(seeds()):
            (corpus / f"seed{place}").write_bytes(content)
    atheris.Setup([*sys.argv, *([str(corpus)] if corpus else [])], fuzz_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
