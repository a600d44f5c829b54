"""JSON files in run folders: written whole, read with a clear error."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sentiment_pl.errors import DataError
from sentiment_pl.files import replacing


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all; numbers that are nan or infinite become null."""
    text = json.dumps(finite(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def finite(content: Any) -> Any:
    """Copy plain values with None in place of nan and infinity, which JSON does not have."""
    if isinstance(content, Mapping):
        return {key: finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content


def read_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON file that holds one object.

    Returns:
        Its content, with None in place of nan and infinity; None where there is no such file.

    Raises:
        DataError: it cannot be read, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text, parse_constant=lambda _: None)  # NaN, as 0.1.0 wrote it
    except FileNotFoundError:
        return None
    except (ValueError, OSError, RecursionError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise DataError(f"{path} holds no record of a run")
    return content
