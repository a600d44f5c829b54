"""Detection of the encoding of a text, where its bytes leave no doubt, and candidates for it."""

import codecs
import unicodedata

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)

_CANDIDATES = (
    "cp1252", "cp1251", "gb18030", "shift_jis", "cp949", "big5", "koi8-r", "cp1250", "cp1254",
    "cp1253", "cp1256", "cp1255", "euc-jp",
)  # fmt: skip
"""Frequent encodings of tables that are not UTF-8."""


def detect(start: bytes) -> str:
    """Return the encoding of a text by its first bytes: UTF-8 unless they show another one.

    A byte order mark decides. Without one the text is UTF-16 if every second byte is often zero,
    none of the others is, and decoding gives only assigned characters, with line ends.

    Returns:
        "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be" or "utf-32".
    """
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    even = start[: len(start) // 2 * 2]
    for name, high, low in (("utf-16-le", 1, 0), ("utf-16-be", 0, 1)):
        zeros = even[high::2].count(0)
        often = zeros >= 4 and zeros * 60 >= len(even) and not even[low::2].count(0)
        if often and _is_text(even, name):
            return name
    return "utf-8-sig"


def _is_text(data: bytes, encoding: str) -> bool:
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(data)
    if "\n" not in text and "\r" not in text:
        return False
    return not any(
        unicodedata.category(char) in {"Cc", "Cn", "Co", "Cs"}
        for char in set(text) - {"\n", "\r", "\t"}
    )


def candidates(data: bytes) -> list[str]:
    """Return encodings that decode bytes which are not UTF-8; each is possible, none certain.

    Args:
        data: a part of the text; it may end within a character.
    """
    found = []
    for name in _CANDIDATES:
        try:
            text = codecs.getincrementaldecoder(name)().decode(data)
        except UnicodeDecodeError:
            continue
        if not any(unicodedata.category(char) in {"Cn", "Co"} for char in set(text)):
            found.append(name)
    return found
