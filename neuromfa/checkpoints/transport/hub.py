"""Repositories of the Hugging Face hub: step branches pinned to commits, read by range or from the cache.

All talk goes through huggingface-hub: its endpoint, session, token and cache are those that all tools on a
machine share. ``HF_HUB_OFFLINE=1`` reads the cache alone.
"""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import urlsplit

import httpx
from huggingface_hub import HfApi, constants, get_hf_file_metadata, hf_hub_download, hf_hub_url
from huggingface_hub import try_to_load_from_cache as cached_file
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.utils import (  # type: ignore[attr-defined]
    build_hf_headers,
    get_session,
    validate_repo_id,
)

from neuromfa.checkpoints.transport.byte_source import ByteSource
from neuromfa.checkpoints.transport.folder import CONFIG, LOOKED_FOR, Folder, LocalFolder, Location
from neuromfa.checkpoints.transport.http_file import HttpFile, Place, transport_errors
from neuromfa.checkpoints.transport.retry import TRANSIENT, NoAnswer, RetryPolicy, answered
from neuromfa.checkpoints.transport.step_names import Naming, step_name
from neuromfa.errors import CheckpointMissing, CorruptFile, OptionError, SourceError

COMMIT = re.compile(r"[0-9a-f]{40}")
REVISION = re.compile(r"(?!.*(\.\.|//))[A-Za-z0-9_][A-Za-z0-9_.+/-]{0,199}")
WEIGHT_PATTERNS = (
    ["model.safetensors", "model.safetensors.index.json", "model-*.safetensors"],
    ["pytorch_model.bin", "pytorch_model.bin.index.json", "pytorch_model-*.bin"],
)
ADAPTER = "adapter_*"
MAIN = "main"
MOST_NAMED = 8
UNREAD = (
    "branches or tags whose names tell no step; --naming tells where it stands in them, --revision reads one"
)
# branches the hub makes for pull requests; in a cache they stand among the refs
PULL_REQUESTS = "refs/"
PATIENT = RetryPolicy()
# the first question also meets names that are no repository at all: do not let a person wait for five tries
FIRST_CONTACT_ATTEMPTS = 2
Answer = TypeVar("Answer")


class HubSilent(SourceError):
    """The hub does not answer."""


def is_repo_id(text: str) -> bool:
    """Tell whether a text can be the id of a repository, such as ``EleutherAI/pythia-70m-deduped``."""
    try:
        validate_repo_id(text)
    except HFValidationError:
        return False
    return True


def repository_of_page(url: str) -> str | None:
    """Return the id of the repository that a page of the hub shows, None for any other address."""
    parts = urlsplit(url)
    repo_id = "/".join(parts.path.strip("/").split("/")[:2])
    of_hub = parts.netloc == urlsplit(HfApi().endpoint).netloc
    return repo_id if of_hub and is_repo_id(repo_id) else None


def hub_found(
    repo_id: str,
    *,
    revision: str | None,
    download: bool,
    reads: Naming | None = None,
    retry: RetryPolicy = PATIENT,
) -> tuple[list[Location], tuple[str, ...]]:
    """Return the checkpoints of a repository: its step branches and tags, or one revision, or ``main``.

    Beside them, a sentence on the branches and tags whose names tell no step, where others do.

    Parameters
    ----------
    reads : naming of the branches and tags; None takes those in use, and ``main`` where none fits

    Raises
    ------
    CheckpointMissing
        No such repository or revision, or not in the cache when offline.
    SourceError
        The hub does not answer.
    """
    if revision is not None and not REVISION.fullmatch(revision):
        raise OptionError(f"{revision[:200]!r} is not the name of a branch, a tag or a commit")
    if constants.is_offline_mode():
        return _cached(repo_id, revision, reads)
    named = _refs(repo_id, replace(retry, attempts=FIRST_CONTACT_ATTEMPTS))
    if revision is not None:
        commit = named.get(revision) or _commit_of(repo_id, revision, retry)
        chosen = {revision: commit}
    else:
        chosen = _steps(named, reads)
        if not chosen:
            _refuse_unfitting(repo_id, named, reads)
            chosen = {MAIN: named[MAIN] if MAIN in named else _commit_of(repo_id, MAIN, retry)}

    def location(name: str, commit: str) -> Location:
        folder = HubFolder(repo_id, name, commit, retry=retry)
        told = (reads or step_name)(name)
        return Location(told, commit, folder.downloaded if download else folder.sampled)

    places = [location(name, commit) for name, commit in chosen.items()]
    return places, _left_out(named, places, reads) if revision is None else ()


