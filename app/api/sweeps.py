"""The route of how the stored numbers of a series depend on one option."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from neuromfa.app.dependencies import Chosen, ModelId
from neuromfa.app.memory.answering import Answers
from neuromfa.app.memory.series_parts import json_of, points_of
from neuromfa.app.rooms import seated
from neuromfa.app.table_forms import table_of
from neuromfa.graph import GraphStore
from neuromfa.graph.stored_series import SeriesIndex
from neuromfa.stored_sweep import Values, stored_sweep, stored_values
from neuromfa.sweep import SWEPT, Sweep

router = APIRouter(prefix="/v1/models", tags=["series"], route_class=seated("table"))

Option = Annotated[
    Literal[SWEPT], Query(description="The option the analyses differ in.", examples=["nodes"])  # type: ignore[valid-type]
]


@router.get("/{model}/sweep", response_model=Sweep, openapi_extra=table_of("points"))
async def read_sweep(model: ModelId, option: Option, choice: Chosen, answers: Answers) -> Response:
    """Return alpha0, width, E, excess and the effect at every value of one option, of stored analyses alike otherwise.

    Of all analyses that fit what is asked for, the first is taken that has others which differ from it in this option
    alone: `options` holds its values of all options. `neuromfa ingest SOURCE --sweep nodes=16,32,64` measures such a
    series of analyses.
    """
    index = await answers.series(model)
    base, values = stored_values(model, index.analyses, option, **asdict(choice))

    def make(store: GraphStore) -> bytes:
        curves = {value: points_of(store, index.newest(one.options_hash)) for value, one in values.items()}
        return json_of(stored_sweep(model, option, base.options, values, curves))

    return await answers.answer([index], _names(index, values), make=make)


def _names(index: SeriesIndex, values: Values) -> Iterator[str]:
    """Yield what changes with anything that is shown."""
    for value, analysis in values.items():
        yield f"{value} {analysis.options_hash}"
        yield from (step.name for step in index.newest(analysis.options_hash))
