"""A series of checkpoints: a source as a person names it becomes steps that can be opened one by one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path

from neuromfa.checkpoints.formats.open_tensors import open_tensors
from neuromfa.checkpoints.formats.tensor_store import TensorStore
from neuromfa.checkpoints.formats.weight_files import has_weights
from neuromfa.checkpoints.locate import locations_of
from neuromfa.checkpoints.transport.address import without_secrets
from neuromfa.checkpoints.transport.folder import Folder, Location, fingerprint
from neuromfa.errors import CheckpointMissing, OptionError, SourceError

ALL, PAPER = "all", "paper"
PAPER_STEPS = frozenset([0, *(2**k for k in range(10)), 1000, 3000, *range(13_000, 143_001, 10_000)])


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """One checkpoint of a series; nothing is read until it is opened.

    Attributes
    ----------
    step : training step, None for a checkpoint outside any series
    revision : commit of a hub checkpoint, name of a local step folder
    series : id of the series
    architecture : a user's architecture file, or None to find a bundled one
    opener : opens the tensors; a new store at every call
    tokens : tokens seen until then, None where the name does not tell
    folder : where its files are, None for a model that is in memory
    """

    step: int | None
    revision: str
    series: str
    architecture: Path | None
    opener: Callable[[], TensorStore]
    tokens: int | None = None
    folder: Callable[[], Folder] | None = None

    def fingerprint(self) -> str | None:
        """Return what changes when its files do, without reading any; None where that cannot be told."""
        try:
            return None if self.folder is None else fingerprint(self.folder())
        except (SourceError, OSError):
            # what is wrong is said by whoever reads it
            return None

    def open(self) -> TensorStore:
        """Open the tensors; the caller closes the store."""
        return self.opener()


@dataclass(frozen=True, eq=False)
class CheckpointSeries:
    """Checkpoints of one model in the order of training.

    Attributes
    ----------
    id : name of the model
    checkpoints : ascending by step
    source : what the person named; of an address no user and password
    left_out : one sentence for each place that holds weights and is no part of the series
    """

    id: str
    checkpoints: tuple[Checkpoint, ...]
    source: str
    left_out: tuple[str, ...] = ()

    def select(self, steps: str) -> "CheckpointSeries":
        """Return the series with some of its steps.

        Parameters
        ----------
        steps : ``all``, ``paper`` (the published steps that exist), or numbers joined by commas

        Raises
        ------
        OptionError, CheckpointMissing
            Not such a text; a step that does not exist (the message names those that do).
        """
        if steps == ALL:
            return self
        wanted = PAPER_STEPS if steps == PAPER else _parse_steps(steps)
        if steps != PAPER:
            for step in sorted(wanted):
                self.at(step)
        chosen = tuple(point for point in self.checkpoints if point.step in wanted)
        if not chosen:
            raise CheckpointMissing(f"{self.source} has none of the published steps; {self._existing()}")
        return replace(self, checkpoints=chosen)

    def at(self, step: int) -> Checkpoint:
        """Return the checkpoint of a step; `CheckpointMissing` names those that exist."""
        for point in self.checkpoints:
            if point.step == step:
                return point
        raise CheckpointMissing(f"{self.source} has no step {step}; {self._existing()}")

    def _existing(self) -> str:
        steps = [str(point.step) for point in self.checkpoints if point.step is not None]
        if not steps:
            return "it is a single checkpoint without a step"
        shown = steps if len(steps) <= 40 else [*steps[:20], "...", *steps[-20:]]
        return f"it has {', '.join(shown)}"


def open_series(
    source: str,
    *,
    steps: str = ALL,
    revision: str | None = None,
    model_id: str | None = None,
    architecture: Path | None = None,
    download: bool = False,
    naming: str | None = None,
    follow_links: bool = False,
) -> CheckpointSeries:
    """Open a series: a local folder of steps, one folder, a hub repository, or an address.

    Parameters
    ----------
    source : path, hub id such as ``EleutherAI/pythia-70m-deduped``, or address such as ``s3://bucket/run``;
        the last part of a path or address may be a naming such as ``ckpt_{n}``
    steps : see `CheckpointSeries.select`
    revision : one branch, tag or commit of a hub repository
    model_id : name of the model in results; by default the id of the repository or the name of the folder
    architecture : a user's architecture file
    download : fetch the whole files of a hub repository into its cache first
    naming : how the step stands in names of folders, branches and tags, such as ``{step}-tokens{tokens}``;
        None reads the namings in use
    follow_links : follow links that lead out of a local folder; for folders that the person who asks owns

    Raises
    ------
    CheckpointMissing
        Nothing there, or nothing that is a checkpoint; says what was looked for.
    SourceError
        A server or store that does not answer.
    """
    found = locations_of(
        source, revision=revision, download=download, naming_text=naming, follow_links=follow_links
    )
    series = model_id or found.name
    places, other_stages = _one_stage(found.places)
    places, doubles = _ordered(_shown(source), places)
    points = tuple(
        Checkpoint(
            place.step,
            place.revision,
            series,
            architecture,
            partial(_open, place),
            place.told.tokens if place.told else None,
            place.folder,
        )
        for place in places
    )
    left_out = (*found.left_out, *other_stages, *doubles)
    whole = CheckpointSeries(id=series, checkpoints=points, source=_shown(source), left_out=left_out)
    return whole.select(steps)


def _shown(source: str) -> str:
    """Return a source as it may be stored and shown: an address without user and password."""
    return without_secrets(source) if "://" in source and "@" in source else source


def _one_stage(places: Sequence[Location]) -> tuple[list[Location], list[str]]:
    """Return the places of the first stage of training, and a sentence on each later stage: steps start anew there."""
    stages = sorted({stage for place in places if (stage := _stage(place))})
    kept = [place for place in places if _stage(place) in ((), *stages[:1])]
    return kept, [_other_stage(*stage) for stage in stages[1:]]


def _stage(place: Location) -> tuple[int, ...]:
    """Return the number of the stage and of its ingredient; () where the name tells no stage."""
    told = place.told
    numbers = (told.stage, told.ingredient) if told else ()
    return tuple(number for number in numbers if number is not None)


def _other_stage(stage: int, ingredient: int | None = None) -> str:
    told = f"stage {stage}" if ingredient is None else f"ingredient {ingredient} of stage {stage}"
    prefix = f"stage{stage}-" if ingredient is None else f"stage{stage}-ingredient{ingredient}-"
    return f"{told} of the training has steps of its own; --naming '{prefix}step{{step}}*' reads them"


def _open(place: Location) -> TensorStore:
    """Open a place; a function of the module, so that a checkpoint can travel to another process."""
    return open_tensors(place.folder())


def _ordered(source: str, found: Sequence[Location]) -> tuple[list[Location], list[str]]:
    """Return the places in order of their steps, and a sentence on each that stands beside another of its step."""
    places = sorted(found, key=lambda place: -1 if place.step is None else place.step)
    chosen, left_out = [], []
    for _, group in groupby(places, key=lambda place: place.step):
        kept, others = _one_of(source, list(group))
        chosen.append(kept)
        left_out += [
            f"{place.revision} holds no weights, and {kept.revision} is step {kept.step} too"
            for place in others
        ]
    return chosen, left_out


def _one_of(source: str, places: list[Location]) -> tuple[Location, list[Location]]:
    """Return the place of a step, and those without weights beside it; two with weights are refused.

    Two names of one commit are one place.
    """
    places = list({place.revision: place for place in places}.values())
    if len(places) == 1:
        return places[0], []
    full = [place for place in places if _has_weights(place)]
    if len(full) != 1:
        first, second, *_ = full or places
        step = "a checkpoint without a step" if first.step is None else f"step {first.step}"
        raise CheckpointMissing(
            f"{source} has {step} twice: {first.revision} and {second.revision}; take one away, or tell with --naming "
            "which names are steps"
        )
    return full[0], [place for place in places if place is not full[0]]


def _has_weights(place: Location) -> bool:
    try:
        return has_weights(place.folder())
    except SourceError:
        return False


def _parse_steps(steps: str) -> set[int]:
    parts = [part.strip() for part in steps.split(",")]
    if not all(part.isascii() and part.isdecimal() and len(part) <= 15 for part in parts):
        raise OptionError(f"steps is all, paper, or numbers joined by commas, not {steps!r}")
    return {int(part) for part in parts}