def _left_out(named: Mapping[str, str], places: list[Location], reads: Naming | None) -> tuple[str, ...]:
    """Return a sentence on the branches and tags beside a series that are no step and no commit of it.

    In a cache there may be steps, too, whose files are not there.
    """
    if all(place.told is None for place in places):
        return ()
    known = {place.revision for place in places}
    others = [name for name, commit in sorted(named.items()) if commit not in known]
    gone = [name for name in others if (reads or step_name)(name) is not None]
    unread = [name for name in others if name not in gone and not name.startswith(PULL_REQUESTS)]
    told = {UNREAD: unread, "steps that the cache names and has no files of; fetch them again": gone}
    return tuple(f"{_some(names)}: {what}" for what, names in told.items() if names)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"


def _steps(named: Mapping[str, str], reads: Naming | None) -> dict[str, str]:
    """Return the branches and tags that are named after steps, with their commits."""
    return {name: commit for name, commit in named.items() if (reads or step_name)(name) is not None}


def _refuse_unfitting(repo_id: str, named: Mapping[str, str], reads: Naming | None) -> None:
    """Raise `CheckpointMissing` where a naming of one's own fits no branch and no tag."""
    if reads is not None:
        raise CheckpointMissing(
            f"no branch or tag of {repo_id} fits the naming; it has {', '.join(sorted(named)[:40]) or 'none'}"
        )


