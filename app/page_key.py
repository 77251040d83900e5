"""The key of a browser: a cookie made of the service's key, since a browser sends no header when it opens a page."""

import hashlib
import hmac

from fastapi import Request

from neuromfa.app.settings import Settings

COOKIE = "neuromfa"


def token_of(key: str) -> str:
    """Return what the cookie holds: it opens the service, and does not tell the key."""
    return hmac.new(key.encode(), b"pages", hashlib.sha256).hexdigest()


def cookie_opens(request: Request, settings: Settings) -> bool:
    """Return whether a request comes from a browser that was given the key."""
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    given = request.cookies.get(COOKIE, "")
    return bool(key) and hmac.compare_digest(given.encode(), token_of(key).encode())
