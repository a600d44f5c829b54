"""Importing the class that a setting names, and explaining why it cannot be imported."""

import importlib
from typing import Any


def locate(target: str) -> Any:
    """Import and return the object with a dotted path.

    Raises:
        ModuleNotFoundError: there is no such module.
        AttributeError: the module has no such member.
        Exception: anything that the module raises while it is imported.
    """
    parts = target.split(".")
    for number in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:number])
        try:
            found = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name and f"{name}.".startswith(f"{error.name}."):
                continue  # the object may be a member of a class
            raise
        for part in parts[number:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(f"No module named {parts[0]!r}", name=parts[0])


def why_absent(target: str, cause: BaseException | None) -> str:
    """Return why a class cannot be imported: it does not exist, or its module fails.

    Args:
        target: the dotted path of the class.
        cause: the exception that its import raised.
    """
    absent = cause is None or isinstance(cause, AttributeError)
    if isinstance(cause, ModuleNotFoundError) and cause.name:
        absent = f"{target}.".startswith(f"{cause.name}.")
    if absent:
        return f"there is no {target}"
    reason = f"{type(cause).__name__}: {' '.join(str(cause).split()).rstrip('.!')}"
    return f"{target} cannot be imported: {reason}"
