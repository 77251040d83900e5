"""A pickle machine that can do nothing: it builds plain values and notes of tensors, and calls no function.

The standard unpickler, however restricted, calls what the file names. Here an instruction that would call
something is carried out only for the few names of `TENSOR_BUILDERS`, `STORAGES` and ``OrderedDict``, and even
those are never imported: a tensor becomes a `TensorNote`, a storage a `StorageNote`. Anything else is an
`UnsafeFormat`.
"""

import pickletools
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

from neuromfa.errors import CorruptFile, UnsafeFormat

STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}
UNTYPED = ("torch.storage", "UntypedStorage")
TORCH_DTYPES = frozenset(
    ["float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"]
    + ["uint16", "uint32", "uint64"]
)
TENSOR_BUILDERS = {"_rebuild_tensor_v2": (6, 7), "_rebuild_tensor_v3": (7, 8), "_rebuild_parameter": (3, 3)}
ORDERED_DICT = ("collections", "OrderedDict")
# what the metadata of a distributed checkpoint is written with
CHECKPOINT_HOME = "torch.distributed.checkpoint"
PROPERTIES_HOME = "torch.distributed._shard.sharded_tensor.metadata"
INDEX = "MetadataIndex"
SIZE = ("torch", "Size")
RECORDS = frozenset(
    [
        (f"{CHECKPOINT_HOME}.filesystem", "_StorageInfo"),
        (f"{CHECKPOINT_HOME}.metadata", "_MEM_FORMAT_ENCODING"),
    ]
    + [(PROPERTIES_HOME, "TensorProperties"), (PROPERTIES_HOME, "MEM_FORMAT_ENCODING")]
    + [
        (f"{CHECKPOINT_HOME}.metadata", name)
        for name in ("Metadata", "StorageMeta", "TensorProperties", INDEX)
    ]
    + [(f"{CHECKPOINT_HOME}.metadata", f"{kind}StorageMetadata") for kind in ("Tensor", "Bytes", "Chunk")]
    + [("torch.serialization", "_get_layout"), SIZE]
    + [(module, "PosixPath") for module in ("pathlib", "pathlib._local")]
)
NUMBERS = frozenset([*STORAGES.values(), *TORCH_DTYPES])


@dataclass(frozen=True)
class Named:
    """A name of the allow-list as the file wrote it; never imported."""

    module: str
    name: str


@dataclass(frozen=True)
class StorageNote:
    """A run of numbers somewhere in the file.

    Attributes
    ----------
    dtype : torch's name of the numbers, None for bytes without a type
    key : name of the storage in its file
    numel : how many numbers (bytes, without a type)
    """

    dtype: str | None
    key: str
    numel: int


@dataclass(frozen=True)
class TensorNote:
    """A tensor laid over a storage; `offset`, `shape` and `strides` in numbers of `dtype`."""

    storage: StorageNote
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(eq=False)
class Record:
    """An object of `RECORDS` as the file describes it; never made.

    Attributes
    ----------
    name : of its class
    arguments : what it was to be made of
    state : its attributes, as the file sets them
    """

    name: str
    arguments: tuple[Any, ...]
    state: Any = None


@dataclass(frozen=True)
class Pickled:
    """What a pickle builds.

    Attributes
    ----------
    value : plain values and notes
    storages : every storage it speaks of, by key
    """

    value: Any
    storages: dict[str, StorageNote]


class _Mark:
    """The place on the stack where the items of a collection begin."""


_MARK = _Mark()


def run_pickle(stream: BinaryIO, *, where: str, records: bool = False) -> Pickled:
    """Carry out one pickle of `stream`, up to its STOP, and return the plain value it builds.

    Parameters
    ----------
    stream : bytes in memory, so that a claimed length cannot ask for more than there is
    where : file the pickle is from, for messages
    records : note objects of `RECORDS` too, as `Record`; no other is allowed then either

    Raises
    ------
    UnsafeFormat
        An instruction or a name that tensors do not need.
    CorruptFile
        The pickle breaks off or contradicts itself.
    """
    machine = _Machine(where, records=records)
    try:
        for instruction, argument, _ in pickletools.genops(stream):
            machine.step(instruction.name, argument)
    except (
        ValueError,
        IndexError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        struct.error,
    ) as error:
        raise CorruptFile(f"{where} is not a pickle that can be followed: {type(error).__name__}") from error
    return machine.result()


