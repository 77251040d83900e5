"""Trying a checkpoint: which family fits it by names and shapes, and what each of its tensors would be."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from neuromfa.checkpoints.architecture.detect import known_by_names, nearest_family
from neuromfa.checkpoints.architecture.files import parse_architecture
from neuromfa.checkpoints.architecture.fitted import Fit
from neuromfa.checkpoints.architecture.match import fit, fit_as, fits
from neuromfa.checkpoints.architecture.propose import Draft, draft
from neuromfa.checkpoints.formats.tensor_store import TensorStore
from neuromfa.errors import SourceError


@dataclass(frozen=True)
class TriedTensor:
    """Tensors that differ in the number of their block only, and what they would be."""

    name: str
    shape: list[int]
    tensors: int
    part: str


@dataclass(frozen=True)
class Trial:
    """What a checkpoint is like.

    Attributes
    ----------
    found : the family it is read as without a further word, None where it is refused
    refusal : why it is refused
    fitting : families that fit by names and shapes, the likeliest first
    nearest : the family whose tensor names are nearest
    tensors : what each would be in the family found, or else in the first that fits, or else in a first file
    assumed : what a first file takes for granted, None where there is no need of one or none can be made out
    """

    source: str
    model_type: str | None
    found: str | None
    refusal: str | None
    fitting: list[str]
    nearest: str
    tensors: list[TriedTensor]
    assumed: list[str] | None

    @property
    def flag(self) -> str | None:
        """The words that read it, where it is refused without."""
        return f"--architecture {self.fitting[0]}" if self.found is None and self.fitting else None


def try_checkpoint(tensors: TensorStore) -> Trial:
    """Lay every known family over a checkpoint; no weight is read."""
    try:
        own, refusal = fit(tensors, tensors.config), None
    except SourceError as error:
        own, refusal = None, str(error)
    fitting = [*fits(known_by_names(tensors.names()), tensors, tensors.config)]
    shown, drafted = own or next(iter(fitting), None), None
    if shown is None and (told := _drafted(tensors, name="first")) is not None:
        drafted, shown = told
    model_type = tensors.config.get("model_type")
    return Trial(
        source=tensors.name,
        model_type=None if model_type is None else str(model_type),
        found=own.architecture.name if own else None,
        refusal=refusal,
        fitting=[one.architecture.name for one in fitting],
        nearest=nearest_family(tensors.names()),
        tensors=_tried(tensors, _parts(shown) if shown else {}),
        assumed=drafted.assumed if drafted else None,
    )


def first_draft(tensors: TensorStore, *, path: Path) -> Draft | None:
    """Return a first architecture file that reads these tensors, named after the file it will stand in."""
    name = re.sub(r"[^a-z0-9]+", "_", path.stem.lower()).strip("_")
    told = _drafted(tensors, name=name if name[:1].isalpha() else f"model_{name}")
    return None if told is None else told[0]


def _drafted(tensors: TensorStore, *, name: str) -> tuple[Draft, Fit] | None:
    """Return a first file, laid over the tensors; None where none can be made out, or it would not read them."""
    drafted = draft(tensors, name=name)
    if drafted is None:
        return None
    try:
        return drafted, fit_as(parse_architecture(json.dumps(drafted.content), where=name), tensors)
    except SourceError:
        return None


def _parts(fitted: Fit) -> dict[str, str]:
    """Return what every tensor of a checkpoint is in a family."""
    return {entry.name: f"skipped: {entry.reason}" for entry in fitted.coverage.skipped} | dict(_used(fitted))


def _used(fitted: Fit) -> Iterator[tuple[str, str]]:
    kinds: dict[str, list[str]] = {}
    for link, source, target in zip(fitted.links, fitted.rows, fitted.rows[1:], strict=False):
        for kind, matrix in zip(target.kinds, link.by_kind, strict=False):
            for name in matrix.tensors:
                kinds.setdefault(name, []).append(f"{source.row} to {kind}")
    return ((name, ", ".join(dict.fromkeys(parts))) for name, parts in kinds.items())


def _tried(tensors: TensorStore, parts: dict[str, str]) -> list[TriedTensor]:
    """Return the tensors, those of equal blocks as one."""
    found: dict[tuple[str, tuple[int, ...], str], int] = {}
    for name in tensors.names():
        pattern = re.sub(r"(?<=\.)\d+(?=\.)", "*", name)
        part = re.sub(r" to (input|output)\b", " to the next block", parts.get(name, "not told"))
        key = (pattern, tensors.info(name).shape, part)
        found[key] = found.get(key, 0) + 1
    return [
        TriedTensor(pattern, list(shape), count, part)
        for (pattern, shape, part), count in sorted(found.items())
    ]
