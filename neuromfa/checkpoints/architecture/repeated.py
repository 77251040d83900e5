"""The matrices that stand in every block of a checkpoint, told from names and shapes; no weight is read."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from neuromfa.checkpoints.formats.tensor_store import TensorStore

# a number between dots, or else one at the end of a word, as in `layer0.` and `h_0.`
NUMBERS = (re.compile(r"(?<=\.)\d+(?=\.)"), re.compile(r"(?<=[A-Za-z_/])\d+(?=[./])"))
MIXTURE = re.compile(r"expert|moe", re.IGNORECASE)
EXPERT = re.compile(r"(expert\w*\.)\d+(?=\.)", re.IGNORECASE)
PLACE = "[{expert}]"

Place = tuple[int, int]
"""Number of the block and of the expert."""


@dataclass(frozen=True)
class Repeated:
    """A matrix that blocks have: its name with {block} and {expert}, its shape, and where it stands.

    Attributes
    ----------
    shape : of the matrix of one expert where there are several
    first, end : the blocks that have it, the last one left out
    experts : how many experts have it each, 1 where there are none
    """

    template: str
    shape: tuple[int, int]
    first: int
    end: int
    experts: int = 1

    @property
    def stack(self) -> str:
        """What stands before the number of the block."""
        return self.template.partition("{block}")[0]

    @property
    def together(self) -> bool:
        """True where the experts lie in one tensor."""
        return self.template.endswith(PLACE)

    @property
    def numbers(self) -> int:
        """How many weights all blocks have of it."""
        return self.shape[0] * self.shape[1] * (self.end - self.first) * self.experts

    @property
    def words(self) -> list[str]:
        """Lower-case words of the name behind the block, what does not tell anything left out."""
        behind = self.template.partition("{block}")[2].removesuffix(PLACE)
        words = re.split(r"[./]", behind.lower())
        return [word for word in words if word not in ("", "weight", "kernel", "{expert}")]

    def one(self, block: int = 0) -> str:
        """Return the name of its first tensor, or of that in another block."""
        name = self.template.removesuffix(PLACE).replace("{block}", str(block))
        return name.replace("{expert}", "0")


def repeated_matrices(tensors: TensorStore) -> list[Repeated]:
    """Return the matrices that stand in blocks that follow each other, with one shape."""
    found: defaultdict[str, dict[Place, tuple[int, ...]]] = defaultdict(dict)
    for name in tensors.names():
        shape = tensors.info(name).shape
        if (told := _template(name, axes=len(shape))) is not None:
            found[told[0]][told[1]] = shape
    return list(_regular(found.items()))


def _template(name: str, *, axes: int) -> tuple[str, Place] | None:
    """Return a name with {block} and {expert} for the numbers of both, and the numbers."""
    number = next((hit for pattern in NUMBERS if (hit := pattern.search(name))), None)
    if number is None or not (axes == 2 or axes == 3 and MIXTURE.search(name)):
        return None
    block, behind = int(number.group()), name[number.end() :]
    expert = EXPERT.search(behind)
    behind = EXPERT.sub(r"\g<1>{expert}", behind, count=1) + (PLACE if axes == 3 else "")
    which = int(expert.group().rpartition(".")[2]) if expert else 0
    return f"{name[: number.start()]}{{block}}{behind}", (block, which)


def _regular(found: Iterable[tuple[str, dict[Place, tuple[int, ...]]]]) -> Iterator[Repeated]:
    for template, shapes in found:
        blocks, experts = ({place[k] for place in shapes} for k in (0, 1))
        first, end, count = min(blocks), max(blocks) + 1, max(experts) + 1
        whole = set(product(range(first, end), range(count)))
        if shapes.keys() == whole and len(set(shapes.values())) == 1:
            *together, rows, columns = next(iter(shapes.values()))
            yield Repeated(template, (rows, columns), first, end, together[0] if together else count)


def stacks(repeated: Sequence[Repeated]) -> list[list[Repeated]]:
    """Return the matrices of each stack of blocks, the stack with most weights first."""
    found: defaultdict[str, list[Repeated]] = defaultdict(list)
    for one in repeated:
        found[one.stack].append(one)
    return sorted(found.values(), key=lambda stack: -sum(one.numbers for one in stack))


def width_of(repeated: Sequence[Repeated]) -> int:
    """Return the width of the model: the size that most axes have."""
    return Counter(size for one in repeated for size in one.shape).most_common(1)[0][0]
