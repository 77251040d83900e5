"""Which checkpoints need not be read again: their files look as they did when read, and so do the baseline's."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from neuromfa import __version__
from neuromfa.analysis import CheckpointAnalysis, Known, baseline_checkpoint
from neuromfa.checkpoints import Checkpoint, CheckpointSeries
from neuromfa.errors import NotStored, SourceError
from neuromfa.graph import GraphStore
from neuromfa.graph.catalog import Seen
from neuromfa.identity import GRAPH_VERSION, content_hash, options_hash
from neuromfa.ingest.request import IngestRequest
from neuromfa.options import AnalysisOptions
from neuromfa.summarise import BASELINE_FAILED

NO_BASELINE = "none"
KeyOf = Callable[[Checkpoint], str | None]
"""Gives the hash of all that the numbers and graphs of a checkpoint depend on, without reading weights; None where
its files, or those of the baseline, cannot be told from others without reading."""


def key_maker(series: CheckpointSeries, options: AnalysisOptions) -> KeyOf:
    """Return what gives the keys of checkpoints of a series, in which the baseline is."""
    against = _against(series, options)
    shared = [__version__, GRAPH_VERSION, options_hash(options), against]

    def key_of(checkpoint: Checkpoint) -> str | None:
        mark = None if against is None else checkpoint.fingerprint()
        if mark is None:
            return None
        return content_hash([*shared, mark, checkpoint.revision, _architecture(checkpoint)])

    return key_of


def no_key(checkpoint: Checkpoint) -> None:  # noqa: ARG001  the shape of a KeyOf
    """Give none, so that the checkpoint is read."""


def _against(series: CheckpointSeries, options: AnalysisOptions) -> str | None:
    """Return the fingerprint of the baseline; None where there is none, or it is not there: measuring it says why."""
    try:
        baseline = baseline_checkpoint(series, options)
    except (SourceError, OSError):
        return None
    return NO_BASELINE if baseline is None else baseline.fingerprint()


def as_seen(
    checkpoint: Checkpoint, key: str | None, *, seen: list[Seen], known: Known, request: IngestRequest
) -> CheckpointAnalysis | None:
    """Return a checkpoint as one of which all that is asked for is stored; None where it has to be read."""
    found = next((one for one in seen if one.key == key), None)
    if found is None:
        return None
    graphs = found.graphs[: request.graphs_per_checkpoint]
    if found.analysis not in known.analyses or not known.graphs.issuperset(graphs):
        return None
    return CheckpointAnalysis(
        checkpoint.step,
        checkpoint.revision,
        found.analysis,
        None,
        known_graphs=graphs,
        graph_hashes=found.graphs,
    )


def known_of(store: GraphStore, model: str, step: int | None) -> Known:
    """Return what the store holds of a checkpoint; nothing of one that is not there."""
    try:
        graphs = frozenset(manifest.graph_hash for manifest in store.samples(model, step))
    except NotStored:
        return Known()
    return Known(analyses=frozenset(store.analysis_hashes(model, step)), graphs=graphs)


def recognised(
    store: GraphStore, selected: CheckpointSeries, key_of: KeyOf, request: IngestRequest
) -> set[int | None]:
    """Return the steps that need not be read."""
    seen = store.seen(selected.id)
    return {
        one.step
        for one in selected.checkpoints
        if as_seen(
            one,
            key_of(one),
            seen=seen.get(one.step, []),
            known=known_of(store, selected.id, one.step),
            request=request,
        )
    }


def failed_before(
    store: GraphStore, selected: CheckpointSeries, *, has_baseline: Callable[[], bool] = lambda: True
) -> CheckpointSeries:
    """Return those of the checkpoints that failed before, or lack E because the baseline did that is there now.

    Parameters
    ----------
    has_baseline : asked where some lack E
    """
    failed, lacking = {one.step for one in store.failures(selected.id)}, set()
    with suppress(NotStored):
        results = store.results(selected.id) if any(store.each_checkpoint(selected.id)) else []
        lacking = {one.step for one in results if one.emergence_reason == BASELINE_FAILED}
    if lacking and has_baseline():
        failed |= lacking
    again = tuple(checkpoint for checkpoint in selected.checkpoints if checkpoint.step in failed)
    return replace(selected, checkpoints=again)


def _architecture(checkpoint: Checkpoint) -> str:
    """Return the text of an architecture file, or the name of a bundled one."""
    path = checkpoint.architecture
    if path is None:
        return ""
    return path.read_text(encoding="utf-8") if path.is_file() else str(path)
