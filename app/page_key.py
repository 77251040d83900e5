"""The key of a browser: a cookie made of a key of the service, since a browser sends no header when it opens a page."""

import hmac

from fastapi import Request

from neuromfa.app.keys import Key, KeyRing

COOKIE = "neuromfa"


def cookie_of(key: Key, keys: KeyRing) -> str:
    """Return what the cookie of a key holds: it opens what the key opens, and does not tell the key."""
    return f"{key.name}={keys.signed(key)}"


def key_of_cookie(request: Request, keys: KeyRing) -> Key | None:
    """Return the key a browser was given its cookie for; None without one, and for one that was withdrawn."""
    given = request.cookies.get(COOKIE)
    if given is None:
        return None
    return next(
        (key for key in keys.all() if hmac.compare_digest(given.encode(), cookie_of(key, keys).encode())),
        None,
    )
