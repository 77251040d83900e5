"""Several series beside one another: curves on one axis, differences with intervals, replicates, warnings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from neuromfa.beyond_scale import series_verdict
from neuromfa.comparison.align import Axis, axis_of, common
from neuromfa.comparison.comparability import warnings_of
from neuromfa.comparison.differences import (
    between_groups,
    between_runs,
    paired,
    structure_of,
    unpaired,
)
from neuromfa.comparison.plain import plain_differences, plain_values
from neuromfa.comparison.records import (
    COMPARED,
    FEW_RUNS,
    G2,
    MEASURES,
    NO_COMMON_POINT,
    BetweenRuns,
    By,
    Comparison,
    Difference,
    FailedSeries,
    Group,
    GroupPair,
    GroupValues,
    Pair,
    Point,
    Position,
    SeriesCurve,
    Source,
)
from neuromfa.comparison.sizes import by_size, deduped_of
from neuromfa.comparison.values import BySeed, by_seed, values_of
from neuromfa.comparison.words import notes_of, sentence_of
from neuromfa.errors import AnalysisError, OptionError
from neuromfa.mfa.uncertainty import SMALLEST_SAMPLE
from neuromfa.mfa.verdict import LEVEL, holm
from neuromfa.results import CheckpointNumbers, CheckpointResult
from neuromfa.structure import Effect, Step

FEWEST_SERIES, MOST_SERIES = 2, 16


def compare(
    sources: Sequence[Source],
    *,
    by: By = "step",
    groups: Sequence[Group] = (),
    failed: Sequence[FailedSeries] = (),
) -> Comparison:
    """Compare two to sixteen series.

    Parameters
    ----------
    sources : those with numbers; each has a checkpoint
    by : the axis
    groups : replicates, of ids of `sources` and `failed`
    failed : series that were asked for and gave no numbers

    Raises
    ------
    OptionError : too few or too many series, an id twice, a group of unknown series, no place on the axis
    AnalysisError : fewer than two have numbers
    """
    ids = [*(source.id for source in sources), *(one.id for one in failed)]
    check_series(ids)
    check_groups(groups, known=ids)
    if len(sources) < FEWEST_SERIES:
        raise AnalysisError(f"{len(sources)} of {len(ids)} series could be measured; {failed[0].sentence}")
    axes = {source.id: axis_of(source, by) for source in sources}
    pairs = _adjusted([_pair(*two, axes) for two in combinations(sources, 2)])
    compared = [_group(group, axes) for group in groups]
    group_pairs = [_group_pair(*two, axes) for two in combinations(compared, 2)]
    answers = {source.id: _structure(source.checkpoints[-1]) for source in sources}
    return Comparison(
        by=by,
        series=[_series(source, axes[source.id]) for source in sources],
        pairs=pairs,
        groups=compared,
        group_pairs=group_pairs,
        warnings=warnings_of(sources),
        notes=notes_of(grouped=bool(groups)),
        sentence=sentence_of(answers, pairs, group_pairs, failed),
        failed=list(failed),
        by_size=by_size(sources),
        deduped=deduped_of(sources, pairs),
    )


def check_series(ids: Sequence[str]) -> None:
    """Raise `OptionError` unless these are two to sixteen different series."""
    if not FEWEST_SERIES <= len(ids) <= MOST_SERIES:
        raise OptionError(f"a comparison is of {FEWEST_SERIES} to {MOST_SERIES} series, not of {len(ids)}")
    twice = next((id for k, id in enumerate(ids) if id in ids[:k]), None)
    if twice is not None:
        raise OptionError(f"{twice} is to be compared with itself: name each series once")


def check_groups(groups: Sequence[Group], *, known: Sequence[str]) -> None:
    """Raise `OptionError` where a group is named twice, or holds what is not compared or is in another group."""
    holder: dict[str, str] = {}
    for group in groups:
        if group.name in holder.values():
            raise OptionError(f"group {group.name!r} is named twice")
        for id in group.series:
            if id not in known:
                raise OptionError(
                    f"group {group.name!r} holds {id!r}, which is not compared; there are {', '.join(known)}"
                )
            if id in holder:
                raise OptionError(
                    f"{id} is in the groups {holder[id]!r} and {group.name!r}: it can be in one only"
                )
        holder |= dict.fromkeys(group.series, group.name)


def group_from(text: str, *, separator: str) -> Group:
    """Return the group that a text such as ``name=a,b`` names; `separator` stands behind the name.

    Raises
    ------
    OptionError : it has no name, or no series, or one twice
    """
    name, _, members = (part.strip() for part in text.partition(separator))
    series = tuple(member.strip() for member in members.split(","))
    if not name or "" in series or len(set(series)) < len(series):
        raise OptionError(f"a group is name{separator}A,B, each series once, not {text!r}")
    return Group(name, series)


def needed_steps(sources: Sequence[Source], *, by: By) -> dict[str, set[Step]]:
    """Return the steps of each series whose whole results a comparison looks at: where pairs meet, and the last."""
    axes = {source.id: axis_of(source, by) for source in sources}
    needed: dict[str, set[Step]] = {source.id: {source.checkpoints[-1].step} for source in sources}
    for two in combinations(axes, 2):
        for position in common([axes[id] for id in two])[-1:]:
            for id in two:
                needed[id].add(axes[id][position].step)
    return needed


def _series(source: Source, axis: Axis) -> SeriesCurve:
    places = {one.step: position for position, one in axis.items()}
    last = source.checkpoints[-1]
    return SeriesCurve(
        id=source.id,
        profile=source.options.profile,
        verdict=series_verdict(source.checkpoints, source.options),
        last=_point(last, places.get(last.step)),
        curve=[_point(one, position) for position, one in axis.items()],
        matrices=plain_values(last),
    )


def _point(checkpoint: CheckpointNumbers, position: Position) -> Point:
    return Point(step=checkpoint.step, position=position, values=values_of(checkpoint))


def _pair(first: Source, second: Source, axes: Mapping[str, Axis]) -> Pair:
    own, other = axes[first.id], axes[second.id]
    shared = common([own, other])
    if not shared:
        nothing = Difference(value=None, reason=NO_COMMON_POINT)
        return Pair(
            first=first.id,
            second=second.id,
            position=None,
            steps=None,
            structure=Effect(answer=None, reason=NO_COMMON_POINT),
            p_adjusted=None,
            differences=dict.fromkeys(COMPARED, nothing),
        )
    position = shared[-1]
    ends = own[position], other[position]
    differences = _differences(first, second, *ends)
    structure = structure_of(differences[G2], *(_structure(end) or Effect(answer=None) for end in ends))
    return Pair(
        first=first.id,
        second=second.id,
        position=position,
        steps=(ends[0].step, ends[1].step),
        structure=structure,
        p_adjusted=None,
        differences=differences,
        matrices=plain_differences(*ends),
    )


def _differences(
    first: Source, second: Source, end: CheckpointNumbers, other_end: CheckpointNumbers
) -> dict[str, Difference]:
    """Return every difference at one point of the axis, paired by seed where the samples are of the same neurons."""
    whole = first.whole.get(end.step), second.whole.get(other_end.step)
    alike = first.options.row_rule == second.options.row_rule and _same_nodes(*whole)
    values, others = values_of(end), values_of(other_end)
    found = {}
    for measure in COMPARED:
        seeds = [
            by_seed(result, measure, one[measure]) if alike else None
            for result, one in zip(whole, (values, others), strict=True)
        ]
        found[measure] = _paired(*seeds) or unpaired(values[measure], others[measure])
    return found


def _paired(first: BySeed | None, second: BySeed | None) -> Difference | None:
    if first is None or second is None or set(first) != set(second) or len(first) < SMALLEST_SAMPLE:
        return None
    return paired(first, second)


def _same_nodes(first: CheckpointResult | None, second: CheckpointResult | None) -> bool:
    """Return whether two results took the same neurons: the same seeds and numbers, of networks read alike."""
    if first is None or second is None:
        return False
    taken, other = ({one.seed: one.nodes_total for one in result.samples} for result in (first, second))
    readings = first.reading, second.reading
    known = [one.architecture_hash for one in readings if one is not None]
    return taken == other and len(set(known)) < 2


def _structure(checkpoint: CheckpointNumbers) -> Effect | None:
    return None if checkpoint.verdict is None else checkpoint.verdict.structure


def _adjusted(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs with p among all of them; what does not hold among all is undecided."""
    adjusted = iter(holm([pair.structure.p for pair in pairs if pair.structure.p is not None]))
    return [_with_p(pair, None if pair.structure.p is None else next(adjusted)) for pair in pairs]


