"""Which process is the server of a data folder, so that none is left behind unseen and no second one is started."""

from pathlib import Path

from neuromfa.errors import StoreUnavailable
from neuromfa.servers.file_lock import FileLock

ENDING_S = 15.0


class ServerMark:
    """Which process is the server of a data folder: a lock that the server holds itself, its number beside it.

    The lock outlives whoever started the server, however that ended, and never the server.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: FileLock | None = None

    def take(self) -> None:
        """Become the folder's only server; a server whose starter was killed gets `ENDING_S` to end.

        Raises
        ------
        StoreUnavailable
            A server still runs there; the message says which process, and how to end it.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(self._folder / "server.lock")
        if not self._lock.wait(seconds=ENDING_S):
            self.close()
            raise StoreUnavailable(self._still_there())

    def write(self, pid: int) -> None:
        """Name the server."""
        self._number.write_text(f"{pid}\n")

    def fileno(self) -> int:
        """Return the descriptor that the server inherits; only between `take` and `close`."""
        assert self._lock is not None
        return self._lock.fileno()

    def close(self) -> None:
        """Give up our hold; a server that still runs keeps its own."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def _number(self) -> Path:
        return self._folder / "server.pid"

    def _still_there(self) -> str:
        pid = self._number.read_text().strip() if self._number.exists() else "?"
        return (
            f"a Neo4j runs in {self._folder} already, process {pid}; if the command that started it is gone, end it "
            f"with `kill {pid}` and start again"
        )
