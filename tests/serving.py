"""The service as a process of its own, as `neuromfa serve` runs it, for tests that need the whole of it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCRIPT = """
from neuromfa.app.server import run
from neuromfa.app.settings import load_settings
run(load_settings(), ready=lambda address: print(address, flush=True))
"""


@contextmanager
def closed_port() -> Iterator[int]:
    """A port that refuses connections and that nobody else is given meanwhile: bound, and not listened on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextmanager
def served(folder: Path, cwd: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the service on the embedded store in `folder` and a free port; give the process and its address."""
    settings = {"NEUROMFA_DATA_DIR": str(folder), "NEUROMFA_PORT": "0"} | environment
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=cwd,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])} | settings,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.terminate()
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
