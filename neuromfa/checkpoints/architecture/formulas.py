"""Formulas of architecture files, such as ``2 / (blocks * sqrt(hidden))``: arithmetic on named numbers."""

import ast
import math
import operator
from collections.abc import Callable, Mapping

from neuromfa.errors import UnsupportedArchitecture

Number = int | float
LONGEST = 200

_BINARY: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}


def evaluate(formula: str, values: Mapping[str, Number]) -> Number:
    """Return the value of a formula.

    Parameters
    ----------
    formula : numbers, names, ``+ - * / //``, parentheses and ``sqrt( )``; at most 200 characters
    values : what the names stand for

    Raises
    ------
    UnsupportedArchitecture
        The formula holds anything else, an unknown name, or has no finite value.
    """
    if len(formula) > LONGEST:
        raise UnsupportedArchitecture(f"a formula has {len(formula)} characters; {LONGEST} are allowed")
    try:
        value = _value(ast.parse(formula, mode="eval").body, values)
        finite = math.isfinite(value)
    except (SyntaxError, ArithmeticError, ValueError, RecursionError) as error:
        raise UnsupportedArchitecture(f"the formula {formula!r} cannot be computed: {error}") from error
    if not finite:
        raise UnsupportedArchitecture(f"the formula {formula!r} has no finite value")
    return value


def _value(node: ast.expr, values: Mapping[str, Number]) -> Number:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return number
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_value(left, values), _value(right, values))
        case ast.Call(func=ast.Name(id="sqrt"), args=[argument], keywords=[]):
            return math.sqrt(_value(argument, values))
    raise ValueError(
        f"{ast.unparse(node)!r} is not a number, one of {', '.join(sorted(values))}, + - * / // or sqrt"
    )
