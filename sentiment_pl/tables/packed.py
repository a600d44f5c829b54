"""Compressed files, detected by their first bytes."""

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa

from sentiment_pl.errors import DataError

PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
"""Extensions of compressed files."""

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",  # an empty archive
}
_LFS = b"version https://git-lfs.github.com/spec/"

_FAULTS = (
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    pa.ArrowInvalid,
)


def unpacked_name(path: Path) -> str:
    """Return the name of a file in lower case without the extension of its compression.

    For a zip archive without another extension it is the name of its only file.
    """
    name = path.name.lower()
    for ending in PACKED:
        if name.endswith(ending):
            inner = name.removesuffix(ending)
            if ending == ".zip" and not Path(inner).suffix and path.is_file():
                return Path(_member(path)).name.lower()
            return inner
    return name


def refuse_pointer(start: bytes, path: Path) -> None:
    """Raise DataError if a file begins like a pointer that git-lfs puts in place of the data."""
    if start.startswith(_LFS):
        raise DataError(
            f"{path} is a pointer of git-lfs, not the data: run `git lfs pull` where it comes from"
        )


@contextmanager
def open_unpacked(file: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    """Open the decompressed bytes of an open file.

    Args:
        file: the file, at its start.
        path: its name, for messages.

    Raises:
        DataError: the file is damaged, a pointer, or an archive that cannot be used.
    """
    try:
        start = file.read(len(_LFS))
        file.seek(0)
        refuse_pointer(start, path)
        with _unpacked(start, file, path) as unpacked:
            yield unpacked
    except _FAULTS as error:
        raise DataError(
            f"{path}: the file is damaged or cut short ({error}): get it anew"
        ) from error
    except PermissionError as error:
        raise DataError(f"{path}: you have no permission to read it") from error
    except OSError as error:
        if error.errno is None:  # raised by a library for compression
            raise DataError(
                f"{path}: the file is damaged or cut short ({error}): get it anew"
            ) from error
        raise DataError(f"{path}: {error.strerror}") from error


@contextmanager
def _unpacked(start: bytes, file: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    kind = next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), "")
    if kind == "bzip2" and start[4:10] != b"1AY&SY":  # text may begin with BZh as well
        kind = ""
    opened: Any
    if kind == "gzip":
        opened = gzip.open(file)  # noqa: SIM115
    elif kind == "bzip2":
        opened = bz2.open(file)  # noqa: SIM115
    elif kind == "xz":
        opened = lzma.open(file)  # noqa: SIM115
    elif kind == "zstd":
        opened = pa.CompressedInputStream(pa.PythonFile(file), "zstd")
    elif kind == "zip":
        name = _member(path)
        opened = zipfile.ZipFile(file).open(name)  # noqa: SIM115
    else:
        yield file
        return
    with opened:
        yield cast("IO[bytes]", opened)


def _member(path: Path) -> str:
    """Return the name of the only file in a zip archive.

    Raises:
        DataError: there are several files or none, it is encrypted, or it is an Excel workbook.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(
            f"{path}: the file is damaged or cut short ({error}): get it anew"
        ) from error
    files = [
        entry
        for entry in entries
        if not entry.is_dir()
        and not entry.filename.startswith("__MACOSX/")
        and not Path(entry.filename).name.startswith(".")
    ]
    names = [entry.filename for entry in files]
    if "[Content_Types].xml" in names:
        raise DataError(f"{path} is an Excel workbook: save it as CSV in UTF-8")
    if len(files) != 1:
        listed = ", ".join(names[:8]) + (f" and {len(names) - 8:,} more" if names[8:] else "")
        raise DataError(
            f"{path}: a zip archive must hold one file, this one holds {listed or 'none'}. Unpack"
            " it, and name the file that is meant"
        )
    if files[0].flag_bits & 1:
        raise DataError(f"{path}: {names[0]} is encrypted in this archive: unpack it first")
    return names[0]
