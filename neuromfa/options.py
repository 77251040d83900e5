"""Options of an analysis: one frozen record, declared and checked once, part of the identity of its numbers.

Command line, REST, the JSON schema and the docs take names, bounds and meanings from here.
"""

from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, ValidationError

from neuromfa.declared import DOCUMENTED, Allowed, NoneMeans, adapter, checked, refusal, sentence
from neuromfa.errors import OptionError

Profile = Literal["exact", "paper", "shape"]
GraphProfile = Literal["exact", "paper"]
"""Profiles that a stored graph can be asked in: for shape it lacks the weights out of range."""
Grid = Literal["union", "fixed"]
ONE_HOP, ALL_HOPS = "1", "multi"
Hops = Annotated[
    str,
    Field(pattern=rf"^([1-9][0-9]?|{ALL_HOPS})$"),
    Allowed(f"1, 2, 3 ... up to 99, or {ALL_HOPS}"),
]

BASELINE_FIRST, BASELINE_REINIT, BASELINE_NONE = "first", "reinit", "none"
FIXED_GRID_START = 20
FIXED_GRID_SMALLEST_RANGE = 40
SHAPE_RANGE = 150.0
GRAPH_MAX_DISTANCE = 200.0
MOST_SAMPLES = 100
MOST_MOMENTS = 401


def default_q() -> tuple[float, ...]:
    """Moments -3.0 ... 3.0 in steps of 0.1, as k / 10 (61 values)."""
    return tuple(k / 10 for k in range(-30, 31))


def _ascending_around_zero(q: tuple[float, ...]) -> tuple[float, ...]:
    ascending = all(low < high for low, high in zip(q, q[1:], strict=False))
    if not (3 <= len(q) <= MOST_MOMENTS and ascending and 0 in q[1:-1] and max(map(abs, q)) <= 1000):
        raise ValueError(f"moments are {MOMENTS}")
    return q


MOMENTS = f"3..{MOST_MOMENTS} ascending finite numbers with 0 inside"
Baseline = Annotated[
    str,
    Field(
        pattern=rf"^({BASELINE_FIRST}|{BASELINE_REINIT}|{BASELINE_NONE}|[0-9]{{1,15}}|.*/.*)$",
        max_length=1000,
    ),
    Allowed(f"{BASELINE_FIRST}, {BASELINE_REINIT}, {BASELINE_NONE}, a step, or a source with a / in it"),
]
Moments = Annotated[tuple[float, ...], AfterValidator(_ascending_around_zero), Allowed(MOMENTS)]


