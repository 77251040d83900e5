"""One checkpoint as its architecture calls it: names and shapes of its tensors, and the numbers of config.json."""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from neuromfa.checkpoints.architecture.detect import look_up
from neuromfa.checkpoints.architecture.formulas import Number, evaluate
from neuromfa.checkpoints.architecture.schema import Architecture, Init, Matrix, Size
from neuromfa.checkpoints.formats.quantisation import scheme_of
from neuromfa.checkpoints.formats.tensor_store import TensorStore
from neuromfa.errors import (
    CheckpointMissing,
    CorruptFile,
    SourceError,
    UnsupportedArchitecture,
    UnsupportedFormat,
)

FLOATS = ("float", "bfloat")


class Model:
    """Names, shapes and numbers of one checkpoint, as its architecture calls them."""

    def __init__(
        self, architecture: Architecture, prefix: str, tensors: TensorStore, config: Mapping[str, Any]
    ) -> None:
        self.architecture = architecture
        self.prefix = prefix
        self.tensors = tensors
        self.names = tensors.names()
        self._known = set(self.names)
        self.sizes = self._sizes(config)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a tensor that must be there."""
        if name not in self._known:
            raise CorruptFile(
                f"{self.tensors.name} has no tensor {name}, which {self.architecture.name} needs"
            )
        info = self.tensors.info(name)
        if not info.dtype.startswith(FLOATS):
            scheme = scheme_of(self.names, self.tensors.config)
            raise UnsupportedFormat(
                f"{name} in {self.tensors.name} is stored as {info.dtype}{f' ({scheme})' if scheme else ''}; "
                "quantised weights are not read, save the model in bfloat16 or float32"
            )
        return info.shape

    def count(self, name: str) -> int:
        """Return a size that counts something."""
        value = self.sizes[name]
        if not isinstance(value, int) or value < 1:
            raise CorruptFile(
                f"config.json of {self.tensors.name} gives {name} = {value}, not a number above 0"
            )
        return value

    def whole(self, formula: str, matrix: Matrix) -> int:
        """Return a number of rows."""
        value = evaluate(formula, self.sizes)
        if not float(value).is_integer() or value < 0:
            raise CorruptFile(
                f"config.json of {self.tensors.name} gives {formula} = {value} rows of {matrix.tensor}, no whole number"
            )
        return int(value)

    def init(self, init: Init, matrix: Mapping[str, Number]) -> tuple[str, float]:
        """Return distribution and spread of the initial weights."""
        return init.distribution, float(evaluate(init.spread, {**self.sizes, **matrix}))

    def _sizes(self, config: Mapping[str, Any]) -> dict[str, Number]:
        """Evaluate the sizes of the architecture, in the order of its file."""
        architecture, where = self.architecture, self.tensors.name
        sizes: dict[str, Number] = {}
        for name, size in architecture.sizes.items():
            found = look_up(architecture, config, size.keys)
            if found is None:
                found = self._measured(size)
            if found is None and size.otherwise is not None:
                found = evaluate(size.otherwise, sizes)
            if size.accept is not None and found not in size.accept:
                raise UnsupportedArchitecture(
                    f"{where} has {' / '.join(size.keys) or name} = {found}; {architecture.name} describes "
                    f"{' or '.join(map(str, size.accept))} only"
                )
            if found is None:
                raise _size_missing(architecture, config, size.keys, where=where)
            if isinstance(found, bool) or not isinstance(found, int | float):
                raise CorruptFile(
                    f"config.json of {where} gives {' / '.join(size.keys) or name} = {found!r}; "
                    f"{architecture.name} needs a number there"
                )
            sizes[name] = found
        return sizes

    def _measured(self, size: Size) -> int | None:
        """Return a size that the tensors themselves tell."""
        if size.axis is not None:
            name, axis = self.prefix + size.axis[0], size.axis[1]
            shape = self.shape(name) if name in self._known else ()
            return shape[axis] if axis < len(shape) else None
        if size.counted is not None:
            return self._blocks_with(self.prefix + size.counted) or None
        return None

    def _blocks_with(self, template: str) -> int:
        return next(block for block in count() if template.replace("{block}", str(block)) not in self._known)


def _size_missing(
    architecture: Architecture, config: Mapping[str, Any], keys: Iterable[str], *, where: str
) -> SourceError:
    """Return the error for a size that config.json does not tell, with what to do."""
    needed = [size.keys[0] for size in architecture.sizes.values() if size.keys and size.otherwise is None]
    if not config:
        return CheckpointMissing(
            f"{where} has no config.json; {architecture.name} needs {', '.join(needed)}: write them into a config.json "
            "beside the weights"
        )
    nest = next(
        (key for key, part in config.items() if isinstance(part, dict) and set(keys) & set(part)), None
    )
    if nest is not None:
        return CorruptFile(
            f"config.json of {where} keeps {' / '.join(keys)} under {nest}; {architecture.name} needs it at the top: "
            f"copy what stands under {nest} there"
        )
    return CorruptFile(
        f"config.json of {where} does not give {' / '.join(keys)}; {architecture.name} needs a number there"
    )
