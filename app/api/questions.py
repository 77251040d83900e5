"""A route for every question to a stored graph, made of what the question says of itself."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, is_dataclass
from functools import partial
from inspect import Parameter, Signature
from itertools import chain
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic.fields import FieldInfo

from neuromfa.app.dependencies import Chosen, Configured, ModelId, Step, Store
from neuromfa.app.etags import Tag, Tagging
from neuromfa.app.file_responses import file_answer, file_contract
from neuromfa.app.memory.answering import Answers
from neuromfa.app.rooms import seated
from neuromfa.app.settings import Settings
from neuromfa.app.table_forms import table_of
from neuromfa.exports import GRAPH_FORMATS
from neuromfa.questions import QUESTIONS, Explorer, Question, SampleCache, StoredSample, ask
from neuromfa.questions.engine.explorer import EveryStep, OneResult, OneSample, TwoSteps, Where
from neuromfa.questions.engine.records import GraphAnswer
from neuromfa.questions.engine.request import request_of, words_of
from neuromfa.questions.engine.subjects import Subject

AnyQuestion = Question[Any, Any]

PREFIXES: Mapping[type[Where[Any]], str] = {
    OneSample: "/v1/models/{model}/checkpoints/{step}/samples/{seed}",
    OneResult: "/v1/models/{model}/checkpoints/{step}",
    TwoSteps: "/v1/models/{model}",
    EveryStep: "/v1/models/{model}",
}
FILE_TYPES = {"graphml": "application/graphml+xml", "gexf": "application/gexf+xml"}
Form = Annotated[Literal["json", "graphml", "gexf"], Query(description="Form of the answer.")]


async def explorer_of(request: Request, store: Store, settings: Configured) -> Explorer:
    """Return what finds stored graphs; all requests share its memory."""
    cache: SampleCache = request.app.state.samples
    return Explorer(store, cache, settings.query_timeout)


async def chosen_options(answers: Answers, model: ModelId, choice: Chosen) -> str:
    """Return the identity of the options that a request chooses."""
    return (await answers.series(model)).choose(**asdict(choice)).analysis.options_hash


# words that an address writes otherwise than the command line
OWN_WORDS: Mapping[str, Any] = {
    "model": ModelId,
    "step": Step,
    "options_hash": Annotated[str, Depends(chosen_options)],
}
SERVED: Mapping[str, Any] = {
    "request": Request,
    "explorer": Annotated[Explorer, Depends(explorer_of)],
    "settings": Configured,
    "tag": Tag,
}


def route_of(kind: type[AnyQuestion]) -> str:
    """Return the address of a question."""
    return f"{PREFIXES[kind.where]}/{kind.about.address}"


def question_router() -> APIRouter:
    """Return the routes of all questions."""
    router = APIRouter(tags=["graph"], route_class=seated("graph"))
    for kind in QUESTIONS.values():
        router.add_api_route(
            route_of(kind),
            _endpoint(kind),
            name=f"read_{kind.about.name}",
            description=kind.purpose(),
            response_model=kind.answer_type(),
            responses=file_contract(FILE_TYPES.values()) if _is_graph(kind) else None,
            openapi_extra=_rows_of(kind),
        )
    return router


def _rows_of(kind: type[AnyQuestion]) -> dict[str, Any] | None:
    """Return what makes a route one of tables, where one member of its answers alone is a list of records."""
    members = [name for name, type_ in get_type_hints(kind.answer_type()).items() if _holds_records(type_)]
    ends_in_a_name = kind.about.address.endswith("}")
    return table_of(members[0]) if len(members) == 1 and not (ends_in_a_name or _is_graph(kind)) else None


def _holds_records(kind: Any) -> bool:
    return get_origin(kind) in (list, tuple) and is_dataclass(get_args(kind)[0])


def _is_graph(kind: type[AnyQuestion]) -> bool:
    return issubclass(kind.answer_type(), GraphAnswer)


def _endpoint(kind: type[AnyQuestion]) -> Callable[..., Any]:
    def endpoint(
        *,
        request: Request,
        explorer: Explorer,
        settings: Settings,
        tag: Tagging,
        format: str = "json",
        **words: Any,
    ) -> Any:
        asked = request_of(kind, _paged(words, settings))
        subject = asked.where.find(explorer)
        _tag(tag, request, subject)
        answer = ask(subject, asked.question, engine=asked.engine)
        return answer if format == "json" else _file(subject, answer, format, tag)

    # what a function written by hand would declare
    endpoint.__signature__ = Signature([*_served(), *_parameters(kind)])  # type: ignore[attr-defined]
    return endpoint


def _served() -> Iterator[Parameter]:
    return (Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind) for name, kind in SERVED.items())


def _parameters(kind: type[AnyQuestion]) -> Iterator[Parameter]:
    """Yield the words of a question: those of the address, then those behind its question mark."""
    in_path = route_of(kind)
    for name, field in words_of(kind).items():
        yield _parameter(name, field, in_path=f"{{{name}}}" in in_path)
    if _is_graph(kind):
        yield Parameter("format", Parameter.KEYWORD_ONLY, annotation=Form, default="json")


def _parameter(name: str, field: FieldInfo, *, in_path: bool) -> Parameter:
    """Return the parameter of a word: its bounds are those of the field, what an address needs has no default."""
    if name in OWN_WORDS:
        return Parameter(name, Parameter.KEYWORD_ONLY, annotation=OWN_WORDS[name])
    place = Path if in_path else Query
    about = place(description=field.description, examples=field.examples)
    default = Parameter.empty if in_path or field.is_required() else field.default
    annotation = Annotated[field.annotation, *field.metadata, about]  # type: ignore[name-defined]
    return Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _paged(words: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Return the words with a page no longer than the operator allows."""
    if "cursor" not in words:
        return words
    return words | {"limit": min(words["limit"], settings.page_limit)}


def _tag(tag: Tagging, request: Request, subject: Subject) -> None:
    """Tag an answer: the same question to the same graphs has the same answer, and so the same tag."""
    manifests = [sample.manifest for sample in subject.samples]
    if manifests:
        named = ((one.graph_hash, one.checksum, one.tested or "") for one in manifests)
        tag.by(chain.from_iterable(named), request.url.path, request.url.query)


def _file(sample: StoredSample, answer: GraphAnswer, kind: str, tag: Tagging) -> Response:
    """Return a graph in a form that other programs read."""
    manifest, form = sample.manifest, GRAPH_FORMATS[kind]
    name = f"seed{manifest.seed}-{answer.title}{form.suffix}"
    write = partial(form.write, answer.as_graph(manifest))
    return file_answer(write, name=name, media_type=FILE_TYPES[kind], headers=tag.headers)
