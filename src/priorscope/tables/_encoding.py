"""Bytes of a text file -> its text."""

import codecs
import gzip
import unicodedata
from pathlib import Path

from priorscope.errors import InputError

_GZIP = b"\x1f\x8b"
# The longer marks first: that of UTF-16 begins that of UTF-32.
_MARKS = [
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]


def read_lines(path: Path) -> list[str]:
    """Read a text file, compressed by gzip or not, with any end of line.

    Its encoding is what its first bytes say; without such a mark UTF-8, UTF-16 where half of the
    bytes are 0, or else Windows' Latin-1: what that could get wrong are letters in names, never
    numbers. Names in two Unicode forms are brought into one (NFC).
    """
    content = path.read_bytes()
    if content.startswith(_GZIP):
        content = gzip.decompress(content)
    text = _decode(content, path)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _decode(content: bytes, path: Path) -> str:
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    if marked:
        text = content.decode(marked)
    elif b"\0" in content:
        texts = [_decoded(content, name) for name in ("utf-16-le", "utf-16-be")]
        # Digits and ends of lines are ASCII in the right order of bytes, and in no other.
        text = max(texts, key=lambda text: sum(map(str.isascii, text)))
        if not 2 * sum(map(str.isascii, text)) > len(text):
            text = "\0"
    else:
        # Latin-1 reads all bytes, and no two of them alike: names that differ stay different.
        read = (_decoded(content, name) for name in ("utf-8", "cp1252", "latin-1"))
        text = next(filter(None, read), "")
    if "\0" in text:
        raise InputError(
            "not a text file",
            where=path,
            found="bytes of 0",
            allowed="UTF-8, UTF-16 or Latin-1",
        )
    return text.lstrip("\ufeff")


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return ""
