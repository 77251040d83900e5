"""Routes of tables: the results of a model as a file."""

from dataclasses import asdict
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response

from neuromfa.app.dependencies import Chosen, ModelId
from neuromfa.app.file_responses import file_contract, written
from neuromfa.app.memory.answering import Answers
from neuromfa.app.memory.series_parts import results_of
from neuromfa.app.rooms import seated
from neuromfa.exports import RESULT_FORMATS
from neuromfa.graph import GraphStore
from neuromfa.model_id import in_route

router = APIRouter(prefix="/v1/export", tags=["series"], route_class=seated("table"))

FILE_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.file",
}


@router.get(
    "/{model}.{format}",
    response_class=Response,
    responses=file_contract(FILE_TYPES.values()),
)
async def export_results(
    model: ModelId,
    format: Annotated[Literal["csv", "parquet", "arrow"], Path(description="Form of the table.")],
    choice: Chosen,
    answers: Answers,
) -> Response:
    """Return the results of all steps as a table, as `neuromfa export` writes it."""
    index = await answers.series(model)
    steps = index.newest(index.choose(**asdict(choice)).analysis.options_hash)
    form = RESULT_FORMATS[format]

    def make(store: GraphStore) -> bytes:
        return written(partial(form.write, list(results_of(store, steps))))

    names = [*(one.name for one in steps), format]
    return await answers.answer(
        [index], names, make=make, media_type=FILE_TYPES[format], name=in_route(model) + form.suffix
    )
