"""Options of an analysis: one frozen record, checked once, hashed into the identity of its numbers."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from neuromfa.errors import OptionError

Profile = Literal["exact", "paper"]
Grid = Literal["union", "fixed"]
Hops = Literal["1", "multi"]

BASELINE_FIRST, BASELINE_REINIT, BASELINE_NONE = "first", "reinit", "none"
FIXED_GRID_START = 20
FIXED_GRID_SMALLEST_RANGE = 40
GRAPH_MAX_DISTANCE = 200.0
LIMITS = {"nodes": 4096, "samples": 100, "q": 401}


def default_q() -> tuple[float, ...]:
    """Moments -3.0 ... 3.0 in steps of 0.1, as k / 10 (61 values)."""
    return tuple(k / 10 for k in range(-30, 31))


@dataclass(frozen=True, kw_only=True)
class AnalysisOptions:
    """What is measured and how; see docs/method.md for each symbol.

    Attributes
    ----------
    profile : ``exact`` (default), or ``paper`` to reproduce the released code
    nodes : S, neurons per layer; None measures every neuron without sampling
    samples : number of seeds
    seed : the first seed
    max_distance : T, edges beyond it are out of range, unit 1/|w|
    scale : lambda of Eq. 1
    gamma : cost of every further hop of a path
    hops : ``1`` or ``multi``
    grid : ``union`` of observed radii, or ``fixed`` integers 20..T
    min_edges : a node is kept when it has more edges in range than this
    q : moments, ascending, with 0 among them
    rms_scaled : divide the weights by rms(t) / rms(baseline) first
    nulls : measure the null models too
    baseline : ``first`` (step 0), ``reinit``, ``none``, or a step number as text
    """

    profile: Profile = "exact"
    nodes: int | None = 64
    samples: int = 10
    seed: int = 0
    max_distance: float = 150.0
    scale: float = 1.0
    gamma: float = 5.0
    hops: Hops = "1"
    grid: Grid = "union"
    min_edges: int = 10
    q: tuple[float, ...] = default_q()
    rms_scaled: bool = False
    nulls: bool = True
    baseline: str = BASELINE_FIRST

    def __post_init__(self) -> None:
        for fault in _faults(self):
            raise OptionError(fault)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of all samples; a whole network has a single one."""
        return (self.seed,) if self.nodes is None else tuple(range(self.seed, self.seed + self.samples))

    def as_json(self) -> dict[str, Any]:
        """Return plain values under the names used on the command line and in REST, ``lambda`` included."""
        values = {("lambda" if key == "scale" else key): value for key, value in asdict(self).items()}
        return {**values, "q": list(self.q)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "AnalysisOptions":
        """Build from what `as_json` gave; unknown names are an `OptionError`."""
        named = {("scale" if key == "lambda" else key): value for key, value in values.items()}
        unknown = set(named) - {field.name for field in fields(cls)}
        if unknown:
            raise OptionError(f"unknown option {', '.join(sorted(unknown))}")
        if "q" in named:
            named["q"] = tuple(named["q"])
        return cls(**named)


def _faults(options: AnalysisOptions) -> list[str]:
    """Return one sentence for every option outside its bounds."""
    checks = [
        (options.profile in get_args(Profile), f"profile is exact or paper, not {options.profile!r}"),
        (options.grid in get_args(Grid), f"grid is union or fixed, not {options.grid!r}"),
        (options.hops in get_args(Hops), f"hops is 1 or multi, not {options.hops!r}"),
        (
            options.nodes is None or 1 <= options.nodes <= LIMITS["nodes"],
            f"nodes is 1..{LIMITS['nodes']} or all, not {options.nodes}",
        ),
        (
            1 <= options.samples <= LIMITS["samples"],
            f"samples is 1..{LIMITS['samples']}, not {options.samples}",
        ),
        (0 <= options.seed < 2**32 - LIMITS["samples"], f"seed is a number from 0, not {options.seed}"),
        (
            0 < options.max_distance <= 1e6,
            f"max_distance is above 0 and at most 1e6, not {options.max_distance}",
        ),
        (0 < options.scale < 1e9, f"lambda is above 0, not {options.scale}"),
        (0 <= options.gamma < 1e9, f"gamma is 0 or more, not {options.gamma}"),
        (options.min_edges >= 0, f"min_edges is 0 or more, not {options.min_edges}"),
        (
            options.grid == "union" or options.max_distance >= FIXED_GRID_SMALLEST_RANGE,
            f"the fixed grid starts at radius {FIXED_GRID_START} and needs max_distance of at least "
            f"{FIXED_GRID_SMALLEST_RANGE}, not {options.max_distance:g}",
        ),
        (options.hops == "1" or options.profile == "exact", "hops multi is defined for profile exact only"),
        (_valid_q(options.q), f"q is 3..{LIMITS['q']} ascending finite numbers with 0 inside"),
        (
            _valid_baseline(options.baseline),
            f"baseline is first, reinit, none or a step, not {options.baseline!r}",
        ),
    ]
    return [fault for holds, fault in checks if not holds]


def _valid_q(q: tuple[float, ...]) -> bool:
    ascending = all(low < high for low, high in zip(q, q[1:], strict=False))
    return 3 <= len(q) <= LIMITS["q"] and ascending and 0 in q[1:-1] and max(map(abs, q)) <= 1000


def _valid_baseline(baseline: str) -> bool:
    return baseline in (BASELINE_FIRST, BASELINE_REINIT, BASELINE_NONE) or baseline.isdecimal()
