"""The questions by name, for callers that have words: the command line, a notebook's form, a benchmark."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from neuromfa.errors import OptionError
from neuromfa.questions.ball import ball
from neuromfa.questions.box_cover import boxes
from neuromfa.questions.engine.stored_sample import Explorer
from neuromfa.questions.layer_change import LayerChange, layer_change
from neuromfa.questions.layer_masses import mass_table, radius_histogram
from neuromfa.questions.lineage import provenance
from neuromfa.questions.neuron_detail import neuron
from neuromfa.questions.neuron_list import neurons
from neuromfa.questions.neuron_trajectory import Trajectory, trajectory
from neuromfa.questions.path import shortest_path
from neuromfa.questions.strongest_edges import strongest_edges
from neuromfa.questions.subgraph import drawing


@dataclass(frozen=True)
class Question:
    """A question that can be asked by name.

    Attributes
    ----------
    name : for people
    about : the words that say what is asked, each with its type; those without a default are needed
    ask : takes an explorer and these words
    purpose : one sentence
    """

    name: str
    about: Mapping[str, inspect.Parameter]
    ask: Callable[..., Any]
    purpose: str


def _parameters(function: Callable[..., Any], *, without: int) -> dict[str, inspect.Parameter]:
    found = list(inspect.signature(function).parameters.values())[without:]
    return {parameter.name: parameter for parameter in found}


def _purpose(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").splitlines()[0]


def _where(model: str, step: int | None, seed: int = 0) -> None:
    """Name the words that find a sample."""


def _between(model: str, before: int, after: int, seed: int = 0) -> None:
    """Name the words that find two samples."""


def _through(model: str, seed: int = 0) -> None:
    """Name the words that find the samples of all steps."""


def _of_sample(name: str, function: Callable[..., Any]) -> Question:
    def ask(explorer: Explorer, *, model: str, step: int | None, seed: int = 0, **words: Any) -> Any:
        return function(explorer.sample(model, step, seed), **words)

    about = _parameters(_where, without=0) | _parameters(function, without=1)
    return Question(name, about, ask, _purpose(function))


def _change(
    explorer: Explorer, *, model: str, before: int, after: int, seed: int = 0, **words: Any
) -> LayerChange:
    return layer_change(explorer.sample(model, before, seed), explorer.sample(model, after, seed), **words)


def _trajectory(explorer: Explorer, *, model: str, seed: int = 0, **words: Any) -> Trajectory:
    return trajectory(explorer.samples(model, seed), **words)


QUESTIONS: Mapping[str, Question] = {
    question.name: question
    for question in (
        _of_sample("path", shortest_path),
        _of_sample("ball", ball),
        _of_sample("boxes", boxes),
        _of_sample("radii", radius_histogram),
        _of_sample("masses", mass_table),
        _of_sample("strongest", strongest_edges),
        _of_sample("neurons", neurons),
        _of_sample("neuron", neuron),
        _of_sample("drawing", drawing),
        Question(
            "change",
            _parameters(_between, without=0) | _parameters(layer_change, without=2),
            _change,
            _purpose(layer_change),
        ),
        Question(
            "trajectory",
            _parameters(_through, without=0) | _parameters(trajectory, without=1),
            _trajectory,
            _purpose(trajectory),
        ),
        Question("provenance", _parameters(provenance, without=1), provenance, _purpose(provenance)),
    )
}


def put(explorer: Explorer, name: str, words: Mapping[str, Any]) -> Any:
    """Ask a question by its name.

    Raises
    ------
    OptionError : no such question, a word it does not know, or one it misses
    """
    if name not in QUESTIONS:
        raise OptionError(f"there is no question {name!r}; there are {', '.join(QUESTIONS)}")
    question = QUESTIONS[name]
    needed = [each for each, p in question.about.items() if p.default is inspect.Parameter.empty]
    missing, unknown = sorted(set(needed) - set(words)), sorted(set(words) - set(question.about))
    if missing or unknown:
        raise OptionError(
            f"{name} takes {', '.join(question.about)}; missing {', '.join(missing) or 'none'}, "
            f"unknown {', '.join(unknown) or 'none'}"
        )
    return question.ask(explorer, **words)
