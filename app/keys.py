"""Who may do what: keys with names and scopes, from a file that is read again when it changes."""

import hashlib
import hmac
import logging
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from neuromfa.app.settings import PREFIX, Settings
from neuromfa.errors import OptionError

log = logging.getLogger("neuromfa.app")

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = ("read", "write", "admin")
LINE = re.compile(r"([A-Za-z0-9._-]{1,40}):((?:read|write|admin)(?:,(?:read|write|admin))*):([0-9a-f]{64})")
ADVICE = "a line is name:scopes:sha256, such as `lab:read,write:` and the 64 hexadecimal digits of the key's sha256"


@dataclass(frozen=True)
class Key:
    """One key: who has it, and what it may do; a larger scope holds the smaller ones."""

    name: str
    scopes: frozenset[str]
    sha256: str

    def may(self, scope: Scope) -> bool:
        """Return whether the key may do what needs a scope."""
        return any(one in self.scopes for one in SCOPES[SCOPES.index(scope) :])


class KeyRing:
    """The keys of a service: the one of its settings, which may do everything, and those of the file.

    Parameters
    ----------
    settings : with `api_key` and `keys_file`

    Raises
    ------
    OptionError : the file cannot be read, or has a line that cannot be understood
    """

    def __init__(self, settings: Settings) -> None:
        own = settings.api_key.get_secret_value() if settings.api_key else None
        self._own = [Key("api-key", frozenset({"admin"}), _hash(own))] if own else []
        # a hash out of the file signs nothing, so that who reads the file cannot open a page
        self._secret = own.encode() if own else secrets.token_bytes()
        self._path = settings.keys_file
        self._seen: tuple[int, ...] | None = None
        self._listed: list[Key] = []
        if self._path is not None:
            self._seen, self._listed = _state(self._path), read_keys(self._path)

    @property
    def is_set(self) -> bool:
        """True where there are keys to ask for."""
        return bool(self._own) or self._path is not None

    def find(self, text: str) -> Key | None:
        """Return the key that a request sent, None for one that is not known."""
        given = _hash(text)
        return next((key for key in self.all() if hmac.compare_digest(key.sha256, given)), None)

    def all(self) -> list[Key]:
        """Return the keys that pass now."""
        return [*self._own, *self._current()]

    def signed(self, key: Key) -> str:
        """Return what shows that this service was sent a key; without `api_key` it holds until the next start."""
        return hmac.new(self._secret, key.sha256.encode(), hashlib.sha256).hexdigest()

    def _current(self) -> list[Key]:
        """Return the keys of the file as it is now; a file that cannot be read, or understood, opens nothing."""
        if self._path is None:
            return []
        state = _state(self._path)
        if state != self._seen:
            self._seen = state
            try:
                self._listed = read_keys(self._path)
            except OptionError as error:
                log.warning("no key of the file passes until it is right: %s", error)
                self._listed = []
        return self._listed


def read_keys(path: Path) -> list[Key]:
    """Return the keys of a file; empty lines and those that begin with # are none.

    Raises
    ------
    OptionError : it cannot be read, or the number of the line that is none
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"{PREFIX}KEYS_FILE: cannot read {path}: {error}") from None
    return [_key(line.strip(), number, path) for number, line in enumerate(lines, 1) if _is_key(line)]


def _is_key(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _key(line: str, number: int, path: Path) -> Key:
    found = LINE.fullmatch(line)
    if found is None:
        raise OptionError(f"{PREFIX}KEYS_FILE: line {number} of {path} is no key; {ADVICE}")
    return Key(found[1], frozenset(found[2].split(",")), found[3])


def _state(path: Path) -> tuple[int, ...] | None:
    """Return what changes when a file does, None without it."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
