"""What it costs to sample a checkpoint of 1.4 billion weights: bytes, memory, time, on disk and over HTTP.

``python -m benchmarks.bench_reading --torch-python PYTHON`` writes reading.csv and reading_torch.csv of
benchmarks/results. A file of 2.8 GB in the shape of Pythia-1.4B is made in a temporary folder and deleted afterwards.
The comparison with transformers needs a Python that has torch and transformers; without one it is left out, and its
file stays as it was.
"""

import argparse
import csv
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from neuromfa.checkpoints.formats.dtypes import AnyArray
from neuromfa.checkpoints.formats.tensor_store import TensorInfo, TensorStore
from neuromfa.checkpoints.sampling.networks import sample_checkpoint
from neuromfa.checkpoints.series import Checkpoint, open_series
from neuromfa.network import IntArray

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks/results/reading.csv"
COMPARED = RESULTS.with_name("reading_torch.csv")
HIDDEN, FEED_FORWARD, LAYERS, HEADS, VOCABULARY = 2048, 8192, 24, 16, 50_304
NODES, SEEDS, REPEATS = 64, range(10), 7
MEGABYTE = 1e6
CONFIG = {
    "model_type": "gpt_neox",
    "architectures": ["GPTNeoXForCausalLM"],
    "hidden_size": HIDDEN,
    "intermediate_size": FEED_FORWARD,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}


@dataclass(frozen=True)
class Figure:
    """One line of the result; `goal` is empty where there is none."""

    what: str
    value: float
    unit: str
    goal: str = ""
    met: str = ""


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the file, measure, write and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch-python", help="a Python with torch and transformers, for the comparison")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="neuromfa-bench-") as folder:
        checkpoint = Path(folder) / "pythia-1.4b-shape"
        write_checkpoint(checkpoint)
        figures = [*on_disk(checkpoint), *over_http(checkpoint)]
        write_figures(RESULTS, figures)
        compared = [*against_torch(checkpoint, chosen.torch_python, _value(figures, "one seed, warm"))]
    if compared:
        write_figures(COMPARED, compared)


def write_figures(path: Path, figures: Iterable[Figure]) -> None:
    """Write a file of figures and print it."""
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["what", "value", "unit", "goal", "met"])
        writer.writerows([each.what, f"{each.value:.4g}", each.unit, each.goal, each.met] for each in figures)
    print(path.read_text())


def write_checkpoint(folder: Path) -> None:
    """Write config.json and 2.8 GB of normal(0, .02) bfloat16 in the shapes of Pythia-1.4B."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    header, end = {}, 0
    for name, shape in tensor_shapes():
        begin, end = end, end + 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    weights = np.random.default_rng(0).normal(0, 0.02, 1 << 24).astype(np.float32)
    block = (weights.view(np.uint32) >> 16).astype(np.uint16).tobytes()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for start in range(0, end, len(block)):
            file.write(block[: end - start])
        file.flush()
        os.fsync(file.fileno())


def tensor_shapes() -> Iterator[tuple[str, list[int]]]:
    """Yield name and shape of every tensor."""
    yield "gpt_neox.embed_in.weight", [VOCABULARY, HIDDEN]
    for layer in range(LAYERS):
        matrices = {
            "attention.query_key_value": [3 * HIDDEN, HIDDEN],
            "attention.dense": [HIDDEN, HIDDEN],
            "mlp.dense_h_to_4h": [FEED_FORWARD, HIDDEN],
            "mlp.dense_4h_to_h": [HIDDEN, FEED_FORWARD],
            "input_layernorm": [HIDDEN],
            "post_attention_layernorm": [HIDDEN],
        }
        for name, shape in matrices.items():
            yield f"gpt_neox.layers.{layer}.{name}.weight", shape
            yield f"gpt_neox.layers.{layer}.{name}.bias", shape[:1]
    yield "gpt_neox.final_layer_norm.weight", [HIDDEN]
    yield "gpt_neox.final_layer_norm.bias", [HIDDEN]
    yield "embed_out.weight", [VOCABULARY, HIDDEN]


SAMPLE_ONCE = """
import json, re, sys, time
from pathlib import Path
from neuromfa.checkpoints.sampling.networks import sample_checkpoint
from neuromfa.checkpoints.series import open_series
source, seeds, repeats, nodes = json.loads(sys.argv[1])
times = []
for _ in range(repeats):
    wall, cpu = time.perf_counter(), time.process_time()
    sampled = sample_checkpoint(open_series(source).checkpoints[0], nodes=nodes, seeds=range(seeds), row_rule="exact")
    times.append((time.perf_counter() - wall, time.process_time() - cpu))
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
wall, cpu = (min(column) for column in zip(*times))
print(json.dumps(dict(wall=wall, cpu=cpu, bytes_read=sampled.bytes_read, requests=sampled.requests, peak=peak / 1e3)))
"""


@dataclass(frozen=True)
class Run:
    """Best of several samplings in a process of their own: seconds, bytes, requests, peak memory in MB."""

    wall: float
    cpu: float
    bytes_read: int
    requests: int
    peak: float
    process: float


def sample(source: str, *, seeds: int, repeats: int) -> Run:
    """Sample in a fresh process; `process` is its whole time, Python's start included."""
    plan = json.dumps([source, seeds, repeats, NODES])
    start = time.perf_counter()
    answer = subprocess.run(
        [sys.executable, "-c", SAMPLE_ONCE, plan], capture_output=True, text=True, cwd=ROOT
    )
    process = time.perf_counter() - start
    if answer.returncode:
        raise RuntimeError(answer.stderr)
    return Run(**json.loads(answer.stdout), process=process)


