"""Words of a user's, checked when they are put into a record: what does not fit is one sentence, an `OptionError`."""

from typing import Any, Self

from annotated_types import MaxLen
from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic.fields import FieldInfo

from neuromfa.declared import in_words, without_none
from neuromfa.errors import OptionError
from neuromfa.field_texts import texts_of


class Words(BaseModel):
    """A frozen record whose fields say what is allowed; making one raises `OptionError` where a value is not."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Give each field the text below it as its meaning."""
        told = texts_of(cls)
        for name, field in cls.model_fields.items():
            field.description = field.description or told.get(name)

    @model_validator(mode="wrap")
    @classmethod
    def _in_one_sentence(cls, values: Any, check: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return check(values)
        except ValidationError as error:
            raise OptionError(_sentence(cls, error)) from None


def allows_none(field: FieldInfo) -> bool:
    """Return whether a field may be None."""
    return without_none(field.annotation)[1]


def _sentence(record: type[BaseModel], error: ValidationError) -> str:
    fault = error.errors()[0]
    name = ".".join(map(str, fault["loc"]))
    if name not in record.model_fields:
        return f"{record.__name__} takes {', '.join(record.model_fields)}, not {name[:60]!r}"
    is_allowed = f"{name} is {_allowed(record.model_fields[name])}"
    missing = fault["type"] == "missing"
    return f"{is_allowed}; it is missing" if missing else f"{is_allowed}, not {_shown(fault['input'])}"


def _allowed(field: FieldInfo) -> str:
    """Return in words what a field takes."""
    kind, optional = without_none(field.annotation)
    words = in_words(kind, field.metadata) or " ".join(["text", *filter(None, map(_shape, field.metadata))])
    if kind is str and field.examples:
        words += f", such as {field.examples[0]}"
    return f"{words}, or none" if optional else words


def _shape(rule: Any) -> str | None:
    """Return what a rule says of a text, None where that is not worth a word."""
    if isinstance(rule, MaxLen):
        return f"of at most {rule.max_length} characters"
    pattern = getattr(rule, "pattern", None)
    return pattern and f"of the form {pattern}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
