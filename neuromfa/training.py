"""Live training: alpha0, width and E beside the loss, from the model in memory or as checkpoints are saved.

Needs torch and, for `NeuroMFACallback`, transformers: the extra ``torch``. Weights are sampled
row by row, so no second copy of the model is made.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuromfa import extras
from neuromfa.analysis import analyze_checkpoint, measure_baseline
from neuromfa.checkpoints import Checkpoint, CheckpointSeries, open_series
from neuromfa.checkpoints.formats.dtypes import AnyArray
from neuromfa.checkpoints.formats.tensor_names import with_plain_names
from neuromfa.checkpoints.formats.tensor_store import TensorInfo
from neuromfa.errors import CheckpointMissing, NeuroMFAError
from neuromfa.network import IntArray
from neuromfa.options import BASELINE_NONE, BASELINE_REINIT, AnalysisOptions
from neuromfa.results import CheckpointResult
from neuromfa.summarise import Baseline

if TYPE_CHECKING:
    import torch
    from transformers import TrainerCallback
else:
    try:
        from transformers import TrainerCallback
    except ImportError:
        TrainerCallback = object

LIVE = AnalysisOptions(nulls=False)
PREFIX = "neuromfa/"
LIVE_REVISION = "live"

_log = logging.getLogger(__name__)


class ModelTensors:
    """The weights of a torch model in memory, read by sampled rows; a `TensorStore`.

    Parameters
    ----------
    model : a torch module; the config of a transformers model is used, a plain one needs none where its
        tensors form a chain
    """

    def __init__(self, model: "torch.nn.Module") -> None:
        inner = getattr(model, "module", model)
        self.name = type(inner).__name__
        to_dict = getattr(getattr(inner, "config", None), "to_dict", dict)
        self.config: Mapping[str, Any] = to_dict()
        self._tensors, renamed = with_plain_names(inner.state_dict())
        self.notes = (renamed,) if renamed else ()
        self.bytes_read = 0
        self.requests = 0

    def names(self) -> tuple[str, ...]:
        """Return the names of all tensors, sorted."""
        return tuple(sorted(self._tensors))

    def info(self, name: str) -> TensorInfo:
        """Return dtype and shape of one tensor."""
        tensor = self._tensor(name)
        return TensorInfo(str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape))

    def read(self, name: str, *, rows: IntArray | None = None, columns: IntArray | None = None) -> AnyArray:
        """Copy sampled rows and columns to the processor's memory; see `TensorStore.read`."""
        import torch

        tensor = self._tensor(name)
        for axis, indices in enumerate((rows, columns)):
            if indices is not None:
                tensor = tensor.index_select(axis, torch.from_numpy(indices).to(tensor.device))
        self.bytes_read += tensor.nbytes
        self.requests += 1
        wide = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
        array: AnyArray = wide.cpu().numpy()
        return array

    def close(self) -> None:
        """Nothing is held."""

    def _tensor(self, name: str) -> "torch.Tensor":
        if name not in self._tensors:
            raise CheckpointMissing(f"{self.name} has no tensor {name}")
        return self._tensors[name]