def on_disk(folder: Path) -> list[Figure]:
    """Measure bytes, memory and time of one and of ten seeds, warm and with the file out of the page cache."""
    source = str(folder)
    sample(source, seeds=10, repeats=1)
    one, ten = (sample(source, seeds=seeds, repeats=REPEATS) for seeds in (1, 10))
    processes = [min(sample(source, seeds=seeds, repeats=1).process for _ in range(3)) for seeds in (1, 10)]
    cold = []
    for seeds in (1, 10):
        forget(folder / "model.safetensors")
        cold.append(sample(source, seeds=seeds, repeats=1).wall)
    return [
        bounded("one seed, bytes read", one.bytes_read / MEGABYTE, "MB", at_most=110),
        bounded("one seed, peak memory of the process", one.peak, "MB", at_most=200),
        Figure("one seed, warm", one.wall, "s"),
        Figure("one seed, warm, processor time", one.cpu, "s"),
        Figure("one seed, cold", cold[0], "s"),
        Figure("ten seeds, bytes read", ten.bytes_read / MEGABYTE, "MB"),
        Figure("ten seeds, peak memory of the process", ten.peak, "MB"),
        Figure("ten seeds, warm", ten.wall, "s"),
        Figure("ten seeds, warm, processor time", ten.cpu, "s"),
        Figure("ten seeds, cold", cold[1], "s"),
        bounded(
            "ten seeds over one, warm, inside a running process", ten.wall / one.wall, "times", at_most=4
        ),
        Figure("ten seeds over one, warm, processor time", ten.cpu / one.cpu, "times"),
        bounded("ten seeds over one, warm, whole process", processes[1] / processes[0], "times", at_most=4),
        bounded("ten seeds over one, cold", cold[1] / cold[0], "times", at_most=4),
    ]


def forget(path: Path) -> None:
    """Drop a file from the page cache."""
    descriptor = os.open(path, os.O_RDONLY)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def over_http(folder: Path) -> list[Figure]:
    """Measure bytes, requests and time over ranges, against what the same sample reads from disk."""
    figures = []
    with serving(folder) as url:
        for seeds, name in ((1, "one seed"), (10, "ten seeds")):
            local, remote = (sample(source, seeds=seeds, repeats=1) for source in (str(folder), url))
            figures += [
                Figure(f"{name} over HTTP, bytes read", remote.bytes_read / MEGABYTE, "MB"),
                Figure(f"{name} over HTTP, requests", remote.requests, "requests"),
                Figure(f"{name} over HTTP, loopback", remote.wall, "s"),
                bounded(
                    f"{name}, bytes over HTTP against disk",
                    remote.bytes_read / local.bytes_read,
                    "times",
                    at_most=2,
                ),
            ]
    return figures


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve the files of a folder by range on loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            path = folder / Path(self.path).name
            if not path.is_file():
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            size = path.stat().st_size
            found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"] or f"bytes=0-{size - 1}")
            assert found
            first, last = int(found[1]), min(int(found[2]), size - 1)
            self.send_response(206)
            self.send_header("Content-Length", str(last - first + 1))
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
            self.end_headers()
            with path.open("rb") as file:
                file.seek(first)
                self.wfile.write(file.read(last - first + 1))

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{folder.name}"
        server.shutdown()


