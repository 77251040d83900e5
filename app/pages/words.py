"""Every word and number format that more than one page uses."""

from collections.abc import Sequence

from neuromfa.options import AnalysisOptions
from neuromfa.results import CheckpointNumbers, Estimate
from neuromfa.structure import Effect, Excess, SeriesVerdict, Step, Term
from neuromfa.verdict_words import CAUTION, REASONS

REAL = "real"
NULLS = ("shuffled", "rewired", "gaussian", "rescaled")
NULL_MEANING = {
    "shuffled": "entries permuted inside each stored part",
    "rewired": "targets of each source neuron permuted",
    "gaussian": "normal entries of the same spread",
    "rescaled": "the baseline's weights at this step's scale",
}
FLAGS = {
    "non_concave_tau": "f rises above 0, or alpha rises with q: the spectrum is not a proper one",
    "few_nodes": "fewer than 30 neurons are kept",
    "poor_fit": "a log-log fit has R² below 0.8: no clean scaling",
    "single_scale_leverage": "the smallest radius rests on fewer than 3 edges, and the width moves more than 5 % "
    "without it",
    "coverage_shift": "the kept share differs more than 10 points from the baseline: E compares different sets of "
    "neurons",
    "few_layers": "the network has fewer than 3 blocks",
    "whole_layer": "a layer was taken whole; its samples do not differ",
    "same_weights": "another step has the same weights",
    "non_finite_weights": "weights of the step, or of its baseline, are not finite",
    "other_dtype": "the number format is another one than in the other steps",
    "zero_weights": "all sampled weights of a matrix are zero",
}
MISSING = {
    "no_baseline": "no baseline to compare with",
    "alpha0_not_positive": "α₀ is not above 0",
    "zero_baseline_width": "the baseline has width 0",
    "same_weights": "another step has the same weights",
    "other_shape": "the baseline has another shape",
    "baseline_failed": "the baseline could not be measured",
} | REASONS
ANSWERS = {"yes": "Yes", "no": "No", "undecided": "Undecided"}
Numbered = Estimate | Excess | Term


def step_name(step: Step, revision: str = "") -> str:
    """Return what a checkpoint is called in a list."""
    return revision or "no step" if step is None else f"{step}"


def checkpoint_name(step: Step, revision: str = "") -> str:
    """Return what a checkpoint is called in a sentence."""
    return step_name(step, revision) if step is None else f"step {step}"


def flag_name(flag: str) -> str:
    """Return a flag in words."""
    return flag.replace("_", " ")


def flag_meaning(flag: str, point: CheckpointNumbers | None = None) -> str:
    """Return what a flag means: here, where the numbers say more of it, or always."""
    note = point.flag_notes.get(flag) if point else None
    return note or FLAGS.get(flag, "")


def missing(reason: str | None) -> str:
    """Return why a number is not there."""
    return MISSING.get(reason or "", (reason or "not measured").replace("_", " "))


def fixed(value: float | None, digits: int = 3) -> str:
    """Return a number with a minus of its width, or a dash."""
    if value is None:
        return "—"
    text = f"{value:.{digits}f}"
    return (text if float(text) else text.lstrip("-")).replace("-", "−")


def digits_of(value: float | None) -> int:
    """Return the decimals that show three digits of a number, 2 to 6."""
    size = abs(value or 0.0)
    return next(
        (k for k, least in ((2, 10.0), (3, 0.1), (4, 0.01), (5, 0.001)) if size >= least), 6 if size else 3
    )


def figure(value: float | None) -> str:
    """Return a number to three digits."""
    return fixed(value, digits_of(value))


def interval(one: Numbered | Effect | None) -> str:
    """Return the ends of an interval in words, nothing without one."""
    if one is None or one.low is None or one.high is None:
        return ""
    digits = max(digits_of(one.low), digits_of(one.high)) if one.low and one.high else 5
    return f"{fixed(one.low, min(digits, 5))} to {fixed(one.high, min(digits, 5))}"


def probability(p: float | None) -> str:
    """Return a p-value, small ones as a bound."""
    if p is None:
        return "—"
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}"


def percent(kept: int, total: int) -> str:
    """Return a share, or a dash of nothing."""
    share = 100.0 * kept / total if total else None
    return "—" if share is None else f"{share:.{1 if share < 10 else 0}f} %"


def option_words(options: AnalysisOptions) -> str:
    """Return a set of options in a line."""
    size = (
        "every neuron"
        if options.nodes is None
        else f"{options.nodes} neurons a layer, {counted(options.samples, 'sample')}"
    )
    rest = [f"profile {options.profile}", size, f"range {options.max_distance:g}"]
    rest += ["paths"] if options.hops != "1" else []
    rest += ["fixed radii"] if options.grid == "fixed" else []
    rest += [f"baseline {options.baseline}"] if options.baseline != "first" else []
    return ", ".join(rest)


def counted(number: int, word: str) -> str:
    """Return a number with its word."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def onset_words(verdict: SeriesVerdict | None) -> str:
    """Return since when, in words."""
    if verdict is None or verdict.onset is None:
        return "no onset" if verdict and verdict.answer in ("no", "undecided") else "not told"
    before, first = verdict.onset
    return f"from step {first} on" if before is None else f"between steps {before} and {first}"


def lacking_blocks_words(count: int, source: str = "SOURCE") -> str:
    """Return how results get the excess by block that they were stored without."""
    steps = f"{counted(count, 'step')} of these {'was' if count == 1 else 'were'}"
    return (
        f"{steps} measured before excess by block was kept: "
        f"measure again with neuromfa ingest {source} --measure-again and the options of the first time"
    )


def split_sentence(sentence: str) -> tuple[str, str]:
    """Return a verdict's sentence and the caution that always goes with it, apart."""
    return sentence.removesuffix(CAUTION).rstrip(), CAUTION if sentence.endswith(CAUTION) else ""


def listed(names: Sequence[str]) -> str:
    """Return names as ``a, b and c``."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
