"""CIFAR-10 in the Hugging Face Parquet layout: `img{bytes, path}`, `label`."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from priorscope.data._cache import Source, Split, content_key
from priorscope.data._decode import decode_blocks, encoding_of, open_image
from priorscope.data._official import IMAGE_PX, Official, check_counts
from priorscope.errors import InputError

FILES = {part: f"{part}-00000-of-00001.parquet" for part in ("train", "test")}


def parquet_splits(
    folder: Path, official: Official, class_names: tuple[str, ...]
) -> dict[str, Split]:
    """Describe the splits of the Parquet files in `folder`; nothing is read yet."""

    def split(part: str) -> Split:
        path = folder / FILES[part]
        return Split(
            files=(path,),
            key=lambda: content_key([path], f"{official.name}/parquet/{part}"),
            read=lambda: _read(path, class_names, official.per_class[part]),
        )

    return {part: split(part) for part in FILES}


def read_rows(path: Path) -> tuple[list[bytes | None], list[int | None]]:
    """Read the encoded images and the labels of a file with columns `img{bytes}` and `label`.

    Raises
    ------
    InputError : truncated, damaged, no Parquet, or other columns; names the file
    """
    try:
        with pq.ParquetFile(path) as file:
            _check_columns(file.schema_arrow, path)
            table = file.read(columns=["img", "label"])
        encoded = table["img"].combine_chunks().field("bytes").to_pylist()
        return encoded, table["label"].to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            "Parquet file cannot be read: truncated, damaged or no Parquet",
            where=path,
            found=f"{type(error).__name__}: {error}",
        ) from None


def _read(path: Path, class_names: tuple[str, ...], per_class: int) -> Source:
    rows, row_labels = read_rows(path)
    encoded = [data for data in rows if data is not None]
    nulls = len(rows) - len(encoded) + row_labels.count(None)
    if nulls:
        raise InputError("rows without image bytes or label", where=path, found=f"{nulls} nulls")
    labels = np.array(row_labels, dtype=np.int64)
    check_counts(labels, class_names, per_class, path)
    # One image of each file signature tells the formats without opening all.
    signatures = {data[:4]: (data, f"{path}, row {row}") for row, data in enumerate(encoded)}
    images = [open_image(data, where) for data, where in signatures.values()]
    return Source(
        shape=(len(encoded), IMAGE_PX, IMAGE_PX),
        blocks=decode_blocks(
            encoded, IMAGE_PX, resize=False, where=lambda row: f"{path}, row {row}"
        ),
        labels=labels,
        class_names=class_names,
        encoding=encoding_of(str(image.format) for image in images),
    )


def _check_columns(schema: pa.Schema, path: Path) -> None:
    found = {field.name: field.type for field in schema}
    img, label = found.get("img"), found.get("label")
    fits = (
        img is not None
        and pa.types.is_struct(img)
        and img.get_field_index("bytes") >= 0
        and (pa.types.is_binary(kind := img.field("bytes").type) or pa.types.is_large_binary(kind))
        and label is not None
        and pa.types.is_integer(label)
    )
    if not fits:
        raise InputError(
            "unexpected columns",
            where=path,
            found=", ".join(f"{name}: {kind}" for name, kind in found.items()),
            allowed="img: struct<bytes: binary, path: string>, label: int64",
        )
