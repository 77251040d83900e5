"""A series of checkpoints: a source as a person names it becomes steps that can be opened one by one."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neuromfa.checkpoints.sources import INDEX_FILES, SINGLE_FILES, LocalFolder, local_path, open_tensors
from neuromfa.checkpoints.tensors import TensorStore
from neuromfa.errors import CheckpointMissing, OptionError

if TYPE_CHECKING:
    from neuromfa.checkpoints.sampling import SampledCheckpoint

ALL, PAPER = "all", "paper"
PAPER_STEPS = frozenset([0, *(2**k for k in range(10)), 1000, 3000, *range(13_000, 143_001, 10_000)])
STEP_NAME = re.compile(r"(?:step_?|checkpoint-|global_step)(\d{1,15})")
NAMINGS = "step{n}, step_{n}, checkpoint-{n}, global_step{n}"


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
    """

    step: int | None
    revision: str
    series: str
    architecture: Path | None
    opener: Callable[[], TensorStore]

    def open(self) -> TensorStore:
        """Open the tensors; the caller closes the store."""
        return self.opener()

    def networks(self, *, nodes: int | None, seeds: Sequence[int], row_rule: str) -> "SampledCheckpoint":
        """Sample one network a seed in one pass over the file; nodes None gives one lazy whole network."""
        from neuromfa.checkpoints.sampling import sample_checkpoint

        return sample_checkpoint(self, nodes=nodes, seeds=seeds, row_rule=row_rule)

    def reinit(self, *, nodes: int | None, seeds: Sequence[int], row_rule: str) -> "SampledCheckpoint":
        """Sample the same neurons with weights drawn by the architecture's initialisation formulas."""
        from neuromfa.checkpoints.initialisation import reinitialise_checkpoint

        return reinitialise_checkpoint(self, nodes=nodes, seeds=seeds, row_rule=row_rule)


@dataclass(frozen=True, eq=False)
class CheckpointSeries:
    """Checkpoints of one model in the order of training.

    Attributes
    ----------
    id : name of the model
    checkpoints : ascending by step
    source : what the person named
    """

    id: str
    checkpoints: tuple[Checkpoint, ...]
    source: str

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
        return CheckpointSeries(id=self.id, checkpoints=chosen, source=self.source)

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
) -> CheckpointSeries:
    """Open a series from a local folder of steps, one folder, a hub repository, or a URL.

    Parameters
    ----------
    source : path, hub id such as ``EleutherAI/pythia-70m-deduped``, or URL
    steps : see `CheckpointSeries.select`
    revision : one branch, tag or commit of a hub repository
    model_id : name of the model in results; a local folder's own name otherwise
    architecture : a user's architecture file
    download : fetch whole files of a hub repository first

    Raises
    ------
    CheckpointMissing
        Nothing there, or nothing that is a checkpoint; says what was looked for.
    """
    return _local_series(source, model_id, architecture).select(steps)


def step_of(name: str) -> int | None:
    """Return the step a folder or branch is named after, or None."""
    found = STEP_NAME.fullmatch(name)
    return int(found[1]) if found else None


def _local_series(source: str, model_id: str | None, architecture: Path | None) -> CheckpointSeries:
    path = local_path(source)
    _check_folder(source, path)
    series = model_id or path.resolve().name

    def checkpoint(folder: Path, step: int | None) -> Checkpoint:
        name = folder.resolve().name
        return Checkpoint(step, name, series, architecture, lambda: open_tensors(LocalFolder(folder)))

    found = _ordered((step_of(entry.name), entry) for entry in path.iterdir() if entry.is_dir())
    points = [checkpoint(folder, step) for step, folder in found]
    if not points and any((path / filename).is_file() for filename in (*SINGLE_FILES, *INDEX_FILES)):
        points = [checkpoint(path, None)]
    if not points:
        raise CheckpointMissing(
            f"{source} holds no checkpoint; looked for folders named {NAMINGS} and for "
            f"{', '.join((*SINGLE_FILES, *INDEX_FILES))}"
        )
    return CheckpointSeries(id=series, checkpoints=tuple(points), source=source)


def _check_folder(source: str, path: Path) -> None:
    if not path.exists():
        raise CheckpointMissing(f"{source} does not exist")
    if not path.is_dir():
        raise CheckpointMissing(f"{source} is a file; name the folder it stands in")


def _ordered(found: Iterable[tuple[int | None, Path]]) -> list[tuple[int, Path]]:
    """Return the named steps in ascending order; two folders of one step are refused."""
    steps = sorted((step, entry) for step, entry in found if step is not None)
    for (step, entry), (again, other) in zip(steps, steps[1:], strict=False):
        if step == again:
            raise CheckpointMissing(f"{entry.parent} has step {step} twice: {entry.name} and {other.name}")
    return steps


def _parse_steps(steps: str) -> set[int]:
    parts = [part.strip() for part in steps.split(",")]
    if not all(part.isascii() and part.isdecimal() and len(part) <= 15 for part in parts):
        raise OptionError(f"steps is all, paper, or numbers joined by commas, not {steps!r}")
    return {int(part) for part in parts}
