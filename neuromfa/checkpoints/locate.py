"""From a source as a person names it to the checkpoints it holds: local folder, hub repository or address.

What talks to a network takes half a second to load and is imported where a source needs it.
"""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from neuromfa.checkpoints.transport.address import without_secrets
from neuromfa.checkpoints.transport.folder import (
    INDEX_FILES,
    LOOKED_FOR,
    NAMINGS,
    SINGLE_FILES,
    Folder,
    LocalFolder,
    Location,
    step_of,
)
from neuromfa.errors import CheckpointMissing, OptionError, UnsafeFormat

if TYPE_CHECKING:
    from neuromfa.checkpoints.transport.fsspec_folder import FsspecFolder
    from neuromfa.checkpoints.transport.http_folder import HttpFolder

PLACEHOLDER = "{n}"
WEB = ("http", "https")


def locations_of(source: str, *, revision: str | None, download: bool) -> tuple[str, list[Location]]:
    """Return the name of the model and where its checkpoints are.

    Parameters
    ----------
    source : local path, hub id or address; what exists on this machine is never looked for on the hub

    Raises
    ------
    CheckpointMissing
        Nothing there, or no checkpoint in it; says what was looked for.
    OptionError
        `revision` or `download` for something that is not a hub repository.
    """
    path = _local_path(source)
    if path is None and "://" not in source:
        from neuromfa.checkpoints.transport.hub import hub_locations

        return source, hub_locations(source, revision=revision, download=download)
    if revision is not None or download:
        option = "--revision" if revision is not None else "--download"
        raise OptionError(f"{option} is for repositories of the hub; {without_secrets(source)} is not one")
    return _local_locations(source, path) if path is not None else _remote_locations(source)


def _local_path(source: str) -> Path | None:
    """Return the path a source names on this machine, None when it is an address or can only be a hub id."""
    if "://" in source:
        parts = urlsplit(source)
        return Path(unquote(parts.path)) if parts.scheme == "file" else None
    path = Path(source).expanduser()
    named = path.parent if PLACEHOLDER in path.name else path
    return path if named.exists() or not _may_be_repo(source) else None


def _may_be_repo(source: str) -> bool:
    from neuromfa.checkpoints.transport.hub import is_repo_id

    return is_repo_id(source)


def _local_locations(source: str, path: Path) -> tuple[str, list[Location]]:
    step, base = _naming(path.name), path
    if step is not None:
        base = path.parent
    _check_folder(source, base)
    root = base.resolve()
    found = [
        Location(number, entry.name, partial(_inside, entry, root))
        for entry in base.iterdir()
        if (number := (step or step_of)(entry.name)) is not None and entry.is_dir()
    ]
    if not found and step is None and _has_weights(LocalFolder(base)):
        found = [Location(None, root.name, partial(LocalFolder, base))]
    _refuse_empty(source, path.name, found)
    return root.name, found


def _inside(folder: Path, root: Path) -> Folder:
    """Return a step folder, unless it is a link that leads out of the series."""
    if not folder.resolve().is_relative_to(root):
        raise UnsafeFormat(
            f"{folder} is a link that leads out of {root} and is not followed; name that folder itself"
        )
    return LocalFolder(folder)


def _check_folder(source: str, path: Path) -> None:
    if not path.exists():
        raise CheckpointMissing(f"{source} does not exist")
    if not path.is_dir():
        raise CheckpointMissing(f"{source} is a file; name the folder it stands in")


def _remote_locations(source: str) -> tuple[str, list[Location]]:
    if urlsplit(source).query or urlsplit(source).fragment:
        raise OptionError(f"{without_secrets(source)}: an address with ? or # cannot name a folder")
    opened = _remote_kind(source)
    parent, _, last = source.rstrip("/").rpartition("/")
    step = _naming(last)
    base = source.rstrip("/") if step is None else parent
    folder = opened(base)
    found = [
        Location(number, name, partial(opened, f"{base}/{name}"))
        for name in folder.folders()
        if (number := (step or step_of)(name)) is not None
    ]
    name = without_secrets(base).rpartition("/")[2]
    if not found and step is None and _has_weights(folder):
        found = [Location(None, name, lambda: folder)]
    _refuse_empty(without_secrets(source), last, found)
    return name, found


def _remote_kind(source: str) -> "type[HttpFolder] | type[FsspecFolder]":
    if urlsplit(source).scheme in WEB:
        from neuromfa.checkpoints.transport.http_folder import HttpFolder

        return HttpFolder
    from neuromfa.checkpoints.transport.fsspec_folder import FsspecFolder

    return FsspecFolder


def _naming(name: str) -> Callable[[str], int | None] | None:
    """Return what reads the step from a name under a naming such as ``ckpt_{n}``, None without one."""
    if PLACEHOLDER not in name:
        return None
    before, _, after = name.partition(PLACEHOLDER)
    pattern = re.compile(rf"{re.escape(before)}(\d{{1,15}}){re.escape(after)}", re.ASCII)

    def step(folder: str) -> int | None:
        found = pattern.fullmatch(folder)
        return int(found[1]) if found else None

    return step


def _has_weights(folder: Folder) -> bool:
    return any(folder.has(filename) for filename in (*SINGLE_FILES, *INDEX_FILES))


def _refuse_empty(source: str, last: str, found: list[Location]) -> None:
    if found:
        return
    if PLACEHOLDER in last:
        raise CheckpointMissing(f"{source} matches no folder")
    raise CheckpointMissing(
        f"{source} holds no checkpoint; looked for folders named {NAMINGS} and for {LOOKED_FOR}"
    )
