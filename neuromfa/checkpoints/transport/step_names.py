"""What the name of a folder, a branch or a tag tells: the training step, and the tokens seen where it says so."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from neuromfa.errors import OptionError

NUMBER = r"\d{1,3}(?:,\d{3})+|\d{1,15}"
TOKENS = r"\d{1,15}(?:\.\d{1,6})?[KMBTkmbt]?"
KNOWN = re.compile(
    r"(?:stage(?P<stage>\d{1,3})-(?:ingredient(?P<ingredient>\d{1,3})-)?)?(?:epoch[-_=]?\d{1,9}[-_])?"
    r"(?:(?:step|global[-_]step)[-_=]?|(?:checkpoint|iter|iteration|ckpt|samples)[-_])"
    rf"(?P<step>{NUMBER})(?:[-_]tokens[-_]?(?P<tokens>{TOKENS}))?"
    # what training programs add to folders: weights put together again, and Lightning's own suffix
    r"(?:-unsharded|-hf)?(?:\.ckpt)?",
    re.ASCII,
)
NAMINGS = (
    "step{n}, step_{n}, step-{n}, step{n}-tokens{m}, stage{k}-step{n}, checkpoint-{n}, global_step{n}, "
    "iter_{n}, iteration_{n}, ckpt_{n}, samples_{n}, epoch={k}-step={n}"
)
STEP_FIELDS = ("{n}", "{step}")
FIELDS = {
    "{n}": rf"(?P<step>{NUMBER})",
    "{step}": rf"(?P<step>{NUMBER})",
    "{tokens}": rf"(?P<tokens>{TOKENS})",
    "*": ".*",
}
FIELD = re.compile("|".join(map(re.escape, FIELDS)))
# each further one multiplies the ways in which a long name can be tried
MOST_STARS = 3
THOUSANDS = {"": 0, "K": 1, "M": 2, "B": 3, "T": 4}


@dataclass(frozen=True)
class StepName:
    """What a name tells.

    Attributes
    ----------
    step : training step
    tokens : tokens seen until then, None where the name does not say
    stage : stage of training, None where the name tells none
    ingredient : number of one of several runs of a stage, None where the name tells none
    """

    step: int
    tokens: int | None = None
    stage: int | None = None
    ingredient: int | None = None


Naming = Callable[[str], StepName | None]
"""Reads a name; None for one that tells no step."""


def step_name(name: str) -> StepName | None:
    """Read a name under the namings in use, those of `NAMINGS`."""
    return _told(KNOWN.fullmatch(name))


def is_naming(text: str) -> bool:
    """Tell whether a text has a place for the step in it, as ``ckpt_{n}`` has."""
    return any(field in text for field in STEP_FIELDS)


def naming(text: str) -> Naming:
    """Return what reads names under a naming of one's own.

    Parameters
    ----------
    text : such as ``{step}-tokens{tokens}``; ``*`` stands for any text

    Raises
    ------
    OptionError : the step has no place in it, a field stands twice, or too many stars
    """
    fields = FIELD.findall(text)
    named = ["{step}" if field in STEP_FIELDS else field for field in fields if field != "*"]
    if "{step}" not in named or len(set(named)) < len(named) or fields.count("*") > MOST_STARS:
        raise OptionError(
            f"a naming is a text with {{step}} in it once, {{tokens}} at most once and * at most {MOST_STARS} times, "
            f"not {text!r}"
        )
    literals = [re.escape(part) for part in FIELD.split(text)]
    pattern = re.compile("".join(_interleaved(literals, [FIELDS[field] for field in fields])), re.ASCII)
    return lambda name: _told(pattern.fullmatch(name))


def _interleaved(literals: list[str], fields: list[str]) -> list[str]:
    return [part for pair in zip(literals, [*fields, ""], strict=True) for part in pair]


def _told(found: re.Match[str] | None) -> StepName | None:
    if found is None:
        return None
    groups = found.groupdict()
    tokens = groups.get("tokens")
    return StepName(
        step=int(groups["step"].replace(",", "")),
        tokens=None if tokens is None else _count(tokens),
        stage=_number(groups.get("stage")),
        ingredient=_number(groups.get("ingredient")),
    )


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _count(text: str) -> int:
    """Return ``4B`` as 4 000 000 000."""
    digits = text.rstrip("KMBTkmbt")
    times: int = 1000 ** THOUSANDS[text.removeprefix(digits).upper()]
    return round(float(digits) * times)
