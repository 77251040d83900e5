"""The route of results by the names of their analyses: under such a name nothing ever changes."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Response

from neuromfa.app.memory.answering import Answers
from neuromfa.app.memory.series_parts import immutable_of
from neuromfa.app.rooms import seated
from neuromfa.app.schemas.answers import ImmutableResult

router = APIRouter(prefix="/v1/results", tags=["checkpoints"], route_class=seated("held"))

AnalysisHash = Annotated[
    str, Path(pattern=r"^[0-9a-f]{64}$", description="`analysis_hash` of a spectrum or a point of a curve.")
]


@router.get("/{analysis_hash}", response_model=ImmutableResult)
async def read_result(analysis_hash: AnalysisHash, answers: Answers) -> Response:
    """Return the figures and the spectrum of one analysis of one checkpoint, which may be kept for ever.

    Which step they belong to is told by the routes that name the `analysis_hash`: checkpoints with the same weights
    share it. A result that was deleted may still be answered for a minute.
    """
    return await answers.immutable(analysis_hash, partial(immutable_of, analysis_hash=analysis_hash))
