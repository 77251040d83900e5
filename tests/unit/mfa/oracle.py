"""The formulas of docs/method.md written out as plain loops: slow, and the answer the fast code has to give."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Answer:
    """What the oracle works out."""

    radii: list[int]
    kept: list[int]
    masses: list[list[int]]
    tau: list[float]
    alpha_q: list[float]
    alpha: list[float]
    f: list[float]
    alpha0: float
    alpha0_tie: tuple[float, float]
    width: float
    r_squared: dict[str, float | None]
    nfd: list[float]
    nfd_own: list[float | None]
    n_edges: int
    dropped: dict[str, int] = field(default_factory=dict)


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Least squares, straight from the textbook, in exact sums."""
    mean_x, mean_y = math.fsum(x) / len(x), math.fsum(y) / len(y)
    top = math.fsum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return top / math.fsum((a - mean_x) ** 2 for a in x)


def share_explained(x: Sequence[float], y: Sequence[float]) -> float | None:
    """1 minus the residual over the total sum of squares."""
    mean_x, mean_y, tilt = math.fsum(x) / len(x), math.fsum(y) / len(y), slope(x, y)
    total = math.fsum((b - mean_y) ** 2 for b in y)
    left = math.fsum((b - mean_y - tilt * (a - mean_x)) ** 2 for a, b in zip(x, y, strict=True))
    return None if max(abs(b - mean_y) for b in y) < 1e-12 else 1.0 - left / total


def tally(weights: Sequence[float], *, longest: float, scale: float = 1.0) -> dict[str, int]:
    """Weights by the reason they are no edge in range; within_one tells of strong ones."""
    counts = {"zero": 0, "nan": 0, "inf": 0, "within_one": 0, "beyond_range": 0}
    for w in weights:
        if math.isnan(w):
            counts["nan"] += 1
        elif w == 0:
            counts["zero"] += 1
        elif math.isinf(w):
            counts["inf"] += 1
        elif scale / abs(w) > longest:
            counts["beyond_range"] += 1
        elif scale / abs(w) <= 1:
            counts["within_one"] += 1
    return counts


def edges(weights: Sequence[float], *, shortest: float, longest: float, scale: float = 1.0) -> list[float]:
    """Distances of the edges in range out of one node."""
    usable = [w for w in weights if w != 0 and math.isfinite(w)]
    return [scale / abs(w) for w in usable if shortest < scale / abs(w) <= longest]


def measure(
    rows: Sequence[Sequence[float]],
    *,
    q: Sequence[float],
    profile: str,
    longest: float = 150.0,
    min_edges: int = 10,
    grid: str = "union",
    scale: float = 1.0,
) -> Answer:
    """Algorithms 2 to 4 on the outgoing weights of every node."""
    shortest = 1.0 if profile == "paper" else 0.0
    distances = [edges(row, shortest=shortest, longest=longest, scale=scale) for row in rows]
    kept = [i for i, found in enumerate(distances) if len(found) > min_edges]
    rounded = [sorted(max(1, round(d)) for d in distances[i]) for i in kept]
    observed = sorted({r for found in rounded for r in found})
    radii = observed if grid == "union" else list(range(20, int(longest) + 1))
    masses = [[1 + sum(1 for r in found if r <= radius) for radius in radii] for found in rounded]
    x = [math.log(radius / radii[-1]) for radius in radii]
    log_z = {k: [_log_z(masses, j, k) for j in range(len(radii))] for k in {*q, -3.0, -1.0, 1.0, 3.0}}
    tau = [slope(x, log_z[k]) for k in q]
    zero = list(q).index(0)
    differences = [(tau[j + 1] - tau[j]) / (q[j + 1] - q[j]) for j in range(len(q) - 1)]
    closed_form = [slope(x, [_mean_log(masses, j, k) for j in range(len(radii))]) for k in q]
    alpha = differences if profile == "paper" else closed_form
    alpha_q = list(q[:-1]) if profile == "paper" else list(q)
    everything = [w for row in rows for w in row]
    return Answer(
        radii=radii,
        kept=kept,
        masses=masses,
        tau=tau,
        alpha_q=alpha_q,
        alpha=alpha,
        f=[k * a - t for k, a, t in zip(alpha_q, alpha, tau, strict=False)],
        alpha0=closed_form[zero],
        alpha0_tie=(differences[zero], differences[zero - 1]),
        width=max(alpha) - min(alpha) if profile == "paper" else alpha[0] - alpha[-1],
        r_squared={f"{k:g}": share_explained(x, log_z[k]) for k in (-3.0, -1.0, 1.0, 3.0)},
        nfd=[slope(x, [math.log(n) for n in row]) for row in masses],
        nfd_own=[_own_slope(found) for found in rounded],
        n_edges=sum(len(found) for found in rounded),
        dropped=tally(everything, longest=longest, scale=scale),
    )


def _log_z(masses: Sequence[Sequence[int]], j: int, q: float) -> float:
    """Logarithm of sum_i (N_i(r_j) / N_i(L))^q, the largest term taken out."""
    logs = [q * math.log(row[j] / row[-1]) for row in masses]
    return max(logs) + math.log(math.fsum(math.exp(value - max(logs)) for value in logs))


def _mean_log(masses: Sequence[Sequence[int]], j: int, q: float) -> float:
    """Mean of ln mu_i(r_j) under weights mu_i^q / Z."""
    logs = [math.log(row[j] / row[-1]) for row in masses]
    terms = [math.exp(q * value - max(q * other for other in logs)) for value in logs]
    return math.fsum(t * value for t, value in zip(terms, logs, strict=True)) / math.fsum(terms)


def _own_slope(found: Sequence[int]) -> float | None:
    """Slope over the radii at which the node itself has an edge."""
    own = sorted(set(found))
    if len(own) < 2:
        return None
    counts = [1 + sum(1 for r in found if r <= radius) for radius in own]
    return slope([math.log(r / own[-1]) for r in own], [math.log(n) for n in counts])


def emergence(width_t: float, width_0: float, alpha0_t: float, alpha0_0: float) -> float:
    """E(t)."""
    return width_t / width_0 * math.log(alpha0_0 / alpha0_t)


def jackknife(values: Sequence[Sequence[float]], statistic, t_quantile: float) -> tuple[float, float, float]:
    """A statistic of means of columns over samples, with its jackknife interval."""
    n = len(values)
    means = [math.fsum(column) / n for column in zip(*values, strict=True)]
    left_out = []
    for i in range(n):
        rest = [row for k, row in enumerate(values) if k != i]
        left_out.append(statistic(*[math.fsum(column) / (n - 1) for column in zip(*rest, strict=True)]))
    centre = math.fsum(left_out) / n
    error = math.sqrt((n - 1) / n * math.fsum((value - centre) ** 2 for value in left_out))
    value = statistic(*means)
    return value, value - t_quantile * error, value + t_quantile * error
