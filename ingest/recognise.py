"""Which checkpoints need not be read again: their files look as they did when read, and so do the baseline's."""

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
from neuromfa.summarise import BASELINE_FAILED, Baseline

NO_BASELINE = "none"
Keys = dict[int | None, str]


def keys_of(whole: CheckpointSeries, chosen: CheckpointSeries, options: AnalysisOptions) -> Keys:
    """Return by step the hash of all that the numbers and graphs of a checkpoint depend on, without reading weights.

    A step is left out where its files, or those of the baseline, cannot be told from others without reading.

    Parameters
    ----------
    whole : the series, in which the baseline is
    chosen : the steps that are asked for
    """
    against = _against(whole, options)
    if against is None:
        return {}
    shared = [__version__, GRAPH_VERSION, options_hash(options), against]
    prints = {one.step: (one, one.fingerprint()) for one in chosen.checkpoints}
    return {
        step: content_hash([*shared, mark, one.revision, _architecture(one)])
        for step, (one, mark) in prints.items()
        if mark is not None
    }


def _against(series: CheckpointSeries, options: AnalysisOptions) -> str | None:
    """Return the fingerprint of the baseline; None where there is none, or it is not there: measuring it says why."""
    try:
        baseline = baseline_checkpoint(series, options)
    except (SourceError, OSError):
        return None
    return NO_BASELINE if baseline is None else baseline.fingerprint()


def _as_seen(
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


def known_of(store: GraphStore, model: str) -> dict[int | None, Known]:
    """Return by step what the store holds of a model; nothing of one that is not there."""
    try:
        records = list(store.each_checkpoint(model))
    except NotStored:
        return {}
    return {
        record.step: Known(
            analyses=frozenset(store.analysis_hashes(model, record.step)),
            graphs=frozenset(manifest.graph_hash for manifest in store.samples(model, record.step)),
        )
        for record in records
    }


def recognised(
    store: GraphStore,
    selected: CheckpointSeries,
    keys: Keys,
    known: dict[int | None, Known],
    request: IngestRequest,
) -> dict[int | None, CheckpointAnalysis]:
    """Return by step the checkpoints that need not be read."""
    seen = store.seen(selected.id)
    found = {
        one.step: _as_seen(
            one,
            keys.get(one.step),
            seen=seen.get(one.step, []),
            known=known.get(one.step, Known()),
            request=request,
        )
        for one in selected.checkpoints
    }
    return {step: analysis for step, analysis in found.items() if analysis is not None}


def failed_before(
    store: GraphStore, selected: CheckpointSeries, baseline: Baseline | None
) -> CheckpointSeries:
    """Return those of the checkpoints that failed before, or lack E because the baseline did that is there now."""
    failed = {one.step for one in store.failures(selected.id)}
    if baseline is not None and baseline.failure is None:
        results = store.results(selected.id) if any(store.each_checkpoint(selected.id)) else []
        failed |= {one.step for one in results if one.emergence_reason == BASELINE_FAILED}
    again = tuple(checkpoint for checkpoint in selected.checkpoints if checkpoint.step in failed)
    return replace(selected, checkpoints=again)


def _architecture(checkpoint: Checkpoint) -> str:
    """Return the text of an architecture file, or the name of a bundled one."""
    path = checkpoint.architecture
    if path is None:
        return ""
    return path.read_text(encoding="utf-8") if path.is_file() else str(path)
