"""Get a dataset, and check the files of one: what `priorscope data fetch|verify` does."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from priorscope.data._archive import extract
from priorscope.data._cache import Split
from priorscope.data._carriers import find_carrier, official_named
from priorscope.data._download import Progress, download, file_md5
from priorscope.data._official import check_md5
from priorscope.errors import InputError


class FileCheck(NamedTuple):
    """What `verify` says of one file: `status` is "ok", "missing" or "wrong"."""

    file: Path
    status: str
    detail: str


def fetch(
    name: str,
    root: Path,
    *,
    mirrors: Sequence[str] = (),
    on_progress: Progress | None = None,
) -> Path:
    """Download and unpack a dataset's official files to `root`/<name>, unless it is there.

    A dataset that is there and right, in any layout, is left alone. An archive that lies in the
    folder already is used and kept; one that was downloaded is removed once it is unpacked.

    Parameters
    ----------
    name : cifar10 or cifar100
    root : the data root
    mirrors : addresses of the official archive, or (with a `/` at the end) of a folder that has
        it; asked before the official address
    on_progress : called with the bytes present and the bytes in total (None: not known)

    Returns
    -------
    the folder with the files

    Raises
    ------
    InputError : unknown name, no mirror gave the right file, or the folder cannot be written
    """
    official = official_named(name)
    with suppress(InputError):  # not there at all
        if all(check.status == "ok" for check in verify(name, root)):
            return find_carrier(root, official).folder
    folder = root / official.name
    file_name = official.url.rpartition("/")[2]
    archive = folder / file_name
    urls = [url + file_name if url.endswith("/") else url for url in mirrors]
    given = archive.exists()
    download([*urls, official.url], archive, md5=official.archive_md5, on_progress=on_progress)
    extract(archive, folder / official.folder)
    if not given:
        archive.unlink()
    return folder / official.folder


def verify(name: str, root: Path) -> list[FileCheck]:
    """Check the files of a dataset, in whichever layout it is there.

    Official files are compared with their md5; from Parquet files and image folders every image
    is decoded and counted.

    Raises
    ------
    InputError : unknown name, or the dataset is not there at all
    """
    official = official_named(name)
    carrier = find_carrier(root, official)
    if carrier.layout == "official":
        expected = [item for part in official.files.values() for item in part.items()]
        return [_check_official(carrier.folder / name, md5) for name, md5 in expected]
    return [_check_decoded(split) for split in carrier.splits.values()]


def _check_official(path: Path, md5: str) -> FileCheck:
    if not path.is_file():
        return FileCheck(path, "missing", f"md5 {md5} expected")
    try:
        check_md5(path, md5)
    except InputError as error:
        return FileCheck(path, "wrong", _one_line(error))
    return FileCheck(path, "ok", f"md5 {md5}")


def _check_decoded(split: Split) -> FileCheck:
    path = split.files[0]
    if not path.exists():
        return FileCheck(path, "missing", "the other split is there")
    if len(split.files) > 1:
        path = path.parent
    try:
        source = split.read()
        num_images = sum(len(block) for block in source.blocks)
    except InputError as error:
        return FileCheck(path, "wrong", _one_line(error))
    detail = f"{num_images:,} images decoded ({source.encoding})"
    if path.is_file():
        detail += f", md5 {file_md5(path)}"
    return FileCheck(path, "ok", detail)


def _one_line(error: InputError) -> str:
    return f"{error.problem}: {error.found}" if error.found is not None else error.problem
