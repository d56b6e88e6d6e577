"""CIFAR-10 in Parquet as Hugging Face writes it: `img` or `image{bytes, path}`, and `label`."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from priorscope.data._cache import Source, Split, content_key, refuse_special
from priorscope.data._decode import DECODER, decode_blocks, encoding_of, open_image
from priorscope.data._official import IMAGE_PX, Official, check_counts
from priorscope.data._pixels import Range, Tally
from priorscope.errors import InputError

FILES = {part: f"{part}-00000-of-00001.parquet" for part in ("train", "test")}
# A clone of a repository has its files in `data` or in the configuration's folder.
_FOLDERS = ("", "plain_text", "data", "default")
_SHARD = re.compile(r"(?P<part>train|test)-(?P<number>\d+)-of-(?P<total>\d+)(-\w+)?\.parquet")
_CONVERTED = re.compile(r"(?P<number>\d+)\.parquet")  # in a folder of the split's name
_IMAGE, _LABEL = ("img", "image"), ("label", "labels")


class Rows(NamedTuple):
    """The encoded images and the labels of a Parquet file, row by row."""

    images: list[bytes | None]
    labels: list[int | None]


def parquet_files(place: Path) -> tuple[Path, dict[str, list[Path]]] | None:
    """Find the Parquet files of the splits under a folder: part -> its shards in order.

    Layouts: `train-00000-of-00002.parquet`, also with a hash before the suffix, in the folder,
    `data/` or `plain_text/`; and `train/0000.parquet`, as in the branch that Hugging Face converts.

    Returns
    -------
    the folder and the shards of each part, of which one may be missing; None where there are none
    """
    for folder in (place / name for name in _FOLDERS):
        if not folder.is_dir():
            continue
        found = {part: _shards(folder, part) for part in FILES}
        if any(found.values()):
            return folder, found
    return None


def parquet_splits(
    folder: Path,
    shards: dict[str, list[Path]],
    official: Official,
    class_names: tuple[str, ...],
    pixel_range: Range | None,
) -> dict[str, Split]:
    """Describe the splits of the Parquet files in `folder`; nothing is read yet."""

    def split(part: str) -> Split:
        paths = shards[part] or [folder / FILES[part]]
        salt = f"{official.name}/parquet/{part}/{pixel_range}/{DECODER}"
        return Split(
            files=tuple(paths),
            key=lambda: content_key(paths, salt),
            read=lambda: _read(paths, class_names, official.per_class[part], pixel_range),
            name=f"row {{}} of {part}".format,
        )

    return {part: split(part) for part in FILES}


def read_rows(path: Path, class_names: Sequence[str] | None = None) -> Rows:
    """Read the encoded images and the labels of a file.

    Parameters
    ----------
    class_names : where the file names its classes, they must be these

    Raises
    ------
    InputError : truncated, damaged, no Parquet, other columns or other classes; names the file
    """
    try:
        refuse_special(path)
        with pq.ParquetFile(path) as file:
            image, label = _columns(file.schema_arrow, path)
            if class_names is not None:
                _check_classes(file.schema_arrow, label, class_names, path)
            table = file.read(columns=[image, label])
        encoded = table[image].combine_chunks().field("bytes").to_pylist()
        return Rows(encoded, table[label].to_pylist())
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            "Parquet file cannot be read: truncated, damaged or no Parquet",
            where=path,
            found=f"{type(error).__name__}: {error}",
        ) from None


def _shards(folder: Path, part: str) -> list[Path]:
    """List the shards of a split in order: by number and total, or `train/0000.parquet`."""
    named = [(path, _SHARD.fullmatch(path.name)) for path in sorted(folder.iterdir())]
    shards = [(int(m["total"]), int(m["number"]), p) for p, m in named if m and m["part"] == part]
    inside = folder / part
    if not shards and inside.is_dir():
        numbered = [(path, _CONVERTED.fullmatch(path.name)) for path in sorted(inside.iterdir())]
        kept = [(int(match["number"]), path) for path, match in numbered if match]
        shards = [(len(kept), number, path) for number, path in kept]
    if not shards:
        return []
    totals = {total for total, _, _ in shards}
    numbers = sorted(number for _, number, _ in shards)
    if len(totals) > 1 or numbers != list(range(max(totals))):
        raise InputError(
            f"the files of the {part} split are not each there once",
            where=shards[0][2].parent,
            found=", ".join(path.name for _, _, path in shards[:8]),
            allowed=f"each of {max(totals)} files once, numbered from 0",
        )
    return [path for _, _, path in sorted(shards)]


def _read(
    paths: Sequence[Path],
    class_names: tuple[str, ...],
    per_class: int,
    pixel_range: Range | None,
) -> Source:
    encoded: list[bytes] = []
    row_labels: list[int] = []
    places: list[str] = []
    for path in paths:
        images, labels_of_file = read_rows(path, class_names)
        nulls = images.count(None) + labels_of_file.count(None)
        if nulls:
            raise InputError(
                "rows without image bytes or label", where=path, found=f"{nulls} nulls"
            )
        encoded += [image for image in images if image is not None]
        row_labels += [label for label in labels_of_file if label is not None]
        places += [f"{path}, row {row}" for row in range(len(images))]
    labels = np.array(row_labels, dtype=np.int64)
    check_counts(labels, class_names, per_class, ", ".join(map(str, paths)))
    # One image of each file signature tells the formats without opening all.
    signatures = {data[:4]: (data, place) for data, place in zip(encoded, places, strict=True)}
    formats = [str(open_image(data, place).format) for data, place in signatures.values()]
    tally = Tally()
    return Source(
        shape=(len(encoded), IMAGE_PX, IMAGE_PX),
        blocks=decode_blocks(
            encoded,
            IMAGE_PX,
            resize=False,
            where=places.__getitem__,
            tally=tally,
            pixel_range=pixel_range,
        ),
        labels=labels,
        class_names=class_names,
        encoding=encoding_of(formats),
        tally=tally,
    )


def _columns(schema: pa.Schema, path: Path) -> tuple[str, str]:
    """Name the columns of images and labels."""
    found = {field.name: field.type for field in schema}
    images = [name for name in _IMAGE if name in found and _holds_bytes(found[name])]
    labels = [name for name in _LABEL if name in found and pa.types.is_integer(found[name])]
    if len(images) != 1 or len(labels) != 1:
        raise InputError(
            "unexpected columns",
            where=path,
            found=", ".join(f"{name}: {kind}" for name, kind in found.items()),
            allowed="one of img, image: struct<bytes: binary, path: string>; label: int64",
        )
    return images[0], labels[0]


def _holds_bytes(kind: pa.DataType) -> bool:
    if not pa.types.is_struct(kind) or kind.get_field_index("bytes") < 0:
        return False
    inner = kind.field("bytes").type
    return pa.types.is_binary(inner) or pa.types.is_large_binary(inner)


def _check_classes(schema: pa.Schema, label: str, class_names: Sequence[str], path: Path) -> None:
    """Refuse labels that number other classes, where Hugging Face's metadata name them."""
    try:
        said = json.loads((schema.metadata or {})[b"huggingface"])
        names = said["info"]["features"][label]["names"]
    except (KeyError, TypeError, ValueError):
        return  # not said
    if names != list(class_names):
        raise InputError(
            "the file's labels number other classes, or in another order",
            where=path,
            found=names,
            allowed=class_names,
        )