class HubFolder:
    """Files of a repository at one commit; those already in the cache are read from there.

    Parameters
    ----------
    revision : branch, tag or commit as it was asked for
    commit : what is read
    within : folder of the repository, ending with a slash; empty for its top
    """

    def __init__(
        self, repo_id: str, revision: str, commit: str, *, retry: RetryPolicy, within: str = ""
    ) -> None:
        self.name = f"{repo_id}@{revision}/{within}".rstrip("/")
        self._within = within
        self._repo_id = repo_id
        self._revision = revision
        self._commit = commit
        self._retry = retry
        self._sizes: dict[str, int | None] | None = None

    def has(self, filename: str) -> bool:
        """Tell whether the commit holds the file."""
        return self._within + filename in self._listing()

    def open(self, filename: str) -> ByteSource:
        """Open a file, from the cache when it is there, else by range."""
        path = self._within + filename
        cached = cached_file(self._repo_id, path, revision=self._commit)
        if isinstance(cached, str):
            snapshot = Path(cached.removesuffix(path))
            return LocalFolder(snapshot / self._within, root=snapshot.parent.parent).open(filename)
        size, place = self._place(path)
        return HttpFile(
            cast(httpx.Client, get_session()),
            place,
            relocate=lambda: self._place(path)[1],
            size=size,
            name=f"{self.name}/{filename}",
            retry=self._retry,
        )

    def files(self) -> list[str]:
        """Return the names of the files right in it."""
        return sorted(name for name in self._names() if "/" not in name)

    def folders(self) -> list[str]:
        """Return the names of the folders right in it."""
        return sorted({name.partition("/")[0] for name in self._names() if "/" in name})

    def inside(self, name: str) -> "HubFolder":
        """Return a folder right in it, which shares the listing."""
        within = f"{self._within}{name}/"
        inside = HubFolder(self._repo_id, self._revision, self._commit, retry=self._retry, within=within)
        inside._sizes = self._listing()
        return inside

    def stamp(self, filename: str) -> str:  # noqa: ARG002  a commit never changes
        """Return the commit."""
        return self._commit

    def _names(self) -> list[str]:
        """Return the paths of all files below it, seen from there."""
        below = (name for name in self._listing() if name.startswith(self._within))
        return [name.removeprefix(self._within) for name in below]

    def sampled(self) -> "HubFolder":
        """Return the folder itself: its files are read by ranges."""
        return self

    def downloaded(self) -> Folder:
        """Fetch the weights and the configuration into the cache, and return the folder there."""
        names = self._listing()
        patterns = next((each for each in WEIGHT_PATTERNS if each[0] in names or each[1] in names), [])
        if not patterns:
            raise CheckpointMissing(f"{self.name} has no weights; looked for {LOOKED_FOR}")
        wanted = [
            name for name in names if any(fnmatchcase(name, each) for each in (CONFIG, ADAPTER, *patterns))
        ]
        snapshots = {self._download(name).parent for name in wanted if "/" not in name}
        if {snapshot.name for snapshot in snapshots} != {self._commit}:
            raise CorruptFile(f"{self.name} moved to another commit while it was downloaded; start again")
        return LocalFolder(snapshots.pop())

    def _download(self, filename: str) -> Path:
        """Fetch one file by the name of its branch, so that the cache knows the branch when it is offline."""
        name = f"{self.name}/{filename}"
        try:
            path = _ask(
                name,
                lambda: hf_hub_download(self._repo_id, filename, revision=self._revision),
                self._retry,
                deadline=False,
            )
        except OSError as error:
            raise SourceError(f"{name} could not be downloaded: {error}") from error
        return Path(path)

    def _listing(self) -> dict[str, int | None]:
        """Return the files of the commit with their sizes."""
        if self._sizes is None:
            info = _ask(
                self.name,
                lambda: HfApi().model_info(self._repo_id, revision=self._commit, files_metadata=True),
                self._retry,
            )
            self._sizes = {sibling.rfilename: sibling.size for sibling in info.siblings or []}
        return self._sizes

    def _place(self, filename: str) -> tuple[int, Place]:
        """Return length and present address of a file; signed addresses of a store run out after a while."""
        name, endpoint = f"{self._repo_id}@{self._revision}/{filename}", HfApi().endpoint
        url = hf_hub_url(self._repo_id, filename, revision=self._commit, endpoint=endpoint)
        found = _ask(name, lambda: get_hf_file_metadata(url, timeout=self._retry.timeout), self._retry)
        listed = self._listing().get(filename)
        if found.size is None or listed not in (None, found.size):
            raise CorruptFile(
                f"{name} has {listed} bytes in the listing and {found.size} in the file's own answer"
            )
        if found.commit_hash not in (None, self._commit):
            raise CorruptFile(f"{name} is answered from commit {found.commit_hash}, not {self._commit}")
        headers = build_hf_headers()
        if urlsplit(found.location).netloc != urlsplit(endpoint).netloc:
            headers = {key: value for key, value in headers.items() if key.lower() != "authorization"}
        return found.size, Place(found.location, headers)


def _refs(repo_id: str, retry: RetryPolicy) -> dict[str, str]:
    """Return the commit of every tag and branch; a branch wins over a tag of its name."""
    try:
        refs = _ask(repo_id, lambda: HfApi().list_repo_refs(repo_id), retry)
    except HubSilent as error:
        raise SourceError(f"{repo_id} is no folder here, and {error}") from error
    return {ref.name: _commit(repo_id, ref.target_commit) for ref in (*refs.tags, *refs.branches)}


def _commit_of(repo_id: str, revision: str, retry: RetryPolicy) -> str:
    name = f"{repo_id}@{revision}"
    info = _ask(name, lambda: HfApi().model_info(repo_id, revision=revision), retry)
    return _commit(name, info.sha)


def _commit(name: str, text: str | None) -> str:
    if not text or not COMMIT.fullmatch(text):
        raise CorruptFile(f"{name} is not pinned to a commit but to {str(text)[:60]!r}")
    return text


