"""The route of several series beside one another, from what is stored of them."""

from asyncio import gather
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import StringConstraints

from neuromfa.app.dependencies import Chosen
from neuromfa.app.memory.answering import Answers
from neuromfa.app.memory.series_parts import json_of, points_of, results_of
from neuromfa.app.rooms import seated
from neuromfa.comparison import (
    Comparison,
    Group,
    Source,
    check_groups,
    check_series,
    compare,
    group_from,
    needed_steps,
)
from neuromfa.comparison.compare import FEWEST_SERIES, MOST_SERIES
from neuromfa.comparison.records import By
from neuromfa.graph import GraphStore
from neuromfa.graph.stored_series import SeriesIndex, StoredStep
from neuromfa.model_id import LARGEST_BYTES, check_model_id, from_route
from neuromfa.stored import Analysis
from neuromfa.structure import Step

# at their largest all words of the address still fit into the 64 KiB that the server reads of one
MOST_GROUPS, LONGEST_GROUP = 4, 600

router = APIRouter(prefix="/v1", tags=["series"], route_class=seated("table"))

Models = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=LARGEST_BYTES)]],
    Query(
        min_length=FEWEST_SERIES,
        max_length=MOST_SERIES,
        description="Id of a model, its `/` as it is or written `--`; once for each series.",
        examples=[["stdlib-14m", "stdlib-14m-decay1"]],
    ),
]
Groups = Annotated[
    list[Annotated[str, StringConstraints(max_length=LONGEST_GROUP)]],
    Query(
        default_factory=list,
        max_length=MOST_GROUPS,
        description="Replicates, runs of one training with other seeds: `name:a,b` with ids as in `model`.",
        examples=[["plain:stdlib-14m,stdlib-14m-decay1"]],
    ),
]
Axis = Annotated[By, Query(description="Axis: step, tokens, or share of training (step / last step).")]


@router.get("/compare", response_model=Comparison)
async def read_comparison(
    answers: Answers,
    choice: Chosen,
    model: Models,
    group: Groups,
    by: Axis = "step",
) -> Response:
    """Return two to sixteen series beside one another: which hold structure that scale does not explain, which differ.

    Of each series the analysis with most steps is taken, or the one that is asked for; `warnings` says in what they
    were not measured alike. Intervals speak of other neurons of the same weights; only groups of replicates tell what
    training again would give.
    """
    models = [check_model_id(from_route(one)) for one in model]
    groups = [_with_ids(group_from(one, separator=":")) for one in group]
    check_series(models)
    check_groups(groups, known=models)
    indexes = await gather(*map(answers.series, models))
    compared = [_Compared(index, index.choose(**asdict(choice)).analysis) for index in indexes]

    def make(store: GraphStore) -> bytes:
        sources = [one.source(store) for one in compared]
        whole = needed_steps(sources, by=by)
        complete = [one.whole(store, own, whole[own.id]) for one, own in zip(compared, sources, strict=True)]
        return json_of(compare(complete, by=by, groups=groups))

    told = (f"{one.name}:{','.join(one.series)}" for one in groups)
    return await answers.answer(indexes, [*chain(*(one.names() for one in compared)), by, *told], make=make)


def _with_ids(group: Group) -> Group:
    return replace(group, series=tuple(map(from_route, group.series)))


@dataclass(frozen=True)
class _Compared:
    """A series and the analysis of it that is compared."""

    index: SeriesIndex
    analysis: Analysis

    @property
    def steps(self) -> Sequence[StoredStep]:
        """Its newest results."""
        return self.index.newest(self.analysis.options_hash)

    def names(self) -> Iterator[str]:
        """Yield what changes with anything that is shown of it."""
        return (f"{self.index.model} {one.name}" for one in self.steps)

    def source(self, store: GraphStore) -> Source:
        """Return its curve."""
        return Source(self.index.model, self.analysis.options, points_of(store, self.steps))

    def whole(self, store: GraphStore, source: Source, steps: set[Step]) -> Source:
        """Return it with its whole results at some steps."""
        wanted = [one for one in self.steps if one.step in steps]
        return replace(source, whole={one.step: one for one in results_of(store, wanted)})
