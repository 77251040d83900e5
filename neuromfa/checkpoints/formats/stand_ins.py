"""What stands in place of a file of weights: a pointer until it is fetched, a web page, zeros of a broken download."""

from neuromfa.errors import CheckpointMissing, CorruptFile

# the length field of a safetensors file is as long, so that nothing more need be read
POINTER = b"version "
ANNEX = (b"/annex/", b"../.git/", b"../../.")
MARKUP = b"<"


def refuse_pointer(start: bytes, *, name: str) -> None:
    """Raise `CheckpointMissing` where a file begins as a pointer of git-lfs or git-annex does."""
    if start.startswith(POINTER):
        raise CheckpointMissing(
            f"{name} is a git-lfs pointer, not the file itself; run `git lfs pull` in its repository"
        )
    if start.startswith(ANNEX):
        raise CheckpointMissing(
            f"{name} is a git-annex pointer, not the file itself; run `git annex get` in its repository"
        )


def refuse_stand_in(start: bytes, *, name: str) -> None:
    """Raise where a file of weights begins with what none does: a pointer, a web page, other text, zeros.

    Parameters
    ----------
    start : the first bytes, at least as many as the length field of a safetensors file has where the file has them
    """
    refuse_pointer(start, name=name)
    if start.startswith(MARKUP):
        raise CorruptFile(
            f"{name} is a page of a web server, not the file itself; fetch it again, logged in if need be"
        )
    if start and not any(start):
        raise CorruptFile(
            f"{name} begins with zeros: a download or a save did not come to its end; fetch it again"
        )
    if len(start) > len(POINTER) // 2 and start.isascii() and start.decode().isprintable():
        raise CorruptFile(f"{name} is text, not weights: it begins with {start.decode()!r}; fetch it again")
