"""Pointers of git-lfs: the few lines that stand in place of a file until it is fetched."""

from neuromfa.errors import CheckpointMissing

# the length field of a safetensors file is as long, so that nothing more need be read
POINTER = b"version "


def refuse_pointer(start: bytes, *, name: str) -> None:
    """Raise `CheckpointMissing` where a file begins as a git-lfs pointer does."""
    if start.startswith(POINTER):
        raise CheckpointMissing(
            f"{name} is a git-lfs pointer, not the file itself; run `git lfs pull` in its repository"
        )
