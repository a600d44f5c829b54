"""JSON: an object a row. A line each, or over several lines, or in one array."""

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from sentiment_pl.errors import DataError
from sentiment_pl.tables import base
from sentiment_pl.tables.base import Chunk, Reader, Reject, is_text, shown
from sentiment_pl.tables.json_types import Values, common, depth, lacks_keys
from sentiment_pl.tables.options import TableOptions

_DEEPEST = 500
"""Of lists and objects within one another: what Python's stack takes, and that of libraries."""

_READ = 2**20
"""Characters that are read at a time where objects do not end with their lines."""

_LONGEST = 2**26
"""Characters of the longest object that may stand over several lines."""

_KEYS = 1_000
"""Names of keys that are remembered for messages."""

_RECORDS = "write df.to_json(PATH, orient='records', lines=True)"
_WHOLE_TABLES = {
    r'"columns"\s*:\s*\[': "to_json(orient='split')",
    r'"schema"\s*:\s*\{\s*"fields"': "to_json(orient='table')",
    r'"(?:[^"\\]|\\.)*"\s*:\s*\{\s*"0"\s*:': "to_json()",
    r'"0"\s*:\s*\{': "to_json(orient='index')",
}
"""How pandas begins an object that holds a whole table, and the call that writes it."""


class _Object(dict[str, Any]):
    """An object in which keys stand twice, of whose values a dictionary holds the last."""

    twice: frozenset[str] = frozenset()


class _Found(NamedTuple):
    value: Any
    text: str
    """As it stands in the file."""
    reason: str
    """Why there is no value."""
    line: int


