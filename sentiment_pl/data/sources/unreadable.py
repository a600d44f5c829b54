"""Why a file cannot be read, in plain words: the library's error traced to a cause or a line."""

import gzip
import json
import re
import tarfile
import zlib
from pathlib import Path
from typing import NoReturn

from sentiment_pl.errors import DataError, chain


def raise_unreadable(error: Exception, where: str, paths: list[Path], hint: str = "") -> NoReturn:
    """Say in plain words why a library could not read files.

    Args:
        error: what the library raised.
        where: how the message names them.
        paths: the files, to look for a line at fault; none where there is nothing to look at.
        hint: what to add to the message.

    Raises:
        DataError: always.
    """
    causes = chain(error)
    for cause in causes:
        if isinstance(cause, DataError):
            raise cause
    raise DataError(f"{where}: {_why(causes, paths)}{hint}") from error


def _why(causes: list[BaseException], paths: list[Path]) -> str:
    for cause in causes:
        if isinstance(cause, PermissionError):
            return "you have no permission to read it"
        if isinstance(cause, gzip.BadGzipFile | EOFError | zlib.error | tarfile.TarError):
            return f"the file is damaged or cut short ({cause}): get it anew"
        if isinstance(cause, StopIteration) or type(cause).__name__ == "EmptyDataError":
            return "the file is empty"
        if any(words in str(cause) for words in ("corresponds to no data", "BatchSize must be")):
            return "the file holds no rows"
        if isinstance(cause, OSError) and cause.errno is not None:
            return f"{cause.strerror or cause}"
    for path in paths:
        if fault := first_fault(path):
            return fault
    for cause in causes:
        if type(cause).__name__ == "ParserError":  # of pandas
            reason = str(cause).rpartition("C error: ")[2].strip()
            return f"{reason}. Put texts that hold the separator or a line break in quotation marks"
    root = next(
        (cause for cause in causes if "generating the dataset" not in str(cause)), causes[0]
    )
    return f"cannot be read ({type(root).__name__}: {' '.join(str(root).split())})"


def first_fault(path: Path) -> str:
    """Look for the line that a reader stumbled over; empty where all seem right."""
    if path.suffix == ".parquet":
        with path.open("rb") as file:
            start = file.read(40)
        if start.startswith(b"version https://git-lfs"):
            return f"{path.name} only points to the data: run `git lfs pull` where it comes from"
        return "" if start.startswith(b"PAR1") else f"{path.name} is not a Parquet file"
    # A .json may be one array over many lines.
    json_lines = re.search(r"\.jsonl(\.gz)?$", path.name.lower()) is not None
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if number == 1 and line.startswith((b"\x1f\x8b", b"PK\x03\x04")):
                packed = "gzip: call it .gz" if line[:1] == b"\x1f" else "zip: unpack it"
                return f"{path.name} is packed by {packed}"
            if number == 1 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
                return "the file is in UTF-16. Save it as UTF-8: iconv -f UTF-16 -t UTF-8 OLD > NEW"
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                return (
                    f"line {number} is not UTF-8 (byte 0x{line[error.start]:02x}). Save the file as"
                    " UTF-8, for example: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW"
                )
            if number == 1 and not json_lines and "\0" in text:  # pandas ends the name there
                return "line 1, that of the column names, holds a NUL byte: take it out"
            if json_lines and text.strip():
                try:
                    row = json.loads(text)
                    json.dumps(row, ensure_ascii=False).encode()
                except ValueError as error:  # of JSON, or a lone surrogate
                    return f"line {number} is not JSON that can be read ({error})"
                if not isinstance(row, dict):
                    return f'line {number} is not a JSON object as in {{"text": ..., "label": 1}}'
    return ""
