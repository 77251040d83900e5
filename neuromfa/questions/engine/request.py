"""A question with where it is put and who answers: made of words, by the command line and by the service alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic.fields import FieldInfo

from neuromfa.errors import OptionError
from neuromfa.questions.engine.explorer import Where
from neuromfa.questions.engine.faults import Words
from neuromfa.questions.engine.question import EngineChoice, Question

W = TypeVar("W", bound=Words)


class Way(Words):
    """Who answers."""

    engine: EngineChoice = "auto"
    """The server by Cypher, or this process by numpy: equal answers; auto: the faster one."""


@dataclass(frozen=True)
class QuestionRequest:
    """A question, the words that find what it is put to, and who answers."""

    where: Where[Any]
    question: Question[Any, Any]
    engine: EngineChoice


def words_of(kind: type[Question[Any, Any]]) -> dict[str, FieldInfo]:
    """Return the words of a question by name: where it is put, what is asked, who answers."""
    return {name: field for record in (kind.where, kind, Way) for name, field in record.model_fields.items()}


def example_of(kind: type[Question[Any, Any]]) -> dict[str, Any]:
    """Return the words of an asking that the bundled series answers: what is needed, and what keeps it small."""
    first = {name: field.examples[0] for name, field in words_of(kind).items() if field.examples}
    return {name: value for name, value in first.items() if value != words_of(kind)[name].default}


def request_of(kind: type[Question[Any, Any]], words: Mapping[str, Any]) -> QuestionRequest:
    """Return the request that the words make; numbers may be given as text.

    Raises
    ------
    OptionError : a word it does not know, one it misses, or a value outside what is allowed
    """
    known = words_of(kind)
    missing = [name for name, field in known.items() if field.is_required() and name not in words]
    unknown = sorted(set(words) - set(known))
    if missing or unknown:
        example = (f"{name}={value}" for name, value in example_of(kind).items())
        raise OptionError(
            f"{kind.about.name} takes {', '.join(known)}; missing {', '.join(missing) or 'none'}, "
            f"unknown {', '.join(unknown) or 'none'}; an example is {' '.join(example)}"
        )
    where, question = _made(kind.where, words), _made(kind, words)
    return QuestionRequest(where, question, _made(Way, words).engine)


def _made(record: type[W], words: Mapping[str, Any]) -> W:
    """Return the record of those of the words that are its fields."""
    return record(**{name: words[name] for name in record.model_fields if name in words})
