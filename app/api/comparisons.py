"""The route of several series beside one another, from what is stored of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import StringConstraints

from neuromfa.app.dependencies import Choice, Chosen, Store
from neuromfa.app.etags import Tag
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
from neuromfa.graph.result_io import StoredPoint
from neuromfa.model_id import LARGEST_BYTES, check_model_id, from_route
from neuromfa.stored import Analysis
from neuromfa.structure import Step

# at their largest all words of the address still fit into the 64 KiB that the server reads of one
MOST_GROUPS, LONGEST_GROUP = 4, 400

router = APIRouter(prefix="/v1", tags=["series"])

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


@router.get("/compare")
def read_comparison(
    store: Store,
    choice: Chosen,
    tag: Tag,
    model: Models,
    group: Groups,
    by: Axis = "step",
) -> Comparison:
    """Return two to twelve series beside one another: which hold structure that scale does not explain, which differ.

    Of each series the analysis with most steps is taken, or the one that is asked for; `warnings` says in what they
    were not measured alike. Intervals speak of other neurons of the same weights; only groups of replicates tell what
    training again would give.
    """
    models = [check_model_id(from_route(one)) for one in model]
    groups = [_with_ids(group_from(one, separator=":")) for one in group]
    check_series(models)
    check_groups(groups, known=models)
    analyses = {one: _analysis(store, one, choice) for one in models}
    points = {one: store.points(one, options_hash=chosen.options_hash) for one, chosen in analyses.items()}
    tag.by(_hashes(points), by, *(f"{one.name}:{','.join(one.series)}" for one in groups))
    sources = [
        Source(one, chosen.options, [point.read() for point in points[one]])
        for one, chosen in analyses.items()
    ]
    whole = needed_steps(sources, by=by)
    complete = [_with_whole(store, one, analyses[one.id], whole[one.id]) for one in sources]
    return compare(complete, by=by, groups=groups)


def _with_ids(group: Group) -> Group:
    return replace(group, series=tuple(map(from_route, group.series)))


def _analysis(store: GraphStore, model: str, choice: Choice) -> Analysis:
    """Return the analysis of a model that is compared; `NotStored` names a model without one."""
    return store.choose(model, **asdict(choice)).analysis


def _hashes(points: Mapping[str, Sequence[StoredPoint]]) -> list[str]:
    return [
        f"{model} {point.step} {point.analysis_hash}{point.notes}"
        for model, series in points.items()
        for point in series
    ]


def _with_whole(store: GraphStore, source: Source, chosen: Analysis, steps: set[Step]) -> Source:
    """Return a series with its whole results at some steps."""
    whole = {step: store.result(source.id, step, options=chosen.options_hash) for step in steps}
    return replace(source, whole=whole)
