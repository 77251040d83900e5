"""From a source as a person names it to the checkpoints it holds: local folder, hub repository or address.

What talks to a network takes half a second to load and is imported where a source needs it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from neuromfa.checkpoints.formats.weight_files import (
    candidates,
    has_usual_weights,
    has_weights,
    held_by,
    weights_inside,
    what_lies_in,
)
from neuromfa.checkpoints.transport.address import without_secrets
from neuromfa.checkpoints.transport.folder import (
    LOOKED_FOR,
    Folder,
    LocalFolder,
    Location,
    OneFile,
    leads_nowhere,
    shown,
)
from neuromfa.checkpoints.transport.step_names import NAMINGS, Naming, StepName, is_naming, naming, step_name
from neuromfa.errors import CheckpointMissing, OptionError, SourceError, UnsafeFormat

if TYPE_CHECKING:
    from neuromfa.checkpoints.transport.fsspec_folder import FsspecFolder
    from neuromfa.checkpoints.transport.http_folder import HttpFolder

WEB = ("http", "https")
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".zip")
MOST_NAMED = 8


@dataclass(frozen=True, eq=False)
class Found:
    """What a source holds.

    Attributes
    ----------
    name : name of the model
    places : its checkpoints
    left_out : one sentence for each place that holds weights and fits no naming
    """

    name: str
    places: list[Location]
    left_out: tuple[str, ...] = ()


def locations_of(
    source: str,
    *,
    revision: str | None = None,
    download: bool = False,
    naming_text: str | None = None,
    follow_links: bool = False,
) -> Found:
    """Return the name of the model and where its checkpoints are.

    Parameters
    ----------
    source : local path, hub id or address; what exists on this machine is never looked for on the hub
    naming_text : a naming of one's own; the last part of a path or address may be one too
    follow_links : follow links that lead out of a local folder

    Raises
    ------
    CheckpointMissing
        Nothing there, or no checkpoint in it; says what was looked for.
    OptionError
        `revision` or `download` for something that is not a hub repository; two namings, or one without a step.
    """
    reads = naming(naming_text) if naming_text is not None else None
    _check_address(source)
    path = local_path(source)
    if path is None and "://" not in source:
        from neuromfa.checkpoints.transport.hub import hub_found

        places, left_out = hub_found(source, revision=revision, download=download, reads=reads)
        return Found(source, places, left_out)
    if revision is not None or download:
        option = "--revision" if revision is not None else "--download"
        raise OptionError(f"{option} is for repositories of the hub; {without_secrets(source)} is not one")
    if path is not None:
        return _local_found(source, path, reads, follow_links=follow_links)
    return _remote_found(source, reads)


def _check_address(source: str) -> None:
    """Refuse an address of the web that cannot be one, such as of a server without a name."""
    if not source.startswith(tuple(f"{scheme}://" for scheme in WEB)):
        return
    try:
        parts = urlsplit(source)
        named = parts.port is not None or bool(parts.hostname)
    except ValueError:
        named = False
    if not named:
        raise OptionError(f"{source.rpartition('@')[2]} is no address: the name of its server cannot be read")


def local_path(source: str) -> Path | None:
    """Return the path a source names on this machine, None when it is an address or can only be a hub id."""
    if "://" in source:
        parts = urlsplit(source)
        return Path(unquote(parts.path)) if parts.scheme == "file" else None
    path = Path(source).expanduser()
    named = path.parent if is_naming(path.name) else path
    return path if _exists(named) or not _may_be_repo(source) else None


def _exists(path: Path) -> bool:
    """Tell whether a path is there; one that no file can have, such as one too long, is not."""
    try:
        return path.exists()
    except PermissionError as error:
        raise SourceError(f"{path} cannot be looked into: {error.strerror}") from error
    except (OSError, ValueError):
        return False


def _may_be_repo(source: str) -> bool:
    from neuromfa.checkpoints.transport.hub import is_repo_id

    return is_repo_id(source)


def _local_found(source: str, path: Path, reads: Naming | None, *, follow_links: bool) -> Found:
    reads = _naming_of(source, path.name, reads)
    base = path.parent if is_naming(path.name) else path
    _check_folder(source, base)
    root = base.resolve()

    def child(name: str) -> Callable[[], Folder]:
        return partial(_inside, base / name, root, follow_links=follow_links)

    opened = partial(LocalFolder, base, follow_links=follow_links)
    places = _places(opened, child, reads, source=source, name=root.name)
    return Found(root.name, places, _left_out(opened(), places))


def _left_out(folder: Folder, places: list[Location]) -> tuple[str, ...]:
    """Return a sentence for each thing beside the checkpoints that holds weights and is none of them."""
    known = {place.revision for place in places}
    if all(place.told is None for place in places):
        files = [name for name in candidates(folder.files()) if _step_of_file(name, step_name)]
        return (
            _told_files(files, "named after steps, beside weights that are read as one checkpoint"),
        ) * bool(files)
    unnamed = [name for name in folder.folders() if name not in known and weights_inside(folder, name)]
    files = [name for name in candidates(folder.files()) if name not in known]
    archives = [name for name in folder.files() if step_name(_without_ending(name, ARCHIVES))]
    return (
        *(f"{shown(name)}/ holds weights and its name tells no step" for name in unnamed),
        *(_told_files(files, "beside the steps, and none of them"),) * bool(files),
        *(_told_files(archives, "of a step, but packed: unpack it into a folder"),) * bool(archives),
    )


def _told_files(names: list[str], what: str) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(map(shown, names[:MOST_NAMED]))}{more}: {what}"


def _inside(folder: Path, root: Path, *, follow_links: bool) -> Folder:
    """Return a step folder, unless it is a link that leads out of the series and none is followed."""
    if leads_nowhere(folder):
        raise CheckpointMissing(
            f"{folder} is a link that leads nowhere; bring back the folder it led to, or remove it"
        )
    if not follow_links and not folder.resolve().is_relative_to(root):
        raise UnsafeFormat(
            f"{folder} is a link that leads out of {root} and is not followed; name that folder itself"
        )
    return LocalFolder(folder, follow_links=follow_links)


def _check_folder(source: str, path: Path) -> None:
    if not _exists(path):
        repo_id, _, revision = source.partition("@")
        hint = (
            f"; of a repository of the hub give --revision {revision}"
            if revision and _may_be_repo(repo_id)
            else ""
        )
        raise CheckpointMissing(f"{source} does not exist{hint}")
    if not path.is_dir():
        raise CheckpointMissing(f"{source} is a file; name the folder it stands in")


def _remote_found(source: str, reads: Naming | None) -> Found:
    if urlsplit(source).query or urlsplit(source).fragment:
        raise OptionError(f"{without_secrets(source)}: an address with ? or # cannot name a folder")
    _refuse_page_of_hub(source)
    opened = _remote_kind(source)
    parent, _, last = source.rstrip("/").rpartition("/")
    reads = _naming_of(source, last, reads)
    base = parent if is_naming(last) else source.rstrip("/")
    name = without_secrets(base).rpartition("/")[2]

    def child(name: str) -> Callable[[], Folder]:
        return partial(opened, f"{base}/{name}")

    folder = partial(opened, base)
    places = _places(folder, child, reads, source=without_secrets(source), name=name)
    return Found(name, places, _left_out(folder(), places))


def _refuse_page_of_hub(source: str) -> None:
    """Refuse the address that a browser shows of a repository: it lists no files."""
    from neuromfa.checkpoints.transport.hub import repository_of_page

    repo_id = repository_of_page(source) if urlsplit(source).scheme in WEB else None
    if repo_id is not None:
        raise OptionError(
            f"{without_secrets(source)} is a page of the hub; give the id {repo_id}, and --revision for one branch"
        )


def _remote_kind(source: str) -> "type[HttpFolder] | type[FsspecFolder]":
    if urlsplit(source).scheme in WEB:
        from neuromfa.checkpoints.transport.http_folder import HttpFolder

        return HttpFolder
    from neuromfa.checkpoints.transport.fsspec_folder import FsspecFolder

    return FsspecFolder


def _naming_of(source: str, last: str, reads: Naming | None) -> Naming | None:
    """Return the naming asked for, in an option or as the last part of the source; None without one."""
    if not is_naming(last):
        return reads
    if reads is not None:
        raise OptionError(
            f"{without_secrets(source)} ends with a naming and --naming gives another; give one"
        )
    return naming(last)


def _places(
    opened: Callable[[], Folder],
    child: Callable[[str], Callable[[], Folder]],
    reads: Naming | None,
    *,
    source: str,
    name: str,
) -> list[Location]:
    """Return the checkpoints in a folder: those of its folders, files named after steps, or itself.

    Parameters
    ----------
    opened : returns the folder
    child : returns what opens a folder of that name inside
    reads : a naming of one's own, under which the folder itself is none
    source : for messages
    name : of the folder, for a checkpoint without a step

    Raises
    ------
    CheckpointMissing : there is none; says what was looked for, or what lies there
    """
    folder = opened()
    inside = [
        Location(told, each, child(each))
        for each in folder.folders()
        if (told := (reads or step_name)(each)) is not None
    ]
    itself = reads is None and has_weights(folder)
    # training state lies in step folders of its own, beside the weights or without any
    beside = itself or (bool(inside) and what_lies_in(folder) is not None)
    if inside and not (beside and _hold_no_weights(inside)):
        return inside
    files = [] if itself and has_usual_weights(folder) else _step_files(opened, folder, reads)
    if files or itself:
        return files or [Location(None, name, opened)]
    raise CheckpointMissing(_nothing_found(source, folder, reads))


def _hold_no_weights(places: Iterable[Location]) -> bool:
    """Tell whether none of the folders is a checkpoint, as where training state lies beside the weights."""
    return not any(map(_may_hold_weights, places))


def _may_hold_weights(place: Location) -> bool:
    """Tell whether a folder holds weights, or cannot be looked into: as a step it says why."""
    try:
        return has_weights(place.folder())
    except SourceError:
        return True


def _step_files(opened: Callable[[], Folder], folder: Folder, reads: Naming | None) -> list[Location]:
    """Return the files of weights that are named after steps, each a checkpoint."""
    return [
        Location(told, each, partial(_one_file, opened, each))
        for each in candidates(folder.files())
        if (told := _step_of_file(each, reads or step_name)) is not None
    ]


def _step_of_file(name: str, reads: Naming) -> StepName | None:
    return reads(name.rpartition(".")[0])


def _without_ending(name: str, endings: Iterable[str]) -> str:
    """Return a name without one of some endings, empty where it has none of them."""
    return next((name.removesuffix(ending) for ending in endings if name.endswith(ending)), "")


def _one_file(opened: Callable[[], Folder], filename: str) -> Folder:
    return OneFile(opened(), filename)


def _nothing_found(source: str, folder: Folder, reads: Naming | None) -> str:
    if reads is not None:
        held = ", ".join(map(shown, [*folder.folders(), *folder.files()][:20])) or "nothing"
        return f"{source} matches no folder by that naming; there is {held}"
    lies = what_lies_in(folder)
    if lies is not None:
        return f"{source} holds {lies}"
    return (
        f"{source} holds no checkpoint; looked for folders named {NAMINGS} (or as --naming tells) "
        f"and for {LOOKED_FOR}; {held_by(folder)}"
    )
