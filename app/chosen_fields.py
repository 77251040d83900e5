"""Answers that hold only the fields that were asked for, and what the contract says of them."""

from typing import Annotated, Any, Union

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema
from typing_extensions import TypedDict

from neuromfa.declared import fields_of

JSON = "application/json"


def chosen_json(answer: BaseModel, response: Response, include: dict[str, Any] | None) -> Response:
    """Return an answer as JSON.

    Parameters
    ----------
    response : whose headers it takes
    include : what is wanted, level by level as pydantic has it, beside all fields of levels that are not named; None
        for everything
    """
    wanted = include and {name: include.get(name, True) for name in type(answer).model_fields}
    text = answer.model_dump_json(include=wanted, by_alias=True)
    return Response(text, media_type=JSON, headers=dict(response.headers))


def with_some(listing: type[BaseModel], *, items: type) -> Any:
    """Return the type of a list, or of one whose items hold some of the fields of a record, for the contract.

    What it says is made when the contract is.
    """

    class Either:
        __pydantic_config__ = ConfigDict(defer_build=True)

        @classmethod
        def __get_pydantic_core_schema__(cls, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
            return handler.generate_schema(Union[listing, _some(listing, items)])  # noqa: UP007  not known to mypy

    return Either


def _some(listing: type[BaseModel], items: type) -> Any:
    some = TypedDict(  # type: ignore[misc]
        f"SomeOf{items.__name__}",
        {
            name: Annotated[
                field.kind | None if field.optional else field.kind, Field(description=field.meaning)
            ]
            for name, field in fields_of(items).items()
        },
        total=False,
    )
    told = "This part, of each item the fields that were asked for."
    return create_model(
        f"{listing.__name__}OfFields", __base__=listing, items=(list[some], Field(description=told))
    )