@dataclass(frozen=True, eq=False)
class Watched:
    """A model measured while it trains.

    Attributes
    ----------
    result : the same record that `analyze` gives
    baseline : what E was measured against; hand it to the next `watch`
    """

    result: CheckpointResult
    baseline: Baseline | None

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers to log, under ``neuromfa/``; one that could not be had is left out."""
        estimates = {
            "alpha0": self.result.alpha0,
            "width": self.result.width,
            "emergence": self.result.emergence,
        }
        values = {name: estimate.value for name, estimate in estimates.items() if estimate is not None}
        return {PREFIX + name: value for name, value in values.items() if value is not None}


def watch(
    model: "torch.nn.Module",
    step: int,
    *,
    baseline: Baseline | None = None,
    options: AnalysisOptions = LIVE,
    architecture: Path | None = None,
    series: str = "training",
) -> Watched:
    """Measure a torch model as it stands.

    Parameters
    ----------
    model : any model whose architecture is known, or described by `architecture`
    step : training step, for the record
    baseline : what E is measured against; without one this model is the baseline and E is 0
    options : samples, neurons and the rest; nulls are off unless asked for
    architecture : an architecture file
    series : name of the run, for the record

    Raises
    ------
    UnsupportedArchitecture, AnalysisError

    Examples
    --------
    >>> first = watch(model, 0)  # doctest: +SKIP
    >>> later = watch(model, 100, baseline=first.baseline)  # doctest: +SKIP
    >>> later.metrics["neuromfa/emergence"]  # doctest: +SKIP
    """
    checkpoint = Checkpoint(step, LIVE_REVISION, series, architecture, lambda: ModelTensors(model))
    return _measure(checkpoint, options, baseline or _as_baseline(checkpoint, options))


def _as_baseline(checkpoint: Checkpoint, options: AnalysisOptions) -> Baseline | None:
    """Measure one checkpoint as what later ones are compared with, unless the options want no baseline."""
    if options.baseline == BASELINE_NONE:
        return None
    alone = CheckpointSeries(id=checkpoint.series, checkpoints=(checkpoint,), source=checkpoint.series)
    chosen = BASELINE_REINIT if options.baseline == BASELINE_REINIT else str(checkpoint.step)
    return measure_baseline(alone, replace(options, baseline=chosen))


def _measure(checkpoint: Checkpoint, options: AnalysisOptions, baseline: Baseline | None) -> Watched:
    result = analyze_checkpoint(checkpoint, options, baseline).result
    assert result is not None  # nothing was declared known
    return Watched(result, baseline)


class NeuroMFACallback(TrainerCallback):  # type: ignore[misc]
    """Measures every checkpoint that a transformers Trainer saves, and reports alpha0, width and E.

    E is measured against the weights before the first step. A run that is resumed has no such weights: its
    baseline is the earliest checkpoint still in the output folder. Training waits while a checkpoint is
    measured (the time is reported as ``neuromfa/seconds``); a checkpoint that cannot be measured is a warning
    in the log of ``neuromfa.training``, never the end of a training run.

    Parameters
    ----------
    report : takes the numbers; ``trainer.log`` sends them wherever the Trainer reports to
    options : how checkpoints are measured; nulls are off unless asked for
    architecture : an architecture file, for models that no bundled one describes
    enqueue : takes the folder of each checkpoint instead, for a worker elsewhere; nothing is measured here

    Examples
    --------
    >>> trainer = Trainer(model=model, args=arguments, train_dataset=data)  # doctest: +SKIP
    >>> trainer.add_callback(NeuroMFACallback(report=trainer.log))  # doctest: +SKIP
    >>> trainer.train()  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        report: Callable[[dict[str, float]], None] | None = None,
        options: AnalysisOptions = LIVE,
        architecture: Path | None = None,
        enqueue: Callable[[Path], object] | None = None,
    ) -> None:
        if TrainerCallback is object:
            raise extras.absent("transformers", what="NeuroMFACallback")
        if (report is None) == (enqueue is None):
            raise TypeError("NeuroMFACallback takes either report=trainer.log or enqueue=")
        self._report = report
        self._options = options
        self._architecture = architecture
        self._enqueue = enqueue
        self._baseline: Baseline | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **objects: Any) -> None:  # noqa: ARG002
        """Measure the weights before the first step; a resumed run looks for its earliest checkpoint."""
        if self._enqueue is not None or not state.is_world_process_zero:
            return
        try:
            self._baseline = self._first_weights(Path(args.output_dir), state.global_step, objects["model"])
        except NeuroMFAError as error:
            _log.warning("emergence will be missing, the baseline cannot be measured: %s", error)

    def on_save(self, args: Any, state: Any, control: Any, **objects: Any) -> None:  # noqa: ARG002
        """Measure or enqueue the checkpoint that was just saved."""
        if not state.is_world_process_zero:
            return
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if self._enqueue is not None:
            self._enqueue(folder)
            return
        try:
            metrics = self._measured(folder, state.global_step)
        except NeuroMFAError as error:
            _log.warning("checkpoint %s was not measured: %s", folder, error)
        else:
            assert self._report is not None
            self._report(metrics)

    def _first_weights(self, output: Path, step: int, model: "torch.nn.Module") -> Baseline | None:
        if step == 0:
            opener = lambda: ModelTensors(model)  # noqa: E731
            checkpoint = Checkpoint(0, LIVE_REVISION, output.name, self._architecture, opener)
        else:
            checkpoint = open_series(str(output), architecture=self._architecture).checkpoints[0]
        return _as_baseline(checkpoint, self._options)

    def _measured(self, folder: Path, step: int) -> dict[str, float]:
        start = time.perf_counter()
        series = open_series(str(folder.parent), steps=str(step), architecture=self._architecture)
        watched = _measure(series.checkpoints[0], self._options, self._baseline)
        return {**watched.metrics, PREFIX + "seconds": round(time.perf_counter() - start, 3)}