def _cached(
    repo_id: str, revision: str | None, reads: Naming | None
) -> tuple[list[Location], tuple[str, ...]]:
    """Return what the cache holds of a repository, by its refs; see `hub_found`."""
    repository = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo_id, repo_type="model")
    if not repository.is_dir():
        raise CheckpointMissing(
            f"{repo_id} is neither a folder here nor in the hub cache, and HF_HUB_OFFLINE is set"
        )
    refs, named = repository / "refs", {}
    for path in sorted(path for path in refs.rglob("*") if path.is_file()):
        with path.open(encoding="ascii", errors="replace") as lines:
            named[path.relative_to(refs).as_posix()] = _commit(str(path), lines.read(64).strip())
    if revision is not None:
        chosen = {revision: named.get(revision, revision)}
    else:
        chosen = _steps(named, reads)
        if not chosen:
            _refuse_unfitting(repo_id, named, reads)
            chosen = _unnamed(repo_id, named)
    kept = {name: repository / "snapshots" / commit for name, commit in chosen.items()}
    kept = {name: path for name, path in kept.items() if path.is_dir()}
    if not kept:
        raise CheckpointMissing(
            f"{repo_id} has no {revision or 'checkpoint'} in the hub cache and HF_HUB_OFFLINE is set; "
            f"the cache holds {', '.join(sorted(named)[:40]) or 'no revision'}"
        )

    def location(name: str, snapshot: Path) -> Location:
        told = (reads or step_name)(name)
        return Location(told, snapshot.name, partial(LocalFolder, snapshot, root=repository))

    places = [location(name, snapshot) for name, snapshot in kept.items()]
    return places, _left_out(named, places, reads) if revision is None else ()


def _unnamed(repo_id: str, named: Mapping[str, str]) -> dict[str, str]:
    """Return ``main`` of a cache as the hub itself would, else what is left beside pull requests."""
    if MAIN in named:
        return {MAIN: named[MAIN]}
    others = {name: commit for name, commit in named.items() if not name.startswith(PULL_REQUESTS)}
    if len(set(others.values())) > 1:
        raise CheckpointMissing(
            f"the hub cache holds no main of {repo_id}, but {_some(sorted(others))}: choose one with --revision"
        )
    return others


def _ask(name: str, question: Callable[[], Answer], retry: RetryPolicy, *, deadline: bool = True) -> Answer:
    """Ask the hub; a question that gets no answer, or a stumbling one, is put again."""
    asked = partial(_within, retry.timeout, question) if deadline else question
    failures: tuple[type[Exception], ...] = (*transport_errors(get_session()), TimeoutError)

    def once() -> Answer:
        try:
            return _translated(name, asked)
        except failures as error:
            raise NoAnswer(error) from error

    try:
        return answered(once, retry)
    except NoAnswer as error:
        raise HubSilent(
            f"the hub at {HfApi().endpoint} does not answer for {name}: {error}; "
            "HF_HUB_OFFLINE=1 reads the cache alone"
        ) from error


def _translated(name: str, question: Callable[[], Answer]) -> Answer:
    """Turn what huggingface-hub raises into one sentence; stumbling answers become TimeoutError."""
    try:
        return question()
    except GatedRepoError as error:
        raise CheckpointMissing(
            f"{name} is gated: accept its terms on the hub, then `hf auth login`"
        ) from error
    except RepositoryNotFoundError as error:
        raise CheckpointMissing(
            f"{name} is neither a folder here nor a repository at {HfApi().endpoint} (or it is private)"
        ) from error
    except RevisionNotFoundError as error:
        raise CheckpointMissing(f"{name}: the repository has no such revision") from error
    except LocalEntryNotFoundError as error:
        raise TimeoutError(str(error).splitlines()[0]) from error
    except EntryNotFoundError as error:
        raise CheckpointMissing(f"{name} is not there") from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in TRANSIENT:
            raise TimeoutError(f"it answers {status}") from error
        raise SourceError(f"{name}: the hub answers {status}") from error


def _within(seconds: float, question: Callable[[], Answer]) -> Answer:
    """Return an answer that comes in time; huggingface-hub asks some questions without a time limit."""
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(question())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not answers:
        raise TimeoutError(f"no answer within {seconds:g} s")
    return answers[0]
