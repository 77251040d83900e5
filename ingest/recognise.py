"""Which checkpoints need not be read again: their files look as they did when read, and so do the baseline's."""

from neuromfa import __version__
from neuromfa.analysis import CheckpointAnalysis, Known, baseline_checkpoint
from neuromfa.checkpoints import Checkpoint, CheckpointSeries
from neuromfa.graph.catalog import Seen
from neuromfa.identity import GRAPH_VERSION, content_hash, options_hash
from neuromfa.ingest.request import IngestRequest
from neuromfa.options import AnalysisOptions

Keys = dict[int | None, str]


def keys_of(whole: CheckpointSeries, chosen: CheckpointSeries, options: AnalysisOptions) -> Keys:
    """Return by step the hash of all that the numbers and graphs of a checkpoint depend on, without reading weights.

    A step is left out where its files, or those of the baseline, cannot be told from others without reading.

    Parameters
    ----------
    whole : the series, in which the baseline is
    chosen : the steps that are asked for

    Raises
    ------
    CheckpointMissing : the options name a step that the series does not have
    """
    baseline = baseline_checkpoint(whole, options)
    against = "none" if baseline is None else baseline.fingerprint()
    if against is None:
        return {}
    shared = [__version__, GRAPH_VERSION, options_hash(options), against]
    prints = {one.step: (one, one.fingerprint()) for one in chosen.checkpoints}
    return {
        step: content_hash([*shared, mark, one.revision, _architecture(one)])
        for step, (one, mark) in prints.items()
        if mark is not None
    }


def recognised(
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


def _architecture(checkpoint: Checkpoint) -> str:
    """Return the text of an architecture file, or the name of a bundled one."""
    path = checkpoint.architecture
    if path is None:
        return ""
    return path.read_text(encoding="utf-8") if path.is_file() else str(path)
