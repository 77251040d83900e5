"""The verdict in words: one sentence, and what it does not say, always with it."""

from neuromfa.structure import (
    FEW_DRAWS,
    FEW_EDGES,
    FEW_SAMPLES,
    NO_NULLS,
    NOT_ASKED,
    NOT_BY_BLOCK,
    WHOLE_LAYER,
    Effect,
    Step,
)

CAUTION = (
    "Structure beyond scale separates trained from untrained weights; it does not separate learning of language from "
    "other training."
)
REASONS = {
    FEW_SAMPLES: "fewer than 3 samples were measured",
    FEW_DRAWS: "the null was drawn once: ask for 2 draws or more",
    FEW_EDGES: "most neurons have too few edges in range in profile shape",
    NO_NULLS: "no nulls were measured",
    NOT_ASKED: "profile shape was not measured",
    NOT_BY_BLOCK: "profile paper measures no width by block; profile shape beside it does",
    WHOLE_LAYER: "whole layers were taken, so that all samples hold the same weights",
}


def verdict_sentence(
    effect: Effect,
    *,
    strongest: str | None,
    question: str = "structure",
    onset: tuple[Step, Step] | None = None,
) -> str:
    """Return an answer in words, with the caution behind it.

    Parameters
    ----------
    effect : the answer
    strongest : the matrix kind in which it is largest
    question : structure, or changed
    onset : since when, of a series
    """
    subject = CHANGED if question == "changed" else STRUCTURE
    words = subject.get(effect.answer or "", "")
    if not words:
        reason = REASONS.get(effect.reason or "", effect.reason or "nothing was measured")
        return f"No verdict: {reason}. {CAUTION}"
    told = [words]
    if effect.answer == "yes" and strongest is not None:
        told.append(f"strongest in {strongest}")
    if onset is not None:
        told.append(_since(onset))
    return f"{', '.join(told)} ({_figures(effect)}). {CAUTION}"


STRUCTURE = {
    "yes": "There is structure that scale does not explain",
    "no": "There is no structure beyond scale, or too little to speak of",
    "undecided": "Whether there is structure beyond scale is undecided",
}
CHANGED = {
    "yes": "The structure beyond scale is another one than the baseline's",
    "no": "The structure beyond scale is that of the baseline, or too little has changed to speak of",
    "undecided": "Whether the structure beyond scale has changed since the baseline is undecided",
}


def _since(onset: tuple[Step, Step]) -> str:
    before, first = onset
    return f"from step {first} on" if before is None else f"beginning between steps {before} and {first}"


def _figures(effect: Effect) -> str:
    assert effect.g is not None and effect.low is not None and effect.high is not None
    p = "" if effect.p is None else f", p {effect.p:.1g}"
    return (
        f"g {effect.g:.3f}, g2 {effect.g2:.5f} with a 95 % interval of {effect.low:.5f} to {effect.high:.5f}{p}, "
        f"{effect.n} samples"
    )
