"""Which texts of users may be sent to a server at all: one reading statement that can be read in one way only.

This is not the barrier but what stands before it: a server that gets the text refuses writes by itself. It is
stricter than Cypher, so that no difference between how we and a server split a text into words can matter: no
backslash (escapes are read differently), no invisible characters, nothing but ASCII outside quotes and comments.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from neuromfa.errors import QueryRefused

MOST_CHARACTERS = 10_000
DEEPEST = 50
FIRST_WORDS = ("MATCH", "OPTIONAL", "WITH", "UNWIND", "RETURN", "CALL")
WRITING_WORDS = frozenset(
    "CREATE MERGE INSERT SET DELETE DETACH NODETACH REMOVE FOREACH DROP ALTER RENAME GRANT DENY REVOKE".split()
)
FOREIGN_WORDS = frozenset("LOAD SHOW TERMINATE USE TRANSACTIONS".split())
NAMESPACES = frozenset("DATE DATETIME DURATION LOCALDATETIME LOCALTIME POINT TIME".split())
NAMES = ("word", "name")

_TOKEN = re.compile(
    r"""
      (?P<comment> //[^\n\r]* | /\*.*?\*/ )
    | (?P<string> '[^']*' | "[^"]*" )
    | (?P<name> `[^`]*` )
    | (?P<word> [A-Za-z_][A-Za-z0-9_]* )
    | (?P<space> [ \t\n\r]+ )
    | (?P<sign> . )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """A piece of a text; `kind` is string, name (in backticks), word or sign."""

    kind: str
    text: str

    @property
    def upper(self) -> str:
        """How keywords are compared."""
        return self.text.upper()


def check_text(text: str) -> None:
    """Return for one statement that only reads the graph; `QueryRefused` says what is in the way."""
    if len(text) > MOST_CHARACTERS:
        raise QueryRefused(f"the query has {len(text)} characters; at most {MOST_CHARACTERS} are taken")
    _check_characters(text)
    tokens = list(_tokens(text))
    _check_signs(tokens)
    _check_beginning(tokens)
    _check_depth(tokens)
    for place, token in enumerate(tokens):
        _check_word(token)
        _check_call(token, tokens[place + 1 : place + 2])
        if token == Token("sign", "("):
            _check_function(_called(tokens[:place]))


def _tokens(text: str) -> Iterator[Token]:
    """Yield what is neither space nor comment."""
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or ""
        if kind not in ("comment", "space"):
            yield Token(kind, found.group())


def _check_characters(text: str) -> None:
    if "\\" in text:
        raise QueryRefused("the query has a backslash in it; give a text that needs one as a parameter")
    for character in text:
        if character not in "\t\n\r" and unicodedata.category(character) in (
            "Cc",
            "Cf",
            "Cs",
            "Cn",
            "Zl",
            "Zp",
        ):
            raise QueryRefused(
                f"the query has the invisible character U+{ord(character):04X} in it; take it out"
            )


def _check_signs(tokens: list[Token]) -> None:
    for token, following in zip_longest(tokens, tokens[1:]):
        if token.kind != "sign":
            continue
        if token.text in "'\"`" or (token.text == "/" and following == Token("sign", "*")):
            raise QueryRefused("a quote or a comment of the query does not end")
        if not token.text.isascii():
            raise QueryRefused(
                f"the query has {token.text!r} outside of quotes; a name that has it goes into backticks"
            )
        if token.text == ";" and following is not None:
            raise QueryRefused("there is more than one statement; send them one by one")


def _check_beginning(tokens: list[Token]) -> None:
    if not tokens or tokens[0].text == ";":
        raise QueryRefused("the query is empty")
    if tokens[0].upper not in FIRST_WORDS or tokens[0].kind != "word":
        raise QueryRefused(
            f"a query begins with one of {', '.join(FIRST_WORDS)}, not with {tokens[0].text[:40]!r}"
        )


def _check_depth(tokens: list[Token]) -> None:
    """Refuse what would keep a parser busy for minutes."""
    depth = 0
    for token in tokens:
        depth += (token.text in ("(", "[", "{")) - (token.text in (")", "]", "}"))
        if depth > DEEPEST:
            raise QueryRefused(f"the query has brackets nested more than {DEEPEST} deep")


def _check_word(token: Token) -> None:
    if token.kind != "word" or token.upper not in WRITING_WORDS | FOREIGN_WORDS:
        return
    why = "only reads are taken" if token.upper in WRITING_WORDS else "it leaves the data of the graph"
    raise QueryRefused(
        f"{token.upper} is refused, wherever it stands, since {why}; a name that is called so goes into "
        "backticks, a text into a parameter or quotes"
    )


def _check_call(token: Token, following: list[Token]) -> None:
    if (
        token.kind == "word"
        and token.upper == "CALL"
        and [one.text for one in following] not in (["{"], ["("])
    ):
        name = following[0].text[:40] if following else "nothing"
        raise QueryRefused(f"procedures are refused (CALL {name}); CALL {{ ... }} with reads in it is taken")


def _called(before: list[Token]) -> list[Token]:
    """Return the names, joined by dots, that stand before a bracket; all of them, however many."""
    names: list[Token] = []
    while before and before[-1].kind in NAMES:
        names.insert(0, before[-1])
        if len(before) < 2 or before[-2] != Token("sign", "."):
            break
        before = before[:-2]
    return names


def _check_function(names: list[Token]) -> None:
    """Refuse functions of libraries: some of them read files, or run Cypher that is hidden in a text."""
    if names and names[-1].kind == "name":
        raise QueryRefused(f"the function {names[-1].text[:40]} is called in backticks; write it without")
    if len(names) > 2 or (len(names) == 2 and names[0].upper not in NAMESPACES):
        called = ".".join(name.text for name in names)
        raise QueryRefused(f"functions of libraries are refused ({called[:80]}); built-in ones are taken")
