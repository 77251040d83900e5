"""Number formats of tensor files: what each is called, how wide it is, how its bytes become an array."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neuromfa.errors import UnsupportedFormat

# the upper bits are those of the 8-bit pattern, as torch widens it
E4M3_NAN = np.uint32(0x7FF00000).view(np.float32)

AnyArray = npt.NDArray[Any]


@dataclass(frozen=True)
class Dtype:
    """A number format as it lies in a file.

    Attributes
    ----------
    name : torch's name for it, such as ``bfloat16``
    raw : little-endian numpy dtype of the same width, holding the bits
    array : numpy dtype of the array a reader gets; equal to `raw` where numpy knows the format
    """

    name: str
    raw: np.dtype[Any]
    array: np.dtype[Any]

    @property
    def itemsize(self) -> int:
        """Bytes of one number in the file."""
        return int(self.raw.itemsize)


def _plain(name: str, code: str) -> Dtype:
    return Dtype(name, np.dtype(code), np.dtype(code))


_KNOWN = (
    _plain("float64", "<f8"),
    _plain("float32", "<f4"),
    _plain("float16", "<f2"),
    Dtype("bfloat16", np.dtype("<u2"), np.dtype("<f4")),
    Dtype("float8_e4m3fn", np.dtype("u1"), np.dtype("<f4")),
    Dtype("float8_e5m2", np.dtype("u1"), np.dtype("<f4")),
    _plain("int64", "<i8"),
    _plain("int32", "<i4"),
    _plain("int16", "<i2"),
    _plain("int8", "i1"),
    _plain("uint64", "<u8"),
    _plain("uint32", "<u4"),
    _plain("uint16", "<u2"),
    _plain("uint8", "u1"),
    _plain("bool", "?"),
)
DTYPES = {dtype.name: dtype for dtype in _KNOWN}


def dtype_named(name: str, *, where: str) -> Dtype:
    """Return the format called `name`; `where` names file and tensor in the `UnsupportedFormat` otherwise."""
    if name not in DTYPES:
        raise UnsupportedFormat(
            f"{where} is stored as {name}, which is not read; save it as float32 or bfloat16"
        )
    return DTYPES[name]


def decode(raw: AnyArray, dtype: Dtype) -> AnyArray:
    """Return the numbers whose bits are `raw`; every conversion is exact.

    Parameters
    ----------
    raw : array of dtype ``dtype.raw``, any shape

    Returns
    -------
    Array of dtype ``dtype.array`` and the same shape; bfloat16 and float8 widen to float32.
    """
    if dtype.name == "bfloat16":
        return np.left_shift(raw, 16, dtype=np.uint32).view(np.float32)
    if dtype.name.startswith("float8"):
        return _float8_table(dtype.name)[raw]
    return raw


def _float8_table(name: str) -> npt.NDArray[np.float32]:
    """Return the 256 values of an 8-bit float, by bit pattern.

    e4m3fn has bias 7, no infinity, and NaN where all lower bits are set; e5m2 is the upper byte of float16.
    """
    bits = np.arange(256, dtype=np.uint16)
    if name == "float8_e5m2":
        return (bits << 8).view(np.float16).astype(np.float32)
    exponent, mantissa = (bits >> 3) & 15, bits & 7
    normal = np.ldexp(1 + mantissa / 8, exponent.astype(np.int64) - 7)
    size = np.where(exponent == 0, np.ldexp(mantissa / 8, -6), normal).astype(np.float32)
    size[(bits & 127) == 127] = E4M3_NAN
    return np.where(bits & 128, -size, size)
