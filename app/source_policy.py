"""What a job may read when it comes by REST: repositories of the hub, and what the operator named, nothing else.

A request chooses what this machine, or a worker, opens. Without a bound it could name any file here and any address
that only this machine can reach.
"""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from neuromfa.app.settings import PREFIX
from neuromfa.errors import OptionError

REMOTE = "://"
ADDRESS = re.compile(r"[a-z][a-z0-9+]*://[A-Za-z0-9._:-]+(?:/[A-Za-z0-9._{}=+-]+)*")
HOW = f"; {PREFIX}SOURCES names the folders and addresses that may be read (docs/api.md)"


def admitted(source: str, allowed: Sequence[str]) -> str:
    """Return a source as a worker shall open it.

    Parameters
    ----------
    source : id of a repository of the hub, whole path of a folder, or address
    allowed : folders and beginnings of addresses, of the setting `sources`

    Raises
    ------
    OptionError : it is none of these, or is not below what is allowed
    """
    if REMOTE in source:
        return _address(source, [entry for entry in allowed if REMOTE in entry])
    from neuromfa.checkpoints.transport.hub import is_repo_id  # here: no service needs the hub to start

    if source.startswith("/"):
        return _folder(source, [entry for entry in allowed if REMOTE not in entry])
    if not is_repo_id(source):
        raise OptionError(
            f"{source[:200]!r} is no id of a hub repository; a folder is named by its whole path, from / on"
        )
    if Path(source).exists():
        raise OptionError(f"{source[:200]!r} is a folder here too; name it by its whole path, from / on")
    return source


def _folder(source: str, allowed: Sequence[str]) -> str:
    """Return the path without links and dots, where it is in one of the folders or is one of them."""
    if "\0" in source:
        raise OptionError("a path has no zero byte in it")
    path = Path(source)
    whole = _followed(path.parent) / path.name if "{" in path.name else _followed(path)
    if not any(whole.is_relative_to(Path(entry).resolve()) for entry in allowed):
        raise OptionError(f"the folder {source[:200]} is not among those that may be read{HOW}")
    return str(whole)


def _followed(path: Path) -> Path:
    """Return a path without links and dots; `OptionError` for one that no system follows: a loop, or too long."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        why = getattr(error, "strerror", None) or "its links lead in a circle"
        raise OptionError(f"the folder {str(path)[:200]} cannot be followed: {why}") from None


def _address(source: str, allowed: Sequence[str]) -> str:
    """Return an address that is one of the allowed ones or below it, in a form that can be read in one way only."""
    steps = PurePosixPath(urlsplit(source).path).parts
    if not ADDRESS.fullmatch(source) or ".." in steps or source.lower().startswith("file:"):
        raise OptionError(
            f"{source[:200]!r} is no plain address; there is no user, ?, #, % or .. in it, and a folder of this "
            "machine is named by its path"
        )
    if not any((source + "/").startswith(entry.rstrip("/") + "/") for entry in allowed):
        raise OptionError(f"the address {source[:200]} is not among those that may be read{HOW}")
    return source
