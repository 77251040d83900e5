"""File locks between the users of one data folder; the kernel gives them back however a process dies."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

POLL_S = 0.05


class FileLock:
    """One open lock file.

    A lock belongs to the open file: two `FileLock` objects on one path are two parties, also in one process.

    Parameters
    ----------
    path : the lock file, made when missing, readable by its owner only
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self, *, shared: bool = False) -> bool:
        """Take the lock, or turn the one held into the other kind.

        False when somebody is in the way; a lock of the other kind that was held is then lost.
        """
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def wait(self, *, seconds: float, shared: bool = False) -> bool:
        """Take the lock as soon as it is free; False when it was not free within `seconds`."""
        until = time.monotonic() + seconds
        while not self.take(shared=shared):
            if time.monotonic() > until:
                return False
            time.sleep(POLL_S)
        return True

    def fileno(self) -> int:
        """Return the descriptor; a child that inherits it holds the lock too, as long as it lives."""
        return self._descriptor

    def release(self) -> None:
        """Give the lock back and keep the file open."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the lock back and close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def orphaned(self) -> bool:
        """Tell whether the file was deleted or replaced under us: then the lock guards nothing any more."""
        try:
            return os.stat(self._path).st_ino != os.fstat(self._descriptor).st_ino
        except OSError:
            return True

    def __enter__(self) -> "FileLock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def is_held(path: Path) -> bool:
    """Tell whether somebody holds the lock file `path` exclusively."""
    with FileLock(path) as lock:
        return not lock.take()
