"""JSON files as tables: each row is an object."""

import itertools
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sentiment_pl.tables import base
from sentiment_pl.tables.base import Chunk, Reader, Reject, is_text, shown
from sentiment_pl.tables.json_types import Values, common, depth, lacks_keys
from sentiment_pl.tables.json_values import DEEPEST, Found, JsonValues
from sentiment_pl.tables.options import TableOptions

_KEYS = 1_000
"""How many names of keys are kept for messages."""


class JsonObjects(Reader):
    """A JSON file whose rows are objects: one a line, over several lines, or in one array.

    Which of these it is shows in the content. In a file of lines, a line that is not an object is
    rejected, and reading goes on with the next line; in other files it ends the reading.
    """

    fixed = False

    def __init__(self, path: Path, options: TableOptions) -> None:
        super().__init__(path, options)
        self.keys: dict[str, None] = {}
        """Names of the keys that have been read, as a set in their order."""

    @property
    def schema(self) -> pa.Schema:
        """Every key of some object, with the type of its values over the whole file."""
        if not hasattr(self, "_schema"):
            self._schema = self.find_schema()
        return self._schema

    def find_schema(self, needed: Collection[str] | None = None) -> pa.Schema:
        """Return the schema of those objects whose needed values are valid text.

        A key that is not valid text, as damaged bytes leave it, cannot name a column and is left
        out.

        Args:
            needed: keys whose values must be valid text; None for all of them.
        """
        found: dict[str, Values] = {}
        for chunk in self._chunks(None, needed):
            assert isinstance(chunk.rows, list)
            names = {name: None for record in chunk.rows for name in record}
            for name in (name for name in names if is_text([name])):
                values = [record.get(name) for record in chunk.rows]
                found[name] = common(found.get(name, Values(pa.null(), False)), values)
        return pa.schema(
            [
                (name, pa.string() if pa.types.is_null(kind) or lacks_keys(kind) else kind)
                for name, (kind, _) in found.items()
            ]
        )

    def chunks(
        self, columns: Collection[str] | None = None, lenient: Collection[str] = ()
    ) -> Iterator[Chunk]:
        """Yield the rows; see `Reader`."""
        yield from self._chunks(columns, None if columns is None else {*columns} - {*lenient})

    def _chunks(
        self, columns: Collection[str] | None, needed: Collection[str] | None
    ) -> Iterator[Chunk]:
        wanted = None if columns is None else {name.strip() for name in columns}
        strict = None if needed is None else {name.strip() for name in needed}
        records: list[dict[str, Any]] = []
        numbers: list[int] = []
        rejects: list[Reject] = []
        size = 0
        for number, found in enumerate(self._values()):
            reason = found.reason
            if not reason:
                try:
                    record = self._checked(found, wanted, strict)
                except (ValueError, RecursionError) as error:
                    reason = str(error)
            if reason:
                content = shown(found.text).rstrip("\r\n")
                rejects.append(Reject(number, reason, content, found.line))
            else:
                records.append(record)
                numbers.append(number)
            size += len(found.text)
            if len(records) + len(rejects) >= base.CHUNK or size >= base.CHUNK_SIZE:
                yield Chunk(records, np.array(numbers, np.int64), rejects)
                records, numbers, rejects, size = [], [], [], 0
        if records or rejects:
            yield Chunk(records, np.array(numbers, np.int64), rejects)

    def place(self, number: int) -> str:
        """Return the line; where objects are not a line each, the number of the object as well."""
        values = self._values()
        found = next(itertools.islice(values, number, None))
        line = f"line {found.line}"
        return line if values.are_lines else f"object {number + 1} (counted from 1), {line}"

    def _values(self) -> JsonValues:
        return JsonValues(self.path, lambda: self._text(newline="\n"))

    def _checked(
        self, found: Found, wanted: set[str] | None, strict: set[str] | None
    ) -> dict[str, Any]:
        """Return the wanted keys of an object.

        Args:
            found: the object.
            wanted: keys to keep; None for all of them.
            strict: keys whose values must be valid text; None for all of them.

        Raises:
            ValueError: the object cannot be used.
        """
        record, text = found.value, found.text
        if not isinstance(record, dict):
            raise ValueError('no JSON object as in {"text": ..., "label": 1}')
        if len(self.keys) < _KEYS:
            self.keys |= dict.fromkeys(record)
        twice = getattr(record, "twice", ())
        if wanted is not None:
            record = {key: value for key, value in record.items() if key.strip() in wanted}
        for key in twice:
            if key in record and (strict is None or key.strip() in strict):
                raise ValueError(f"two values are called {key!r} in it: rename one of them")
        if text.count("[") + text.count("{") > DEEPEST and depth(record) > DEEPEST:
            raise ValueError(f"no JSON object: nested more than {DEEPEST} deep")
        bytes_left = not is_text([text])
        if bytes_left or "\\u" in text:
            checked = record
            if strict is not None:
                checked = {key: value for key, value in record.items() if key.strip() in strict}
            if not is_text([json.dumps(checked, ensure_ascii=False)]):
                if bytes_left:
                    raise ValueError(self.other_encoding(text, "it"))
                raise ValueError("half of a surrogate pair, as in \\ud83d, is no character")
        return record