@dataclass(frozen=True, kw_only=True)
class AnalysisOptions:
    """What is measured and how; see docs/method.md for each symbol."""

    __pydantic_config__ = DOCUMENTED | ConfigDict(extra="forbid", allow_inf_nan=False)

    profile: Profile = "exact"
    """exact, paper as the released code does it, or shape: every matrix at one scale, on the fixed grid 20..150."""
    nodes: Annotated[int | None, Field(ge=1, le=4096), NoneMeans("all")] = 64
    """S, neurons per layer; null (all) measures every neuron without sampling."""
    samples: Annotated[int, Field(ge=1, le=MOST_SAMPLES)] = 10
    """Number of samples (seeds)."""
    seed: Annotated[int, Field(ge=0, le=2**32 - MOST_SAMPLES - 1)] = 0
    """The first seed."""
    max_distance: Annotated[float, Field(gt=0, le=1e6)] = 150.0
    """T: edges beyond this distance are out of range; unit 1/|w|."""
    scale: Annotated[float, Field(alias="lambda", gt=0, lt=1e9)] = 1.0
    """Lambda of Eq. 1, the numerator of the distance."""
    gamma: Annotated[float, Field(ge=0, lt=1e9)] = 5.0
    """Cost of every further hop of a path; unit 1/|w|."""
    hops: Hops = ONE_HOP
    """1: edges alone; 2, 3 ...: balls over paths to targets within so many layers; multi: over whole paths."""
    grid: Grid = "union"
    """Radii: union of those observed, or fixed 20..T."""
    min_edges: Annotated[int, Field(ge=0, le=10**6)] = 10
    """A neuron is kept when it has more edges in range than this."""
    q: Moments = default_q()
    """Moments, ascending, with 0 among them."""
    rms_scaled: bool = False
    """Divide the weights by rms(t) / rms(baseline) first, beside the plain reading."""
    nulls: bool = True
    """Measure the null models too."""
    draws: Annotated[int, Field(ge=1, le=1000)] = 8
    """R, draws of each null model that moves weights about; a whole network has a single one."""
    shape: bool = True
    """Measure profile shape beside the asked one, from the same reading; the verdict needs it."""
    matrices: bool = False
    """Take plain measures of the whole matrices too (norms, ranks, outliers, tails); reads every weight."""
    neurons: Annotated[int, Field(ge=0, le=MOST_SAMPLES)] = 0
    """Samples, the first ones, whose neurons are tested against chance, at one hop; 0 tests none."""
    baseline: Baseline = BASELINE_FIRST
    """What E is measured against: first (step 0), a step, reinit, none, or another checkpoint or series with a / in its
    name, such as runs/base or runs/base@2000; without a step its last one."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = checked(AnalysisOptions, field.name, getattr(self, field.name))
            object.__setattr__(self, field.name, value)
        if self.profile == "shape":
            self._take_shape()
        if self.grid == "fixed" and self.max_distance < FIXED_GRID_SMALLEST_RANGE:
            raise OptionError(
                f"the fixed grid starts at radius {FIXED_GRID_START} and needs max_distance of at least "
                f"{FIXED_GRID_SMALLEST_RANGE}, not {self.max_distance:g}"
            )
        if self.neurons and self.over_paths:
            raise OptionError(
                f"neurons are tested at one hop, not at hops {self.hops}: leave out one of the two"
            )
        if self.over_paths and self.profile == "paper":
            raise OptionError(f"hops {self.hops} is defined for the profiles exact and shape only")

    def _take_shape(self) -> None:
        """Set what profile shape decides by itself."""
        if self.scale != 1.0:
            raise OptionError(f"profile shape has no lambda, not {self.scale:g} either: leave it out")
        for name, value in {"max_distance": SHAPE_RANGE, "grid": "fixed", "rms_scaled": False}.items():
            object.__setattr__(self, name, value)

    @property
    def in_shape(self) -> "AnalysisOptions":
        """The same options in profile shape, which ignores range, grid, lambda and rms_scaled."""
        return replace(self, profile="shape", scale=1.0)

    @property
    def over_paths(self) -> bool:
        """Whether masses count what paths of several hops reach."""
        return self.hops != ONE_HOP

    @property
    def horizon(self) -> int | None:
        """How many layers a path reaches at most; None for no such limit."""
        return None if self.hops == ALL_HOPS else int(self.hops)

    @property
    def row_rule(self) -> str:
        """How rows of fused tensors are taken: as they stand (paper), or by the layout of the heads (exact)."""
        return "paper" if self.profile == "paper" else "exact"

    @property
    def null_draws(self) -> int:
        """Draws of each null that moves weights; one of a whole network, which has no second sample to compare."""
        return 1 if self.nodes is None else self.draws

    @property
    def baseline_source(self) -> tuple[str, int | None] | None:
        """Source and step of a baseline outside the series, None for one of its own."""
        if "/" not in self.baseline:
            return None
        source, _, step = self.baseline.rpartition("@")
        return (source, int(step)) if source and step.isdecimal() else (self.baseline, None)

    @property
    def has_trained_baseline(self) -> bool:
        """Whether the baseline is a checkpoint that was trained: another source, or a step above 0."""
        return self.baseline_source is not None or (self.baseline.isdecimal() and int(self.baseline) > 0)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of all samples; a whole network has a single one."""
        return (self.seed,) if self.nodes is None else tuple(range(self.seed, self.seed + self.samples))

    def as_json(self) -> dict[str, Any]:
        """Return plain values under the names used on the command line and in REST, ``lambda`` included."""
        values: dict[str, Any] = adapter(AnalysisOptions).dump_python(self, mode="json", by_alias=True)
        return values

    def differing(self) -> dict[str, Any]:
        """Return the values that differ from the defaults: what identifies the options (`identity`)."""
        usual = AnalysisOptions().as_json()
        return {name: value for name, value in self.as_json().items() if value != usual[name]}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "AnalysisOptions":
        """Build from what `as_json` gave, or from part of it; `OptionError` for anything else."""
        try:
            built: AnalysisOptions = adapter(cls).validate_python(values)
        except ValidationError as error:
            raise OptionError(_refused(error)) from None
        return built


def _refused(error: ValidationError) -> str:
    """Return one sentence for the first fault of options that came as JSON."""
    fault = error.errors()[0]
    name = str(fault["loc"][0]) if fault["loc"] else ""
    if fault["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"unknown option {name}; there are {', '.join(AnalysisOptions().as_json())}"
    known = {field: field for field in AnalysisOptions.__dataclass_fields__} | {"lambda": "scale"}
    return refusal(AnalysisOptions, known[name], fault["input"]) if name in known else sentence(error)
