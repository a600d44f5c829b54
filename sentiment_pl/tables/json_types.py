"""The common type of the values of a JSON key over a whole file."""

from typing import Any, NamedTuple

import pyarrow as pa


class Values(NamedTuple):
    """The type of some values of a key."""

    kind: pa.DataType
    large: bool
    """Whether they include an integer beyond the precision of a float64."""


def common(before: Values, values: list[Any]) -> Values:
    """Return a type for the values before and these; string if no other type holds them all."""
    large = before.large or any(map(_is_large, values))
    try:
        new = pa.array(values).type
        merged = pa.unify_schemas(
            [pa.schema([("x", before.kind)]), pa.schema([("x", new)])], promote_options="permissive"
        )
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return Values(pa.string(), large)
    kind = merged.field("x").type
    if large and (_makes_floats(before.kind, kind) or _makes_floats(new, kind)):
        kind = pa.string()
    return Values(kind, large)


# The next four functions avoid recursion, which could exceed Python's limit.


def depth(value: Any) -> int:
    """Return the number of levels of nested lists and objects."""
    deepest, inside = 0, [(value, 1)]
    while inside:
        value, depth = inside.pop()
        if isinstance(value, dict | list):
            deepest = max(deepest, depth)
            inside += [
                (v, depth + 1) for v in (value.values() if isinstance(value, dict) else value)
            ]
    return deepest


def _is_large(value: Any) -> bool:
    inside = [value]
    while inside:
        value = inside.pop()
        if isinstance(value, dict | list):
            inside += value.values() if isinstance(value, dict) else value
        elif isinstance(value, int) and abs(value) > 2**53:
            return True
    return False


def _makes_floats(old: pa.DataType, new: pa.DataType) -> bool:
    """Whether integers of a type become floats in a more general type."""
    inside = [(old, new)]
    while inside:
        old, new = inside.pop()
        if pa.types.is_struct(old):
            inside += [(field.type, new.field(field.name).type) for field in old]
        elif pa.types.is_list(old):
            inside.append((old.value_type, new.value_type))
        elif pa.types.is_integer(old) and pa.types.is_floating(new):
            return True
    return False


def lacks_keys(kind: pa.DataType) -> bool:
    """Whether a type contains objects without keys, which Parquet does not support."""
    inside = [kind]
    while inside:
        kind = inside.pop()
        if pa.types.is_struct(kind):
            if not kind.num_fields:
                return True
            inside += [field.type for field in kind]
        elif pa.types.is_list(kind):
            inside.append(kind.value_type)
    return False
