"""Lists of records as a service answers them: sequences that are frames, arrays and charts too."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar, overload

import numpy as np

from neuromfa.curves import ModelCurve, curve_rows
from neuromfa.errors import OptionError
from neuromfa.frames import Library, Row, flat_rows, to_frame
from neuromfa.network import FloatArray
from neuromfa.pictures import Chart, chart_of, short_rows, table_html
from neuromfa.results import CheckpointSpectrum, CurvePoint, Estimate, FailedCheckpoint
from neuromfa.structure import SeriesVerdict

T = TypeVar("T")


class Records(Sequence[T], Generic[T]):
    """Records in an order, such as by step."""

    def __init__(self, items: Sequence[T], *, title: str) -> None:
        self._items, self.title = tuple(items), title

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[T, ...]: ...
    def __getitem__(self, at: int | slice) -> T | tuple[T, ...]:
        """Return one record by its place, or some."""
        return self._items[at]

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"<{self.title}: {len(self)}>"

    def rows(self) -> list[Row]:
        """Return one row a record, with plain columns: alpha0, alpha0_low, alpha0_high and so on."""
        return flat_rows(self._items)

    def to_frame(self, *, library: Library | None = None) -> Any:
        """Return `rows` as a data frame of pandas or polars, whichever is installed."""
        return to_frame(self.rows(), library=library)

    def _repr_html_(self) -> str:
        return table_html(self.rows(), title=repr(self)[1:-1])


class Spectra(Records[CheckpointSpectrum]):
    """The spectra of a series, by step.

    Attributes
    ----------
    options_hash : the analysis they are of
    failed : checkpoints that could not be measured
    """

    def __init__(
        self, items: Sequence[Any], *, title: str, options_hash: str | None, failed: list[FailedCheckpoint]
    ) -> None:
        super().__init__(items, title=title)
        self.options_hash, self.failed = options_hash, failed

    def array(self, name: str) -> FloatArray:
        """Return a list of every step, such as tau, alpha or f, as float64 of shape (n_steps, n_q)."""
        return np.array([getattr(one.spectrum, name) for one in self], dtype=float)

    def plot(self, name: str = "spectrum") -> Chart:
        """Return a chart: spectrum or tau."""
        return chart_of(self, name, title=self.title)


class Curve(Records[CurvePoint]):
    """The numbers of a series over its steps.

    Attributes
    ----------
    options_hash : the analysis they are of
    failed : checkpoints that could not be measured
    verdict : what the whole series answers, None without any
    """

    def __init__(
        self,
        items: Sequence[Any],
        *,
        title: str,
        options_hash: str | None,
        failed: list[FailedCheckpoint],
        verdict: SeriesVerdict | None,
    ) -> None:
        super().__init__(items, title=title)
        self.options_hash, self.failed, self.verdict = options_hash, failed, verdict

    def array(self, name: str) -> FloatArray:
        """Return a figure over the steps, such as step, alpha0 or emergence, as float64 (n_steps,), NaN for none."""
        return np.array([_number(point, name) for point in self], dtype=float)

    def plot(self, name: str = "emergence") -> Chart:
        """Return a chart: emergence, alpha0, width, or nfd."""
        return chart_of(self, name, title=self.title)

    def _repr_html_(self) -> str:
        sentence = self.verdict.sentence if self.verdict else None
        return table_html(short_rows(self), title=self.title, sentence=sentence)


class Curves(Records[ModelCurve]):
    """The curves of several models in short."""

    def rows(self) -> list[Row]:
        """Return one row a model and step."""
        return curve_rows(self)

    def _repr_html_(self) -> str:
        rows = [
            {"model": one.model, "found": one.found, "measured": one.measured, "failed": one.failed,
             "answer": one.verdict and one.verdict.answer}
            for one in self
        ]  # fmt: skip
        return table_html(rows, title=repr(self)[1:-1])


def _number(point: CurvePoint, name: str) -> float:
    value = getattr(point, name, _number)
    if isinstance(value, Estimate):
        value = value.value
    if value is None:
        return float("nan")
    if not isinstance(value, int | float):
        raise OptionError(
            f"{name!r} is no figure of a point; step, tokens, alpha0, width, emergence and rms are"
        )
    return float(value)