def _with_p(pair: Pair, p: float | None) -> Pair:
    told = replace(pair, p_adjusted=p)
    if p is None or p < LEVEL or pair.structure.answer != "yes":
        return told
    return replace(told, structure=replace(pair.structure, answer="undecided"))


def _group(group: Group, axes: Mapping[str, Axis]) -> GroupValues:
    members = [id for id in group.series if id in axes]
    shared = common([axes[id] for id in members])
    return GroupValues(
        name=group.name,
        series=members,
        position=shared[-1] if shared else None,
        values=_between_runs(members, axes, shared),
    )


def _group_pair(first: GroupValues, second: GroupValues, axes: Mapping[str, Axis]) -> GroupPair:
    shared = common([axes[id] for id in (*first.series, *second.series)])
    one, other = (_between_runs(group.series, axes, shared) for group in (first, second))
    return GroupPair(
        first=first.name,
        second=second.name,
        position=shared[-1] if shared else None,
        differences={measure: between_groups(one[measure], other[measure]) for measure in MEASURES},
    )


def _between_runs(
    members: Sequence[str], axes: Mapping[str, Axis], shared: Sequence[Position]
) -> dict[str, BetweenRuns]:
    """Return every measure between runs at the last of the shared places."""
    if not shared:
        nothing = BetweenRuns(value=None, reason=NO_COMMON_POINT if members else FEW_RUNS)
        return dict.fromkeys(MEASURES, nothing)
    runs = [values_of(axes[id][shared[-1]]) for id in members]
    return {measure: between_runs([run[measure] for run in runs]) for measure in MEASURES}
