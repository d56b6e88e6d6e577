"""Download one file with a known md5: resumable, from the first mirror that has it."""

import hashlib
import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from priorscope.errors import InputError
from priorscope.version import __version__

Progress = Callable[[int, int | None], None]

_BLOCK_BYTES = 256 * 1024


class _Failed(Exception):
    """What one attempt at one mirror ended with."""


def download(
    urls: Sequence[str],
    destination: Path,
    *,
    md5: str,
    on_progress: Progress | None = None,
    timeout_seconds: float = 30.0,
) -> Path:
    """Download a file, unless it is there already and right.

    Bytes go to `destination` + ".part", which a later call continues; the file appears under its
    name only when it is whole and its md5 is right. A mirror is asked again as long as each
    attempt brings new bytes; a file that was resumed and has the wrong md5 is fetched once more
    from its start, because it may have changed in between.

    Parameters
    ----------
    urls : http(s) addresses of the same file, tried in this order
    md5 : 32 hex digits
    on_progress : called with the bytes present and the bytes in total (None: not known)
    timeout_seconds : the longest wait for a connection or for the next bytes
    """
    for url in urls:
        if not url.startswith(("http://", "https://")):
            raise InputError("not an address to download from", found=url, allowed="http(s)://...")
    part = destination.with_name(destination.name + ".part")
    try:
        if destination.is_file() and file_md5(destination) == md5:
            return destination
        destination.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(destination, error) from None
    failures = []
    for url in urls:
        try:
            _from_mirror(url, part, md5, on_progress, timeout_seconds)
        except _Failed as failure:
            failures.append(f"{url}: {failure}")
            continue
        try:
            part.replace(destination)
        except OSError as error:
            raise _unwritable(destination, error) from None
        return destination
    raise InputError(
        f"{destination.name} could not be downloaded",
        where=destination,
        found="; ".join(failures),
        allowed=f"a file with md5 {md5}",
        hint="try again later (what has arrived is kept), or give another mirror",
    )


def file_md5(path: Path) -> str:
    """Hash a file to 32 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _from_mirror(
    url: str, part: Path, md5: str, on_progress: Progress | None, timeout_seconds: float
) -> None:
    """Complete `part` from one mirror, or raise `_Failed`; a wrong file is not left behind."""
    restarted = False
    while True:
        resumed_at = _size(part)
        try:
            _stream(url, part, resumed_at, on_progress, timeout_seconds)
        except _Failed:
            if _size(part) <= resumed_at:
                raise
            continue  # the connection broke, but it brought something: go on from there
        found = file_md5(part)
        if found == md5:
            return
        num_bytes = _size(part)
        part.unlink()
        if not resumed_at or restarted:
            raise _Failed(f"md5 {found} ({num_bytes:,} bytes)")
        restarted = True


def _stream(
    url: str, part: Path, start: int, on_progress: Progress | None, timeout_seconds: float
) -> None:
    """Append to `part` what the server has from byte `start` on; raise `_Failed` if it breaks."""
    headers = {"User-Agent": f"priorscope/{__version__}"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout_seconds) as response:
            begin, total = _extent(response, start)
            _copy(response, part, begin, total, on_progress)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and start:
            return  # nothing beyond `start`: the checksum tells whether the part is whole
        raise _Failed(f"HTTP {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise _Failed(str(error.reason)) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _Failed(str(error) or type(error).__name__) from None


def _extent(response: http.client.HTTPResponse, start: int) -> tuple[int, int | None]:
    """Tell at which byte the body begins, and how long the whole file is if the server says so."""
    length = response.headers.get("Content-Length")
    if response.status == 206:
        given = response.headers.get("Content-Range", "")
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", given.strip())
        if match is None or int(match[1]) != start:
            raise _Failed(f"asked for bytes from {start}, got Content-Range {given!r}")
        return start, None if match[2] == "*" else int(match[2])
    return 0, int(length) if length is not None and length.isdigit() else None


def _copy(
    response: BinaryIO | http.client.HTTPResponse,
    part: Path,
    begin: int,
    total: int | None,
    on_progress: Progress | None,
) -> None:
    try:
        file = part.open("ab" if begin else "wb")
    except OSError as error:
        raise _unwritable(part, error) from None
    done = begin
    with file:
        while block := response.read(_BLOCK_BYTES):
            try:
                file.write(block)
            except OSError as error:
                raise _unwritable(part, error) from None
            done += len(block)
            if on_progress:
                on_progress(done, total)
    if total is not None and done != total:
        raise _Failed(f"connection ended at {done:,} of {total:,} bytes")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(
        "cannot write there",
        where=path,
        found=error.strerror or str(error),
        hint="choose another data root: --root, or PRIORSCOPE_DATA",
    )
