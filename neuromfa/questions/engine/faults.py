"""Words of a user's, checked when they are put into a record: what does not fit is one sentence, an `OptionError`."""

from typing import Any, Literal, Self, get_args, get_origin

import annotated_types as bounds
from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic.fields import FieldInfo

from neuromfa.errors import OptionError

KINDS: dict[Any, str] = {int: "a whole number", float: "a number", str: "text"}


class Words(BaseModel):
    """A frozen record whose fields say what is allowed; making one raises `OptionError` where a value is not."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="wrap")
    @classmethod
    def _in_one_sentence(cls, values: Any, check: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return check(values)
        except ValidationError as error:
            raise OptionError(_sentence(cls, error)) from None


def allows_none(field: FieldInfo) -> bool:
    """Return whether a field may be None."""
    return type(None) in get_args(field.annotation)


def _sentence(record: type[BaseModel], error: ValidationError) -> str:
    fault = error.errors()[0]
    name = ".".join(map(str, fault["loc"]))
    if name not in record.model_fields:
        return f"{record.__name__} takes {', '.join(record.model_fields)}, not {name[:60]!r}"
    is_allowed = f"{name} is {_allowed(record.model_fields[name])}"
    missing = fault["type"] == "missing"
    return f"{is_allowed}; it is missing" if missing else f"{is_allowed}, not {_shown(fault['input'])}"


def _allowed(field: FieldInfo) -> str:
    """Return in words what a field takes: its kind, its bounds, and whether it may be left out."""
    kinds = [kind for kind in get_args(field.annotation) or (field.annotation,) if kind is not type(None)]
    if get_origin(field.annotation) is Literal:
        return f"{', '.join(map(str, kinds[:-1]))} or {kinds[-1]}"
    text = " and ".join(filter(None, map(_bound, field.metadata)))
    told = KINDS.get(kinds[0], "a value") + (f", {text}" if text else "")
    if field.examples and kinds[0] is str:
        told += f", such as {field.examples[0]}"
    return f"{told}, or none" if allows_none(field) else told


def _bound(rule: Any) -> str | None:
    match rule:
        case bounds.Ge(ge=value):
            return f"at least {value:.15g}"
        case bounds.Gt(gt=value):
            return f"above {value:.15g}"
        case bounds.Le(le=value):
            return f"at most {value:.15g}"
        case bounds.Lt(lt=value):
            return f"below {value:.15g}"
        case bounds.MinLen(min_length=value):
            return f"{value} or more characters long"
        case bounds.MaxLen(max_length=value):
            return f"at most {value} characters long"
        case _:
            pattern = getattr(rule, "pattern", None)
            return pattern and f"of the form {pattern}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
