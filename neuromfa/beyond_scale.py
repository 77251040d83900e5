"""What checkpoints hold beyond the scale of their weights: excess, terms and verdicts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Protocol

from neuromfa import mfa
from neuromfa.mfa.excess import PairedExcess, is_whole, shared_weights, terms_of
from neuromfa.mfa.nulls import PERMUTED
from neuromfa.mfa.verdict import change_of, onset, structure_of
from neuromfa.network import SNIN
from neuromfa.options import ONE_HOP, AnalysisOptions
from neuromfa.structure import Effect, NullExcess, Question, SeriesVerdict, Step, Terms, Verdict
from neuromfa.verdict_words import verdict_sentence


class HasExcess(Protocol):
    """What tells whether excess by block was kept."""

    @property
    def excess(self) -> dict[str, NullExcess] | None: ...  # noqa: D102


class HasVerdict(Protocol):
    """What the verdict of a series is made of: a step and what it answers."""

    @property
    def step(self) -> Step: ...  # noqa: D102

    @property
    def verdict(self) -> Verdict | None: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class Paired:
    """The paired samples of a checkpoint, one list a view, each with one sample a seed.

    Attributes
    ----------
    asked : in the profile asked for
    shape : in profile shape; None where it was not asked for
    effect : in profile shape at one hop, which the verdict speaks of; None with `shape`
    """

    asked: list[mfa.PairedSample]
    shape: list[mfa.PairedSample] | None
    effect: list[mfa.PairedSample] | None


def paired_of(
    networks: Sequence[SNIN], options: AnalysisOptions, *, baseline: Sequence[SNIN] | None = None
) -> Paired:
    """Measure the figures of every sample and of its nulls in all views the options ask for."""
    plain, shape = replace(options, rms_scaled=False), options.in_shape
    views = [plain, shape] if options.shape and options.profile != "shape" else [plain]
    partners = baseline or (None,) * len(networks)
    by_sample = [
        mfa.paired_samples(network, views, baseline=partner)
        for network, partner in zip(networks, partners, strict=True)
    ]
    asked, *others = ([sample[k] for sample in by_sample] for k in range(len(views)))
    in_shape = asked if options.profile == "shape" else others[0] if others else None
    effect = in_shape if in_shape is None or not options.over_paths else paired_effect(networks, options)
    return Paired(asked, in_shape, effect)


def paired_effect(networks: Sequence[SNIN], options: AnalysisOptions) -> list[mfa.PairedSample]:
    """Measure what the verdict speaks of: profile shape at one hop."""
    view = replace(options.in_shape, hops=ONE_HOP)
    return [mfa.paired_samples(network, [view], kinds=("shuffled",))[0] for network in networks]


def excess_of(
    samples: Sequence[mfa.PairedSample],
    networks: Sequence[SNIN],
    *,
    baseline: Sequence[mfa.SampleMeasure] | None,
) -> dict[str, NullExcess]:
    """Return the excess over every null that moves weights about, that of E against the samples of the baseline."""
    return {
        kind: _over_null(samples, networks, kind, baseline) for kind in PERMUTED if kind in samples[0].nulls
    }


def _over_null(
    samples: Sequence[mfa.PairedSample],
    networks: Sequence[SNIN],
    kind: mfa.NullKind,
    baseline: Sequence[mfa.SampleMeasure] | None,
) -> NullExcess:
    paired = _paired_excess(samples, networks, kind)
    if baseline is None:
        return paired.over_null(emergence=None)
    emergence = paired.emergence(
        widths_0=[start.width for start in baseline], alpha0s_0=[start.alpha0 for start in baseline]
    )
    return paired.over_null(emergence=emergence)


def _paired_excess(
    samples: Sequence[mfa.PairedSample], networks: Sequence[SNIN], kind: mfa.NullKind = "shuffled"
) -> PairedExcess:
    return PairedExcess(samples, kind, rho=_rho(samples, networks), whole=is_whole(networks[0]))


def _rho(samples: Sequence[mfa.PairedSample], networks: Sequence[SNIN]) -> float:
    return shared_weights(networks[0], draws=len(samples[0].nulls["shuffled"]))


def terms(
    samples: Sequence[mfa.PairedSample], *, baseline: Sequence[mfa.SampleMeasure] | None
) -> dict[str, Terms] | None:
    """Return where each change comes from, None without a baseline."""
    if baseline is None:
        return None
    return terms_of(samples, [(start.alpha0, start.width) for start in baseline])


def lacking_blocks(results: Iterable[HasExcess]) -> int:
    """Return how many whole results were measured before excess by block was kept."""
    over = [(one.excess or {}).get("shuffled") for one in results]
    return sum(bool(one and one.by_matrix and not one.by_block) for one in over)


def verdict_of(
    effect: Sequence[mfa.PairedSample],
    networks: Sequence[SNIN],
    *,
    baseline: Sequence[mfa.PairedSample] | None,
) -> Verdict:
    """Return the verdict of a checkpoint.

    Parameters
    ----------
    effect : its samples in profile shape at one hop
    baseline : those of the baseline at the same seeds, or None
    """
    own, rho = _paired_excess(effect, networks), _rho(effect, networks)
    structure = structure_of(own.nfd_variance(), rho=rho)
    changed = None
    if baseline is not None:
        before = _paired_excess(baseline, networks)
        changed = change_of(own.over_seeds(own.variance_by_seed() - before.variance_by_seed()), rho=rho)
    strongest = _strongest(own)
    return Verdict(
        structure=structure,
        changed=changed,
        strongest=strongest,
        sentence=verdict_sentence(structure, strongest=strongest),
    )


def no_verdict(reason: str) -> Verdict:
    """Return the verdict of a checkpoint of which nothing can be said."""
    nothing = Effect(answer=None, reason=reason)
    return Verdict(structure=nothing, changed=None, sentence=verdict_sentence(nothing, strongest=None))


def _strongest(paired: PairedExcess) -> str | None:
    """Return the matrix kind with the largest effect."""
    values = {kind: one.nfd_variance.value for kind, one in paired.by_matrix().items()}
    present = {kind: value for kind, value in values.items() if value is not None}
    return max(present, key=lambda kind: present[kind]) if present else None


def series_verdict(checkpoints: Sequence[HasVerdict], options: AnalysisOptions) -> SeriesVerdict | None:
    """Return the verdict of a series: that of its last measured step, and since when; None without any verdict.

    Where the baseline is a trained checkpoint, the question is what has changed since it.
    """
    verdicts = [(one.step, one.verdict) for one in checkpoints if one.verdict is not None]
    if not verdicts:
        return None
    step, last = verdicts[-1]
    question: Question = (
        "changed" if options.has_trained_baseline and last.changed is not None else "structure"
    )
    effects = [(at, effect) for at, verdict in verdicts if (effect := getattr(verdict, question)) is not None]
    effect = effects[-1][1]
    since = onset(effects) if len(effects) > 1 else None
    strongest = last.strongest
    return SeriesVerdict(
        **{each.name: getattr(effect, each.name) for each in fields(Effect)},
        question=question,
        step=step,
        onset=since,
        strongest=strongest,
        sentence=verdict_sentence(effect, strongest=strongest, question=question, onset=since),
    )