class _Machine:
    """Stack and memo of one pickle; every method carries out one kind of instruction."""

    def __init__(self, where: str, *, records: bool = False) -> None:
        self._where = where
        self._records = RECORDS if records else frozenset()
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._storages: dict[str, StorageNote] = {}

    def step(self, name: str, argument: Any) -> None:
        """Carry out one instruction."""
        if name in _IGNORED:
            return
        if name in _LITERALS:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name]())
        elif name in _ACTIONS and (self._records or name not in _FOR_RECORDS):
            _ACTIONS[name](self, argument)
        else:
            raise UnsafeFormat(
                f"{self._where} holds the pickle instruction {name}, which tensors do not need"
            )

    def result(self) -> Pickled:
        """Return the one value left, and the storages met."""
        if len(self._stack) != 1:
            raise CorruptFile(f"{self._where} holds a pickle that ends with {len(self._stack)} values")
        return Pickled(self._stack[0], self._storages)

    def mark(self, _: Any) -> None:
        """Remember where a collection begins."""
        self._stack.append(_MARK)

    def tuple_of(self, count: int) -> None:
        """Bind the last `count` values."""
        values = self._pop_many(count)
        self._stack.append(tuple(values))

    def tuple_to_mark(self, _: Any) -> None:
        """Bind the values since the mark."""
        self._stack.append(tuple(self._pop_to_mark()))

    def append(self, _: Any) -> None:
        """Add one value to a list."""
        (value,) = self._pop_many(1)
        self._top(list).append(value)

    def extend(self, _: Any) -> None:
        """Add the values since the mark to a list."""
        values = self._pop_to_mark()
        self._top(list).extend(values)

    def set_item(self, _: Any) -> None:
        """Add one pair to a dict."""
        key, value = self._pop_many(2)
        self._set(self._top(dict), key, value)

    def set_items(self, _: Any) -> None:
        """Add the pairs since the mark to a dict."""
        values = self._pop_to_mark()
        for key, value in zip(values[::2], values[1::2], strict=True):
            self._set(self._top(dict), key, value)

    def put(self, slot: int) -> None:
        """Remember the top value."""
        self._memo[slot] = self._stack[-1]

    def memoize(self, _: Any) -> None:
        """Remember the top value under the next number."""
        self._memo[len(self._memo)] = self._stack[-1]

    def get(self, slot: int) -> None:
        """Bring a remembered value back."""
        self._stack.append(self._memo[slot])

    def name_in_text(self, argument: str) -> None:
        """Note a name written as ``module name``."""
        module, _, name = argument.partition(" ")
        self._stack.append(self._allowed(module, name))

    def name_on_stack(self, _: Any) -> None:
        """Note a name whose two parts are on the stack."""
        module, name = self._pop_many(2)
        self._stack.append(self._allowed(module, name))

    def call(self, _: Any) -> None:
        """Note what a call of the allow-list would build."""
        named, arguments = self._pop_many(2)
        if not isinstance(named, Named) or not isinstance(arguments, tuple):
            raise UnsafeFormat(f"{self._where} calls something that is not a tensor builder")
        self._stack.append(self._built(named, arguments))

    def new_object(self, _: Any) -> None:
        """Note an object that is made without arguments."""
        named, arguments = self._pop_many(2)
        if not isinstance(named, Named) or not self._is_record(named) or arguments != ():
            raise UnsafeFormat(f"{self._where} makes an object that tensors do not need")
        self._stack.append(Record(named.name, ()))

    def set_state(self, _: Any) -> None:
        """Keep the state of a record; drop the attributes torch hangs on a state dict; refuse any others."""
        (state,) = self._pop_many(1)
        if self._stack and isinstance(self._stack[-1], Record):
            self._stack[-1].state = state
            return
        if not self._stack or not isinstance(self._stack[-1], dict):
            raise UnsafeFormat(f"{self._where} sets attributes of something that is not a state dict")

    def storage(self, _: Any) -> None:
        """Note a storage from its identity, ``("storage", type, key, device, numel)``."""
        (identity,) = self._pop_many(1)
        kind, storage_type, key, _, numel = identity[:5]
        if kind != "storage" or any(part is not None for part in identity[5:]):
            raise UnsafeFormat(f"{self._where} refers to something outside itself that is not a storage")
        typed = isinstance(storage_type, Named) and (
            storage_type.name in STORAGES or storage_type.name == UNTYPED[1]
        )
        if not typed or not isinstance(key, str) or not _is_natural(numel):
            raise CorruptFile(f"{self._where} describes a storage without type, key and size")
        note = StorageNote(STORAGES.get(storage_type.name), key, numel)
        if self._storages.setdefault(key, note) != note:
            raise CorruptFile(f"{self._where} describes storage {key[:100]!r} in two ways")
        self._stack.append(note)

    def _allowed(self, module: Any, name: Any) -> Named:
        if not isinstance(module, str) or not isinstance(name, str):
            raise CorruptFile(f"{self._where} asks for something whose name is not a text")
        listed = (
            (module == "torch._utils" and name in TENSOR_BUILDERS)
            or (module == "torch" and (name in STORAGES or name in TORCH_DTYPES))
            or (module, name) in (ORDERED_DICT, UNTYPED)
            or (module, name) in self._records
            or (bool(self._records) and module == "torch" and name in NUMBERS)
        )
        if not listed:
            raise UnsafeFormat(
                f"{self._where} asks for {module[:100]}.{name[:100]}, which tensors do not need; "
                "nothing of it was run. Do not use this file, or ask its author for safetensors"
            )
        return Named(module, name)

    def _built(self, named: Named, arguments: tuple[Any, ...]) -> Any:
        if named.name == "OrderedDict" and not arguments:
            return {}
        if self._is_record(named):
            return self._record(named, arguments)
        if named.name not in TENSOR_BUILDERS or len(arguments) not in TENSOR_BUILDERS[named.name]:
            raise UnsafeFormat(
                f"{self._where} calls {named.module}.{named.name} in a way tensors do not need"
            )
        if named.name == "_rebuild_parameter":
            return self._checked(arguments[0], TensorNote)
        return self._tensor(
            *arguments[:4], dtype=arguments[6] if named.name == "_rebuild_tensor_v3" else None
        )

    def _is_record(self, named: Named) -> bool:
        return (named.module, named.name) in self._records

    def _record(self, named: Named, arguments: tuple[Any, ...]) -> Any:
        if (named.module, named.name) != SIZE:
            return Record(named.name, arguments)
        (sizes,) = arguments
        if not isinstance(sizes, tuple) or not all(map(_is_natural, sizes)):
            raise CorruptFile(f"{self._where} holds a size that is not of whole numbers")
        return sizes

    def _tensor(self, storage: Any, offset: Any, shape: Any, strides: Any, *, dtype: Any) -> TensorNote:
        storage = self._checked(storage, StorageNote)
        named = dtype.name if isinstance(dtype, Named) and dtype.name in TORCH_DTYPES else storage.dtype
        naturals = isinstance(shape, tuple) and isinstance(strides, tuple) and len(shape) == len(strides)
        if named is None or not naturals or not all(map(_is_natural, (offset, *shape, *strides))):
            raise CorruptFile(f"{self._where} describes a tensor without type, offset, shape and strides")
        return TensorNote(storage, named, offset, shape, strides)

    def _checked(self, value: Any, kind: type) -> Any:
        if not isinstance(value, kind):
            raise CorruptFile(f"{self._where} builds a tensor from something that is not a {kind.__name__}")
        return value

    def _set(self, target: dict[Any, Any], key: Any, value: Any) -> None:
        # only strings and integers: hashing a nested tuple of strangers can take for ever
        if isinstance(key, Record) and key.name == INDEX:
            key = self._index(key)
        elif type(key) not in (str, int):
            raise UnsafeFormat(f"{self._where} holds a dict with keys that are not names")
        if key in target:
            raise CorruptFile(f"{self._where} holds the name {str(key)[:200]!r} twice")
        target[key] = value

    def _index(self, record: Record) -> tuple[str | int, ...]:
        """Return name and offsets of a chunk, as the key they are."""
        name, offsets = record.state.get("fqn"), record.state.get("offset") or ()
        if not isinstance(name, str) or not isinstance(offsets, tuple) or not all(map(_is_natural, offsets)):
            raise CorruptFile(f"{self._where} describes a chunk without name and offsets")
        return (name, *offsets)

    def _top(self, kind: type) -> Any:
        if not self._stack or type(self._stack[-1]) is not kind:
            raise CorruptFile(f"{self._where} adds items to something that is not a {kind.__name__}")
        return self._stack[-1]

    def _pop_many(self, count: int) -> list[Any]:
        values = self._stack[-count:]
        if len(values) < count or any(value is _MARK for value in values):
            raise CorruptFile(f"{self._where} holds a pickle that takes more than it made")
        del self._stack[-count:]
        return values

    def _pop_to_mark(self) -> list[Any]:
        for place in range(len(self._stack) - 1, -1, -1):
            if self._stack[place] is _MARK:
                values = self._stack[place + 1 :]
                del self._stack[place:]
                return values
        raise CorruptFile(f"{self._where} holds a pickle that closes what it did not open")


def _is_natural(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


_IGNORED = frozenset(["PROTO", "FRAME", "STOP"])
_LITERALS = frozenset(
    ["BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"]
    + ["BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINSTRING", "SHORT_BINSTRING"]
)
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
}
_FOR_RECORDS = frozenset(["NEWOBJ"])
_ACTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "MARK": _Machine.mark,
    "TUPLE": _Machine.tuple_to_mark,
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "APPEND": _Machine.append,
    "APPENDS": _Machine.extend,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.memoize,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "GLOBAL": _Machine.name_in_text,
    "STACK_GLOBAL": _Machine.name_on_stack,
    "REDUCE": _Machine.call,
    "BUILD": _Machine.set_state,
    "NEWOBJ": _Machine.new_object,
    "BINPERSID": _Machine.storage,
}
