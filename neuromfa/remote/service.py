"""The reading side of the library over REST: `connect`, and what a service and each of its series answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from neuromfa import extras
from neuromfa.comparison.records import Comparison
from neuromfa.correlations import Correlation
from neuromfa.curves import ModelCurve
from neuromfa.errors import OptionError, ServiceError
from neuromfa.model_id import in_route
from neuromfa.remote.answers import Curve, Curves, Records, Spectra
from neuromfa.remote.http import Http
from neuromfa.results import CheckpointMetrics, CheckpointSpectrum, CurvePoint, FailedCheckpoint
from neuromfa.scores import Score
from neuromfa.stored import Analysis, CheckpointRecord, ModelRecord
from neuromfa.structure import SeriesVerdict

TIMEOUT_S = 60.0
NO_STEP = "-"


def connect(url: str, *, key: str | None = None, timeout_s: float = TIMEOUT_S) -> "Service":
    """Return a running service to read from.

    Parameters
    ----------
    url : its address, such as ``http://127.0.0.1:8000``, with the path it stands below if there is one
    key : the service's, where it asks for one
    timeout_s : longest wait for an answer, in seconds

    Raises
    ------
    ServiceUnavailable : nobody answers there
    ServiceError : something else than a NeuroMFA service does
    OptionError : that is no address
    """
    service = Service(Http(url, key=key, timeout_s=timeout_s))
    try:
        alive = service.get("healthz")
        if not isinstance(alive, dict) or alive.get("status") != "alive":
            raise ServiceError(f"what answers at {url} is no NeuroMFA service")
    except BaseException:
        service.close()
        raise
    return service


class Service:
    """A running service; `connect` makes one. To be closed, or used as a context."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def __enter__(self) -> "Service":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<NeuroMFA service at {self._http.url}>"

    def get(self, path: str, **words: Any) -> Any:
        """Return what any address of the service answers, as plain JSON; lists are repeated words."""
        return self._http.read(Any, path.lstrip("/"), **words)

    def models(self) -> Records[ModelRecord]:
        """Return all series in the store, by id."""
        return Records(list(self._http.each(ModelRecord, "v1/models")), title="Models")

    def series(self, model: str) -> "RemoteSeries":
        """Return one series by the id of its model; whether it is there shows when it is asked."""
        return RemoteSeries(self._http, model)

    def curves(self, *models: str, **words: Any) -> Curves:
        """Return the curves of some models in short, or of all.

        Parameters
        ----------
        words : profile, hops, baseline, options, from_step, to_step, flag, sort, fields, as REST has them
        """
        each = self._http.each(ModelCurve, "v1/emergence", models=list(models) or None, **words)
        return Curves(list(each), title="Curves")

    def compare(self, *models: str, by: str = "step", group: Sequence[str] = (), **words: Any) -> Comparison:
        """Return two to twelve series beside one another; `group` names replicates, as ``name:a,b``."""
        if len(models) < 2:
            raise OptionError(f"a comparison needs two series or more, not {len(models)}")
        asked = {"model": list(models), "by": by, "group": list(group) or None, **words}
        found: Comparison = self._http.read(Comparison, "v1/compare", **asked)
        return found


@dataclass(frozen=True, kw_only=True)
class _Detail(ModelRecord):
    """What a route answers of one model."""

    analyses: list[Analysis]


@dataclass(frozen=True, kw_only=True)
class _About:
    """What stands beside the items of a series."""

    options_hash: str | None
    failed: list[FailedCheckpoint]
    verdict: SeriesVerdict | None = None


class RemoteSeries:
    """One series of a service.

    The words profile, hops, baseline and options choose among its analyses, as REST has them.
    """

    def __init__(self, http: Http, model: str) -> None:
        self._http, self.model = http, model
        self._at = f"v1/models/{in_route(model)}"

    def __repr__(self) -> str:
        return f"<series {self.model} at {self._http.url}>"

    def analyses(self) -> Records[Analysis]:
        """Return the sets of options it was measured with, the one served by default first."""
        detail: _Detail = self._http.read(_Detail, self._at)
        return Records(detail.analyses, title=f"Analyses of {self.model}")

    def checkpoints(self) -> Records[CheckpointRecord]:
        """Return its checkpoints, by step."""
        each = self._http.each(CheckpointRecord, f"{self._at}/checkpoints")
        return Records(list(each), title=f"Checkpoints of {self.model}")

    def curve(self, **words: Any) -> Curve:
        """Return E, alpha0 and width over the steps, with all that stands beside them, and the verdict.

        Parameters
        ----------
        words : profile, hops, baseline, options, from_step, to_step, flag, sort
        """
        points, about = self._whole(CurvePoint, "emergence", words)
        return Curve(
            points,
            title=self.model,
            options_hash=about.options_hash,
            failed=about.failed,
            verdict=about.verdict,
        )

    def spectra(self, **words: Any) -> Spectra:
        """Return the spectra of all steps."""
        spectra, about = self._whole(CheckpointSpectrum, "spectra", words)
        return Spectra(spectra, title=self.model, options_hash=about.options_hash, failed=about.failed)

    def spectrum(self, step: int | None, *, samples: bool = False, **words: Any) -> CheckpointSpectrum:
        """Return q, tau, alpha and f of one checkpoint, None for the one without a step."""
        path = f"{self._step(step)}/spectrum"
        found: CheckpointSpectrum = self._http.read(
            CheckpointSpectrum, path, samples=samples or None, **words
        )
        return found

    def metrics(self, step: int | None, **words: Any) -> CheckpointMetrics:
        """Return all single numbers of one checkpoint, with its whole coverage and its scores."""
        found: CheckpointMetrics = self._http.read(CheckpointMetrics, f"{self._step(step)}/metrics", **words)
        return found

    def scores(self) -> Records[Score]:
        """Return what its checkpoints scored on benchmarks."""
        return Records(list(self._http.each(Score, f"{self._at}/scores")), title=f"Scores of {self.model}")

    def correlations(self, **words: Any) -> Records[Correlation]:
        """Return how its measures go along with every benchmark."""
        each = self._http.each(Correlation, f"{self._at}/correlations", **words)
        return Records(list(each), title=f"Correlations of {self.model}")

    def ask(self, question: str, *, step: int | None = None, seed: int | None = None, **words: Any) -> Any:
        """Return what a question to its stored graphs answers, as plain JSON.

        Parameters
        ----------
        question : the end of its address, such as ``strongest``, ``layers/3/radii`` or ``trajectory``
        step, seed : of the sample it is put to; no seed for questions to all steps
        """
        at = self._at if seed is None else f"{self._step(step)}/samples/{seed}"
        return self._http.read(Any, f"{at}/{question}", **words)

    def table(self, **words: Any) -> Any:
        """Return the results of all steps as a table of pyarrow, spectra and samples as lists (extra arrow)."""
        pa = extras.load("pyarrow", what="a table of Arrow")
        content = self._http.bytes(f"v1/export/{in_route(self.model)}.arrow", **words)
        return pa.ipc.open_file(content).read_all()

    def _step(self, step: int | None) -> str:
        return f"{self._at}/checkpoints/{NO_STEP if step is None else step}"

    def _whole(self, kind: Any, name: str, words: dict[str, Any]) -> tuple[list[Any], _About]:
        """Return all items of a series, and what stands beside them."""
        pages = list(self._http.pages(f"{self._at}/{name}", **words))
        items = [item for page in pages for item in page["items"]]
        return self._http.made(list[kind], items), self._http.made(_About, pages[0])
