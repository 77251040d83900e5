"""The embedded store: an ArcadeDB sidecar that all processes of one data folder share and none has to stop.

Three lock files carry the whole arrangement, so that a kill -9 at any moment leaves nothing behind. Every
user holds `users.lock` shared; the sidecar holds `server.lock` while it lives and stops once nobody holds
`users.lock`; `start.lock` lets one user at a time look for the server and start it.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from neuromfa import extras
from neuromfa.errors import StoreUnavailable
from neuromfa.servers.file_lock import FileLock, is_held
from neuromfa.servers.log_tail import last_lines
from neuromfa.servers.ports import LOOPBACK, accepts

PACKAGE = "arcadedb_embedded"
START_S = 90.0
STOP_S = 20.0
LAST_S = 0.15
PROCESS_FILE = Path(__file__).with_name("arcadedb_process.py")


@dataclass(frozen=True)
class Endpoint:
    """Where the embedded server listens and who may enter.

    Attributes
    ----------
    uri : Bolt address on loopback
    database : name of the database
    writer, reader : (user, password); the reader is refused every write by the server
    http_port : the server's own HTTP port, on loopback
    pid : process of the sidecar
    """

    uri: str
    database: str
    writer: tuple[str, str]
    reader: tuple[str, str]
    http_port: int
    pid: int


class EmbeddedServer:
    """One user's hold on the embedded store of a data folder.

    Parameters
    ----------
    data_dir : the data folder; the store lives in its sub-folder ``graph``
    heap : memory of the server's JVM
    idle_s : how long the server outlives its last user when that one was killed
    command_timeout_s : no query runs longer on this server
    """

    def __init__(
        self, data_dir: Path, *, heap: str = "1g", idle_s: float = 3.0, command_timeout_s: float = 120.0
    ) -> None:
        self.folder = data_dir.absolute() / "graph"
        self._settings = {"heap": heap, "idle_s": idle_s, "command_timeout_ms": int(command_timeout_s * 1000)}
        self._hold: FileLock | None = None

    def open(self) -> Endpoint:
        """Return the running server, started when need be; it stays up until `close`.

        To be called again when the server does not answer: one that died is started again.

        Raises
        ------
        MissingExtra
            The server is not installed.
        StoreUnavailable
            The folder cannot be written, or the server does not start (with the end of its log).
        """
        if find_spec(PACKAGE) is None:
            raise extras.absent(PACKAGE, what="a store without a Neo4j server at NEUROMFA_NEO4J_URI")
        with self._own_errors():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._turn():
                self._take_hold()
                return self._running() or self._start()

    def close(self) -> None:
        """Let go; the last user stops the server and waits until it is gone."""
        if self._hold is None:
            return
        hold, self._hold = self._hold, None
        with hold, self._own_errors():
            if hold.wait(seconds=LAST_S):  # nobody else: this is the only moment the lock can be had alone
                self._stop()

    @contextmanager
    def _own_errors(self) -> Iterator[None]:
        """Turn what the file system says into a sentence about the data folder."""
        try:
            yield
        except OSError as error:
            raise StoreUnavailable(
                f"the data folder {self.folder} cannot be used ({error.strerror or error}); it must be a "
                "folder this user can write to: set NEUROMFA_DATA_DIR to another one"
            ) from error

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Look for the server, or start it, one user at a time."""
        with FileLock(self.folder / "start.lock") as lock:
            if not lock.wait(seconds=START_S):
                raise StoreUnavailable(
                    f"another process has been starting the store in {self.folder} for {START_S:.0f} s; "
                    "wait for it or end it"
                )
            yield

    def _take_hold(self) -> None:
        """Hold the users' lock shared; only a server that is just leaving can be in the way."""
        self._hold = self._hold or FileLock(self.folder / "users.lock")
        if not self._hold.wait(seconds=STOP_S, shared=True):
            raise StoreUnavailable(f"the store in {self.folder} is shutting down and does not end; try again")

    def _running(self) -> Endpoint | None:
        """Return the live server, or None; a state file without a live server is of one that was killed."""
        if not is_held(self.folder / "server.lock"):
            return None
        state = self._state()
        if state is None or not accepts(state["bolt"], seconds=2.0):
            raise StoreUnavailable(
                f"the store's server in {self.folder} is running and does not answer; {self._log_tail()}"
            )
        return _endpoint(state)

    def _state(self) -> dict[str, Any] | None:
        """Return the state file of a server that is up; waits for one whose starter was killed."""
        path = self.folder / "server.json"
        with FileLock(self.folder / "server.lock") as probe:
            while not path.exists():
                if probe.wait(seconds=0.2):
                    return None
        try:
            return dict(json.loads(path.read_text()))
        except (OSError, ValueError):
            return None

    def _start(self) -> Endpoint:
        """Start the sidecar and wait for its word."""
        (self.folder / "server.json").unlink(missing_ok=True)
        (self.folder / "log").mkdir(exist_ok=True, mode=0o700)
        ours, theirs = os.pipe()
        try:
            self._spawn(theirs)
        finally:
            os.close(theirs)
        word = _read_word(ours, seconds=START_S)
        state = self._state() if word == "ready" else None
        if state is None:
            raise StoreUnavailable(
                f"the embedded store in {self.folder} did not start ({word}); {self._log_tail()}"
            )
        return _endpoint(state)

    def _spawn(self, report: int) -> None:
        """Run the sidecar in its own session, so that Ctrl-C in a terminal is for its users first."""
        command = [
            sys.executable,
            "-P",
            str(PROCESS_FILE),
            str(self.folder),
            str(report),
            json.dumps(self._settings),
        ]
        with (self.folder / "log" / "sidecar.log").open("ab") as log:
            subprocess.run(  # noqa: S603  our own script, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                pass_fds=(report,),
                start_new_session=True,
                check=False,
                timeout=START_S,
            )

    def _stop(self) -> None:
        """End the server, gently first, and wait until its lock is free."""
        lock = self.folder / "server.lock"
        state = self._state() if is_held(lock) else None
        if state is None:
            return
        for name in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(state["pid"]), name)
            with FileLock(lock) as gone:
                if gone.wait(seconds=STOP_S):
                    return

    def _log_tail(self) -> str:
        """Return the end of the server's log as part of a sentence."""
        path = self.folder / "log" / "sidecar.log"
        try:
            return f"the end of {path} says:\n{last_lines(path.read_text(errors='replace'))}"
        except OSError:
            return f"there is no log at {path}"


def _read_word(descriptor: int, *, seconds: float) -> str:
    """Return what the sidecar reports; its end without a word is a word too."""
    with os.fdopen(descriptor, "rb", buffering=0) as pipe:
        if not select.select([pipe], [], [], seconds)[0]:
            return f"no answer within {seconds:.0f} s"
        return pipe.read(4096).decode(errors="replace") or "it ended without a word"


def _endpoint(state: dict[str, Any]) -> Endpoint:
    return Endpoint(
        uri=f"bolt://{LOOPBACK}:{state['bolt']}",
        database=state["database"],
        writer=(state["writer"][0], state["writer"][1]),
        reader=(state["reader"][0], state["reader"][1]),
        http_port=state["http"],
        pid=state["pid"],
    )