class JsonObjects(Reader):
    """JSON: an object a line, objects over several lines one after the other, or an array of them.

    Which of them it is is told by the content. In lines, what is no object is rejected, and reading
    goes on with the next line; elsewhere what is no JSON ends the reading.
    """

    fixed = False

    def __init__(self, path: Path, options: TableOptions) -> None:
        super().__init__(path, options)
        self.keys: dict[str, None] = {}
        """Names of the keys that were read so far."""

    @property
    def schema(self) -> pa.Schema:
        """Every key that some object has, by the type of its values over the whole file."""
        if not hasattr(self, "_schema"):
            self._schema = self.find_schema()
        return self._schema

    def find_schema(self, needed: Collection[str] | None = None) -> pa.Schema:
        """The same of all objects in which the needed values are text, and not all of them.

        A key that is no text, as spoilt bytes leave it, cannot name a column and is left out.
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
        """Its rows; see `Reader`."""
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

    def _checked(
        self, found: _Found, wanted: set[str] | None, strict: set[str] | None
    ) -> dict[str, Any]:
        """The record of an object, of those of its keys that are wanted.

        Args:
            found: the object.
            wanted: keys to keep; None for all of them.
            strict: keys whose values must be text, or else the object cannot be used; None for all.

        Raises:
            ValueError: it is none that can be used.
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
        if text.count("[") + text.count("{") > _DEEPEST and depth(record) > _DEEPEST:
            raise ValueError(f"no JSON object: nested more than {_DEEPEST} deep")
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

    def _values(self) -> Iterator[_Found]:
        with self._text(newline="\n") as file:
            start = file.read(base.START)
        first = start.lstrip("\ufeff \t\r\n")
        self._refuse_whole_table(first)
        if _is_array(first) or self._goes_over_lines(first):
            yield from self._stream()
        else:
            yield from self._lines()

    def _refuse_whole_table(self, start: str) -> None:
        for pattern, call in _WHOLE_TABLES.items():
            if re.match(r"\{\s*" + pattern, start):
                raise DataError(
                    f"{self.path}: holds one object with the whole table in it, as pandas' {call}"
                    f" writes it, where an object a row is needed: {_RECORDS}"
                )

    def _goes_over_lines(self, start: str) -> bool:
        """Whether the first object does not end where its line does."""
        if not start.startswith("{"):
            return False
        line, ended, _ = start.partition("\n")
        try:
            _, end = _DECODER.raw_decode(line)
        except ValueError:
            # Whether it is an object over several lines or none at all shows behind it.
            return bool(ended) and _may_go_on(line) and self._first_is_object()
        except RecursionError:
            return False
        rest = line[end:].strip()
        return rest == "," or rest.lstrip(", ").startswith("{")

    def _first_is_object(self) -> bool:
        try:
            next(self._stream(), None)
        except (DataError, RecursionError):
            return False
        return True

    def _lines(self) -> Iterator[_Found]:
        with self._text(newline="\n") as file:
            for number, line in enumerate(file, 1):
                text = line.removeprefix("\ufeff") if number == 1 else line
                if not text.strip():
                    continue
                try:
                    value, reason = _DECODER.decode(text), ""
                except (ValueError, RecursionError) as error:
                    value, reason = None, f"no JSON object: {_why(text, error)}"
                yield _Found(value, line, reason, number)

    def _stream(self) -> Iterator[_Found]:
        """Values one after the other, those of arrays one by one."""
        with self._text(newline="\n") as file:
            text, at, line, inside, count = "", 0, 1, False, 0
            over = False
            while True:
                after = _SPACE.match(text, at)
                assert after is not None
                line += text.count("\n", at, after.end())
                at = after.end()
                if at < len(text) and (
                    (text[at] == "[" and not inside) or (text[at] == "]" and inside)
                ):
                    inside = not inside
                    at += 1
                    continue
                value, end, error = None, at, None
                if at < len(text):
                    try:
                        value, end = _DECODER.raw_decode(text, at)
                    except (ValueError, RecursionError) as caught:
                        error = caught
                # A number or a word may go on behind the end of what has been read.
                if not over and (end == at or end > len(text) - 2):
                    hopeless = error is not None and not _may_go_on(text, error)
                    if not hopeless and len(text) - at < _LONGEST:
                        more = file.read(max(_READ, len(text) - at))
                        over = not more
                        text, at = text[at:] + more, 0
                        continue
                if at >= len(text):
                    if inside:
                        raise self._broken(count, line, "the array is not closed: cut short?")
                    return
                if error is not None:
                    raise self._broken(
                        count, line, _why(text[at : at + 200], error, whole=False)
                    ) from error
                yield _Found(value, text[at:end], "", line)
                count += 1
                line += text.count("\n", at, end)
                at = end

    def _broken(self, count: int, line: int, reason: str) -> DataError:
        return DataError(f"{self.path}: cannot be read behind row {count:,}, line {line}: {reason}")


def _is_array(start: str) -> bool:
    """Whether a file that starts so is one array: not if its first line is one by itself."""
    if not start.startswith("["):
        return False
    line, _, below = start.partition("\n")
    if not below.strip():
        return True
    try:
        _DECODER.decode(line)
    except (ValueError, RecursionError):
        return True
    return False


_SPACE = re.compile(r"[\ufeff\s,]*")


def _may_go_on(text: str, error: Exception | None = None) -> bool:
    """Whether what is no JSON may be the beginning of some."""
    if error is None:
        try:
            _DECODER.raw_decode(text)
        except (ValueError, RecursionError) as caught:
            error = caught
    if not isinstance(error, json.JSONDecodeError):
        return False
    return error.msg.startswith("Unterminated string") or error.pos >= len(text.rstrip()) - 12


def _why(text: str, error: Exception, whole: bool = True) -> str:
    """Why text is no JSON, or the whole of a line, in a sentence that does not repeat it."""
    if re.match(r"[\s\[]*\{\s*'", text):
        return (
            "a Python dictionary, in which names and texts stand in single quotation marks: JSON"
            " has double ones (json.dumps writes them)"
        )
    if isinstance(error, RecursionError):
        return f"nested more than {_DEEPEST} deep"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}{f' at character {error.colno}' if whole else ''}"
    return str(error)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) == len(pairs):
        return record
    marked = _Object(record)
    names = [name for name, _ in pairs]
    marked.twice = frozenset(name for name in record if names.count(name) > 1)
    return marked


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs)
