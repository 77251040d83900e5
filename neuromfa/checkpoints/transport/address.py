"""Addresses as they may be shown."""

from urllib.parse import urlsplit


def without_secrets(url: str) -> str:
    """Return an address without user, password and query, fit for a message."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")
