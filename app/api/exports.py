"""Routes of tables: the results of a model as a file."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response

from neuromfa.app.dependencies import ModelId, Results
from neuromfa.app.etags import Tag
from neuromfa.app.file_responses import file_answer, file_contract
from neuromfa.exports import RESULT_FORMATS
from neuromfa.model_id import in_route

router = APIRouter(prefix="/v1/export", tags=["series"])

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
def export_results(
    model: ModelId,
    format: Annotated[Literal["csv", "parquet", "arrow"], Path(description="Form of the table.")],
    results: Results,
    tag: Tag,
) -> Response:
    """Return the results of all steps as a table, as `neuromfa export` writes it."""
    tag.by((result.analysis_hash for result in results), format)
    form = RESULT_FORMATS[format]
    name = in_route(model) + form.suffix
    write = partial(form.write, results)
    return file_answer(write, name=name, media_type=FILE_TYPES[format], headers=tag.headers)
