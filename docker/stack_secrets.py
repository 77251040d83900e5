"""The secrets of the compose stack: made once in a volume, each readable only by the user that needs it.

`init` of docker-compose.yml runs it as root before all else. Secrets of the user's own, in a folder beside the compose
file, go before those in the volume; without them random ones are made. `rotate` changes both while the stack runs.
"""

import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

VOLUME, OWN = Path("/run/secrets"), Path("/own-secrets")
NEO4J_UID, SERVICE_UID = 7474, 10001
DATABASE, USER = "bolt://neo4j:7687", "neo4j"
SHORTEST_PASSWORD, SHORTEST_KEY = 8, 16


@dataclass(frozen=True)
class Secret:
    """One secret.

    Attributes
    ----------
    name : of the file the user may bring
    places : where it stands in the volume, each with the one user that may read it
    """

    name: str
    places: tuple[tuple[str, int], ...]

    def kept(self, volume: Path) -> str | None:
        """Return what the volume holds, None where nothing is in it yet."""
        place = volume / self.places[0][0]
        return place.read_text() if place.exists() else None

    def keep(self, volume: Path, value: str) -> None:
        """Write all copies; a reader sees the old value or the new one, never a part."""
        for place, owner in self.places:
            write_whole(volume / place, value, owner=owner)


AUTH = Secret("neo4j_auth", (("service/neo4j_auth", SERVICE_UID), ("neo4j/auth", NEO4J_UID)))
KEY = Secret("api_key", (("service/api_key", SERVICE_UID),))


def write_whole(place: Path, value: str, *, owner: int) -> None:
    """Write a file that only its owner may read, in a folder of the same owner's."""
    place.parent.mkdir(exist_ok=True)
    part = place.with_name(f".{place.name}.part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w") as file:
        file.write(value)
    os.chown(part, owner, owner)
    part.replace(place)


def new_auth() -> str:
    """Return user and password as the Neo4j image reads them."""
    return f"{USER}/{secrets.token_hex(16)}"


def new_key() -> str:
    """Return an API key."""
    return secrets.token_hex(24)


def own(secret: Secret, folder: Path) -> str | None:
    """Return the user's own secret, None without one; `SystemExit` for one that nothing would accept."""
    place = folder / secret.name
    if not place.is_file():
        return None
    value = place.read_text().strip()
    if secret is AUTH and not (
        value.startswith(f"{USER}/") and len(value) >= len(USER) + 1 + SHORTEST_PASSWORD
    ):
        sys.exit(
            f"secrets/{secret.name} must be {USER}/ and a password of {SHORTEST_PASSWORD} characters or more; "
            "write it so, or remove the file"
        )
    if secret is KEY and len(value) < SHORTEST_KEY:
        sys.exit(
            f"secrets/{secret.name} must have {SHORTEST_KEY} characters or more; lengthen it, or remove the file"
        )
    return value


def make(volume: Path, folder: Path) -> None:
    """Bring the volume what it lacks, and what the user brought."""
    for secret, new in ((AUTH, new_auth), (KEY, new_key)):
        before = secret.kept(volume)
        value = own(secret, folder) or before or new()
        secret.keep(volume, value)
        print(f"{secret.name}: {'as before' if value == before else 'written'}")


def rotate(volume: Path, folder: Path) -> None:
    """Change the database's password and the API key; cut off at any moment, it may be run again.

    The new password is in the volume before the database has it, so that it cannot be lost.
    """
    brought = [secret.name for secret in (AUTH, KEY) if own(secret, folder) is not None]
    if brought:
        sys.exit(f"secrets/{brought[0]} is yours and goes before what is made; remove the file, then rotate")
    before, waiting = AUTH.kept(volume), Secret("next", (("service/.next_auth", SERVICE_UID),))
    if before is None:
        sys.exit("there are no secrets yet; `docker compose up` makes them")
    after = waiting.kept(volume) or new_auth()
    waiting.keep(volume, after)
    change_password(password_of(before), password_of(after))
    AUTH.keep(volume, after)
    (volume / waiting.places[0][0]).unlink()
    KEY.keep(volume, new_key())
    print("changed: the password of the database and the API key; now `docker compose restart api worker`")


def change_password(before: str, after: str) -> None:
    """Change the password at the database, unless it has the new one already."""
    import neo4j
    from neo4j.exceptions import AuthError

    try:
        with neo4j.GraphDatabase.driver(DATABASE, auth=(USER, before)) as driver:
            change = "ALTER CURRENT USER SET PASSWORD FROM $before TO $after"
            driver.execute_query(change, before=before, after=after, database_="system")
    except AuthError:
        with neo4j.GraphDatabase.driver(DATABASE, auth=(USER, after)) as driver:
            driver.verify_connectivity()


def password_of(auth: str) -> str:
    """Return the password of `neo4j/password`."""
    return auth.partition("/")[2].strip()


if __name__ == "__main__":
    {"make": make, "rotate": rotate}[sys.argv[1]](VOLUME, OWN)
