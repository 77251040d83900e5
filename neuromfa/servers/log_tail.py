"""The end of what a server said: the part that tells why it did not start."""

MOST_LINES = 12


def last_lines(text: str) -> str:
    """Return the last `MOST_LINES` lines of a log."""
    return "\n".join(text.strip().splitlines()[-MOST_LINES:])
