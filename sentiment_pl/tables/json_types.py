"""What type holds the values of a key of JSON over a whole file."""

from typing import Any, NamedTuple

import pyarrow as pa


class Values(NamedTuple):
    """What some values of a key are."""

    kind: pa.DataType
    large: bool
    """Whether an integer is among them that a float64 may not tell from its neighbours."""


def common(before: Values, values: list[Any]) -> Values:
    """What holds what was found before and these values; text where nothing else does."""
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


# The four below do without recursion, which at that depth may end at Python's limit.


def depth(value: Any) -> int:
    """How many lists and objects lie within one another at most."""
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
    """Whether integers of the one type are floats in the other, which holds all that it holds."""
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
    """Whether a type has objects without any key in it, which Parquet lacks."""
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
