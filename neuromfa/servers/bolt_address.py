"""Addresses of a server: what one looks like, no secret in them, and what answers at one that is no store."""

import socket
import ssl
from urllib.parse import urlsplit

from neuromfa.errors import StoreUnavailable

SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")
DEFAULT_PORT = 7687
EXAMPLE = "bolt://127.0.0.1:7687"
# the port of Bolt also answers a browser, in these words
BOLT_TO_BROWSERS = b"WebSocket"
PROBE_S = 1.0


def without_password(uri: str) -> str:
    """Return an address fit for a message: what stands before an @ is a secret, or next to one."""
    before, at, after = uri.rpartition("@")
    return f"{before.partition('://')[0]}://***@{after}" if at else uri


def check_address(uri: str) -> None:
    """Raise `StoreUnavailable` for what is no address of a store, or has a password in it."""
    shown = without_password(uri)
    if shown != uri:
        raise StoreUnavailable(
            f"the store's address {shown} has a user or a password in it: put the password in "
            "NEUROMFA_NEO4J_PASSWORD, the user in NEUROMFA_NEO4J_USER, and neither in the address"
        )
    if uri.partition("://")[0] not in SCHEMES or "://" not in uri:
        raise StoreUnavailable(
            f"{uri[:200]!r} is no address of a store; it begins with {', '.join(SCHEMES[:-1])} or {SCHEMES[-1]}, "
            f"such as {EXAMPLE}"
        )


def what_answers(uri: str, *, timeout: float = PROBE_S) -> str | None:
    """Return what listens at an address where no store answers, None when nothing does or it cannot be told.

    Parameters
    ----------
    timeout : seconds each of at most two questions may take
    """
    try:
        place = urlsplit(uri)
        where = (place.hostname or "", place.port or DEFAULT_PORT)
        secure = "+" in place.scheme
        encrypted = _speaks_tls(where, timeout)
        if secure:
            return _about_secure(place.scheme, encrypted=encrypted)
        if encrypted:
            return f"what listens there speaks TLS: use {place.scheme}+s:// (or {place.scheme}+ssc://)"
        return _about_plain(_greeted(where, timeout))
    except TimeoutError:
        return "something accepts the connection and says nothing; check the port"
    except (OSError, ValueError):
        return None


def _about_secure(scheme: str, *, encrypted: bool) -> str:
    plain = scheme.partition("+")[0]
    if encrypted:
        return f"its certificate is not trusted here; {plain}+ssc:// takes one that the server signed itself"
    return f"what listens there does not speak TLS: use {plain}://"


def _about_plain(greeting: bytes) -> str | None:
    if greeting.startswith(b"HTTP/") and BOLT_TO_BROWSERS not in greeting:
        return f"a web server answers there; Bolt has a port of its own, by default {DEFAULT_PORT}"
    return None


def _speaks_tls(where: tuple[str, int], timeout: float) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(where, timeout) as connection:
        try:
            context.wrap_socket(connection).close()
        except (ssl.SSLError, ConnectionError):
            return False
        return True


def _greeted(where: tuple[str, int], timeout: float) -> bytes:
    with socket.create_connection(where, timeout) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return connection.recv(4096)