class Recorder:
    """A TensorStore that notes which rows and columns are asked for."""

    def __init__(self, store: TensorStore) -> None:
        self.name, self.config = store.name, store.config
        self.asked: dict[str, tuple[IntArray, IntArray]] = {}
        self.given: dict[str, AnyArray] = {}
        self._store = store

    def names(self) -> tuple[str, ...]:
        return self._store.names()

    def info(self, name: str) -> TensorInfo:
        return self._store.info(name)

    def read(self, name: str, *, rows: IntArray | None = None, columns: IntArray | None = None) -> AnyArray:
        assert rows is not None
        assert columns is not None
        self.asked[name] = rows, columns
        self.given[name] = self._store.read(name, rows=rows, columns=columns)
        return self.given[name]

    @property
    def bytes_read(self) -> int:
        return self._store.bytes_read

    @property
    def requests(self) -> int:
        return self._store.requests

    def close(self) -> None:
        self._store.close()


WITH_TORCH = """
import hashlib, json, re, sys, time
import numpy as np, torch
from pathlib import Path
from safetensors import safe_open
from transformers import AutoModelForCausalLM
folder, way = sys.argv[1:3]
with np.load(Path(folder) / "asked.npz") as asked:
    picks = {key[:-5]: (torch.from_numpy(asked[key]), torch.from_numpy(asked[key[:-5] + "/columns"]))
             for key in asked if key.endswith("/rows")}
start = time.perf_counter()
digest = hashlib.sha256()
if way == "from_pretrained":
    tensors = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).state_dict()
    parts = {name: tensors[name][rows][:, columns] for name, (rows, columns) in picks.items()}
else:
    with safe_open(Path(folder) / "model.safetensors", framework="pt") as file:
        parts = {}
        for name, (rows, columns) in picks.items():
            matrix = file.get_slice(name)
            parts[name] = torch.cat([matrix[row:row + 1] for row in rows.tolist()])[:, columns].float()
seconds = time.perf_counter() - start
for name in sorted(parts):
    digest.update(parts[name].contiguous().numpy().tobytes())
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
print(json.dumps([seconds, peak / 1e3, digest.hexdigest()]))
"""


def against_torch(folder: Path, python: str | None, ours: float) -> list[Figure]:
    """Compare with transformers and with slices of the safetensors library on the very same rows and columns."""
    if python is None:
        print("left out: the comparison with transformers needs --torch-python", file=sys.stderr)
        return []
    asked = note_asked(folder)
    figures = []
    for way, goal in (("from_pretrained", 40.0), ("safe_open", None)):
        runs = []
        for _ in range(2):
            command = [str(Path(python).absolute()), "-c", WITH_TORCH, str(folder), way]
            answer = subprocess.run(command, capture_output=True, text=True, cwd=folder)
            if answer.returncode:
                raise RuntimeError(answer.stderr)
            runs.append(json.loads(answer.stdout.splitlines()[-1]))
        if {digest for _, _, digest in runs} != {asked}:
            raise RuntimeError(f"{way} gives other numbers than the reader")
        seconds, peak, _ = min(runs)
        figures += [
            Figure(f"{way}, warm", seconds, "s"),
            Figure(f"{way}, peak memory of the process", peak, "MB"),
            bounded(f"{way} over one seed, warm", seconds / ours, "times", at_least=goal),
        ]
    return figures


def note_asked(folder: Path) -> str:
    """Write the rows and columns of seed 0 to asked.npz; return the sha256 of the weights found there."""
    checkpoint: Checkpoint = open_series(str(folder)).checkpoints[0]
    recorder = Recorder(checkpoint.open())
    sample_checkpoint(replace(checkpoint, opener=lambda: recorder), nodes=NODES, seeds=[0], row_rule="exact")
    arrays: dict[str, IntArray] = {}
    for name, (rows, columns) in recorder.asked.items():
        arrays |= {f"{name}/rows": rows, f"{name}/columns": columns}
    np.savez(folder / "asked.npz", **arrays)  # type: ignore[arg-type]
    digest = hashlib.sha256()
    for name in sorted(recorder.given):
        digest.update(np.ascontiguousarray(recorder.given[name], np.float32).tobytes())
    return digest.hexdigest()


def bounded(
    what: str, value: float, unit: str, *, at_most: float | None = None, at_least: float | None = None
) -> Figure:
    """Return a figure with its goal."""
    if at_most is not None:
        return Figure(what, value, unit, f"at most {at_most:g}", "yes" if value <= at_most else "no")
    if at_least is not None:
        return Figure(what, value, unit, f"at least {at_least:g}", "yes" if value >= at_least else "no")
    return Figure(what, value, unit)


def _value(figures: list[Figure], what: str) -> float:
    return next(each.value for each in figures if each.what == what)


if __name__ == "__main__":
    main()
