"""Finding the class that a setting names, and saying why it is not there."""

import importlib
from typing import Any


def locate(target: str) -> Any:
    """Import what a dotted path names.

    Raises:
        ModuleNotFoundError: there is no such module.
        AttributeError: the module has no such member.
        Exception: whatever the module raises as it is imported.
    """
    parts = target.split(".")
    for number in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:number])
        try:
            found = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name and f"{name}.".startswith(f"{error.name}."):
                continue  # a class may hold another one
            raise
        for part in parts[number:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(f"No module named {parts[0]!r}", name=parts[0])


def why_absent(target: str, cause: BaseException | None) -> str:
    """Say why a class that a setting names cannot be had: there is none, or its module fails.

    Args:
        target: the dotted path of the class.
        cause: what its import raised.
    """
    absent = cause is None or isinstance(cause, AttributeError)
    if isinstance(cause, ModuleNotFoundError) and cause.name:
        absent = f"{target}.".startswith(f"{cause.name}.")
    if absent:
        return f"there is no {target}"
    reason = f"{type(cause).__name__}: {' '.join(str(cause).split()).rstrip('.!')}"
    return f"{target} cannot be imported: {reason}"
