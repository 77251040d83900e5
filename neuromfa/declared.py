"""Fields declared once: what a field of a record may hold, in words, and one sentence for what it may not.

A field is declared by its type, `pydantic.Field` bounds and the two marks below; command line, REST, docs and JSON
schema are made from that.
"""

import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, astuple, dataclass, fields
from functools import cache
from threading import RLock
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from neuromfa.errors import OptionError
from neuromfa.field_texts import texts_of

T = TypeVar("T")

_MAKING = RLock()


def _tell(schema: dict[str, Any], record: type) -> None:
    """Give the fields of a schema the meanings they have in the record, under whichever name they stand."""
    told, properties = texts_of(record), schema.get("properties", {})
    for name, alias in _aliases(record).items():
        for field in (properties.get(name), properties.get(alias)):
            if field is not None and name in told:
                field.setdefault("description", told[name])


DOCUMENTED = ConfigDict(json_schema_extra=_tell, defer_build=True)
"""Of a record: the text below a field is its meaning in every schema, also in those of records made of it.

What checks and writes a record is made when it is first needed: all of them together take longer than a start may.
"""


@dataclass(frozen=True)
class NoneMeans:
    """A mark: the word people write where a field is None, such as ``all``."""

    word: str


@dataclass(frozen=True)
class Allowed:
    """A mark: what a field may hold, where bounds do not say it."""

    words: str


@dataclass(frozen=True)
class Declared:
    """One field.

    Attributes
    ----------
    name : in Python
    alias : in JSON, on the command line and in REST, where it differs
    kind : type without None and bounds
    optional : it may be None
    default : or `MISSING`
    meaning : what it is, from the text below it
    bounds : what validates it besides its type
    marks : all that stands with it
    """

    name: str
    alias: str
    kind: Any
    optional: bool
    default: Any
    meaning: str
    bounds: tuple[Any, ...]
    marks: tuple[Any, ...]

    def mark(self, kind: type[T]) -> T | None:
        """Return the mark of a kind, None without it."""
        return next((mark for mark in self.marks if isinstance(mark, kind)), None)

    @property
    def allowed(self) -> str:
        """What the field may hold, in words."""
        said = self.mark(Allowed)
        if said is not None:
            return said.words
        words = in_words(self.kind, self.bounds)
        none = self.mark(NoneMeans)
        return f"{words} or {none.word}" if none else words


def fields_of(record: Any) -> Mapping[str, Declared]:
    """Return the declared fields of a record by name."""
    return _fields_of(record)


@cache
def _fields_of(record: Any) -> Mapping[str, Declared]:
    hints, meanings = get_type_hints(record, include_extras=True), texts_of(record)
    return {
        field.name: _declared(field, hints[field.name], meanings.get(field.name, ""))
        for field in fields(record)
    }


@cache
def _aliases(record: Any) -> dict[str, str]:
    """Return how the fields of a record are called elsewhere, by name."""
    return {name: field.alias for name, field in fields_of(record).items()}


def adapter(kind: Any) -> TypeAdapter[Any]:
    """Return the validator and serialiser of a type, made once."""
    with _MAKING:
        return _adapter(kind)


def checked(record: Any, name: str, value: Any) -> Any:
    """Return a field's value in its declared form; `OptionError` says what is allowed."""
    try:
        return _field_adapter(record, name).validate_python(value)
    except ValidationError:
        raise OptionError(refusal(record, name, value)) from None


def refusal(record: Any, name: str, value: Any) -> str:
    """Return the sentence for a value that a field may not hold."""
    field = fields_of(record)[name]
    shown = "" if isinstance(value, list | tuple) else f", not {value!r}"
    return f"{field.alias} is {field.allowed}{shown}"


def sentence(error: ValidationError, named: Callable[[str], str] = str) -> str:
    """Return one sentence for the first fault of values that came as JSON; `named` says what a place is called."""
    fault = error.errors()[0]
    place = ".".join(map(str, fault["loc"]))
    return f"{named(place)}: {fault['msg']}" if place else fault["msg"]


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    made = TypeAdapter(kind)
    made.rebuild()
    return made


@cache
def _field_adapter(record: Any, name: str) -> TypeAdapter[Any]:
    field = fields_of(record)[name]
    kind = field.kind | None if field.optional else field.kind
    return TypeAdapter(Annotated[kind, *field.bounds] if field.bounds else kind)


def _declared(field: Field[Any], hint: Any, meaning: str) -> Declared:
    base, *marks = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    infos = [mark for mark in marks if isinstance(mark, FieldInfo)]
    bounds = [bound for info in infos for bound in info.metadata]
    bounds += [mark for mark in marks if not isinstance(mark, FieldInfo | NoneMeans | Allowed)]
    alias = next((info.alias for info in infos if info.alias), field.name)
    meaning = next((info.description for info in infos if info.description), meaning)
    kind, optional = without_none(base)
    return Declared(field.name, alias, kind, optional, field.default, meaning, tuple(bounds), tuple(marks))


def without_none(base: Any) -> tuple[Any, bool]:
    """Return a type without None, and whether None was part of it."""
    if get_origin(base) not in (Union, types.UnionType):
        return base, False
    inner = tuple(kind for kind in get_args(base) if kind is not types.NoneType)
    return inner[0] if len(inner) == 1 else Union[inner], len(inner) < len(get_args(base))  # noqa: UP007


def in_words(kind: Any, bounds: Iterable[Any]) -> str:
    """Return which values of a kind lie within bounds, in words; nothing for text."""
    return _choice(get_args(kind)) if get_origin(kind) is Literal else _range(bounds)


def _choice(values: Iterable[Any]) -> str:
    *others, last = map(str, values)
    return f"{', '.join(others)} or {last}" if others else last


def _range(marks: Iterable[Any]) -> str:
    """Return bounds in words: ``1..100``, ``above 0 and at most 5``, ``0 or more``."""
    bounds = {type(mark): astuple(mark)[0] for mark in marks if isinstance(mark, Ge | Gt | Le | Lt)}
    if bounds.keys() == {Ge, Le}:
        return f"{bounds[Ge]}..{bounds[Le]}"
    if bounds.keys() == {Ge}:
        return f"{bounds[Ge]:g} or more"
    words = {Gt: "above", Ge: "at least", Lt: "below", Le: "at most"}
    return " and ".join(f"{word} {bounds[kind]:g}" for kind, word in words.items() if kind in bounds)
