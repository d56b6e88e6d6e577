"""Images that are not 8-bit RGB: scaled, shown on white, turned, or refused; and said once."""

import io
import itertools
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from priorscope.data.image_folder import image_folder
from priorscope.errors import InputError

PX = 16
RAMP = np.linspace(0, 65535, PX * PX).round().astype(np.uint16).reshape(PX, PX)
COLOURS = np.random.default_rng(0).integers(0, 256, (PX, PX, 3), dtype=np.uint8)


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Read a data set of which every image is one file's content: its pixels, and the dataset."""
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "cache"))
    numbers = itertools.count()

    def read(content, suffix="png", **parameters):
        path = f"set{next(numbers)}"
        for name, i in itertools.product("ab", range(3)):
            file = tmp_path / path / name / f"{i}.{suffix}"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        dataset = image_folder(root=tmp_path, path=path, test_fraction=0.34, **parameters)
        (pixels,) = {image.tobytes() for image in (*dataset.train.images, *dataset.test.images)}
        return np.frombuffer(pixels, np.uint8).reshape(PX, PX, 3), dataset

    return read


def saved(image, form, **options):
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(
        file, form, **options
    )
    return file.getvalue()


def tiff(values, *, photometric=1, sample=1, planes=1, order="<", deflated=False):
    """Write a TIFF by its definition: one strip a plane, tags in ascending order."""
    samples = values.shape[2] if values.ndim == 3 else 1
    planes_of = np.moveaxis(values, 2, 0) if planes == 2 else values[None]
    pixels = [np.ascontiguousarray(p, dtype=p.dtype.newbyteorder(order)) for p in planes_of]
    strips = [zlib.compress(p.tobytes()) if deflated else p.tobytes() for p in pixels]
    bits, sizes = 8 * values.dtype.itemsize, [len(strip) for strip in strips]
    places = [300 + sum(sizes[:i]) for i in range(len(sizes))]
    rows = [(256, [PX]), (257, [PX]), (258, [bits] * samples), (259, [8 if deflated else 1])]
    rows += [(262, [photometric]), (273, places), (277, [samples]), (278, [PX]), (279, sizes)]
    rows += [(284, [planes]), (339, [sample] * samples)]
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HI", 42, 8)
    entries, extra, extra_at = b"", b"", 8 + 2 + 12 * len(rows) + 4
    for tag, numbers in rows:
        packed = struct.pack(f"{order}{len(numbers)}I", *numbers)
        place = packed
        if len(packed) > 4:
            place = struct.pack(f"{order}I", extra_at + len(extra))
            extra += packed
        entries += struct.pack(f"{order}HHI", tag, 4, len(numbers)) + place
    file = head + struct.pack(f"{order}H", len(rows)) + entries + bytes(4) + extra
    return file.ljust(300, b"\0") + b"".join(strips)


def grey(values):
    return np.repeat(values.astype(np.uint8)[..., None], 3, axis=2)


def rounded(values, top):
    """Scale whole numbers 0 .. top to 0 .. 255, in whole numbers."""
    return grey((2 * 255 * values.astype(np.int64) + top) // (2 * top))


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (saved(RAMP, "PNG"), "png"),
        (saved(RAMP, "TIFF"), "tif"),
        (saved(RAMP, "TIFF", compression="tiff_lzw"), "tif"),
        (tiff(RAMP, order=">"), "tif"),
        (b"P5 16 16 65535\n" + RAMP.astype(">u2").tobytes(), "pgm"),
    ],
)
def test_16_bit_grey_is_scaled_by_its_range_and_said_once(read, content, suffix):
    pixels, dataset = read(content, suffix)
    np.testing.assert_array_equal(pixels, rounded(RAMP, 65535))
    (note,) = (each for each in dataset.notes if "16 bits" in each)
    assert note.startswith("6 of 6 images") and "'a/0." in note


def test_where_zero_is_white_16_bit_grey_is_inverted(read):
    pixels, _ = read(tiff(RAMP, photometric=0), "tif")
    np.testing.assert_array_equal(pixels, 255 - rounded(RAMP, 65535))


@pytest.mark.parametrize("top", [15, 255, 1000, 4095])
def test_a_range_that_the_file_states_is_its_range(read, top):
    values = RAMP.astype(np.int64) * top // 65535
    raw = values.astype(">u2" if top > 255 else "u1").tobytes()
    pixels, _ = read(b"P5 16 16 %d\n" % top + raw, "pgm")
    assert np.abs(pixels.astype(int) - rounded(values, top)).max() <= 1  # Pillow rounds first


def test_16_bit_colour_is_read_at_its_upper_bits(read):
    values = np.random.default_rng(0).integers(0, 65536, (PX, PX, 3), dtype=np.uint16)
    pixels, dataset = read(tiff(values, photometric=2), "tif")
    np.testing.assert_array_equal(pixels, values >> 8)
    assert any("upper 8" in note for note in dataset.notes)


def test_12_bits_in_16_are_refused_until_the_range_is_stated(read):
    values = RAMP >> 4
    with pytest.raises(InputError, match="never go above 4095") as caught:
        read(saved(values, "PNG"))
    assert "a/0.png" in str(caught.value) and "pixel_range: [0, 4095]" in str(caught.value)
    pixels, dataset = read(saved(values, "PNG"), pixel_range=(0.0, 4095.0))
    np.testing.assert_array_equal(pixels, rounded(values, 4095))
    assert any("pixel_range" in note for note in dataset.notes) and not dataset.warnings
    dark, _ = read(saved(values, "PNG"), pixel_range=(0.0, 65535.0))
    np.testing.assert_array_equal(dark, rounded(values, 65535))
    colour = np.repeat(values[..., None], 3, axis=2)
    with pytest.raises(InputError, match="16 bits a channel that never go above 4095"):
        read(tiff(colour, photometric=2), "tif")


def test_14_bits_in_16_are_warned_of(read):
    _, dataset = read(saved(RAMP >> 2, "PNG"))
    (warning,) = dataset.warnings
    assert "never go above 16,383" in warning and "pixel_range: [0, 16383]" in warning


@pytest.mark.parametrize(
    ("content", "low", "high", "values"),
    [
        (tiff((RAMP / 65535).astype(np.float32), sample=3), 0, 1, RAMP / 65535),
        (tiff(RAMP.astype(np.int32) - 1000, sample=2), -1000, 64535, RAMP.astype(int) - 1000),
        (tiff((RAMP >> 1).astype(np.int16), sample=2), 0, 32767, RAMP >> 1),
    ],
)
def test_open_ranges_are_refused_until_stated(read, content, low, high, values):
    with pytest.raises(InputError, match="does not say which values") as caught:
        read(content, "tif")
    assert "a/0.tif" in str(caught.value) and "pixel_range" in str(caught.value)
    pixels, _ = read(content, "tif", pixel_range=(float(low), float(high)))
    expected = (values - low) * 255.0 / (high - low)
    assert np.abs(pixels[..., 0] - expected).max() <= 0.5 + 1e-4
    for smaller in ((low + 1e-3 * (high - low), high), (low, high - 1e-3 * (high - low))):
        with pytest.raises(InputError, match="outside pixel_range"):
            read(content, "tif", pixel_range=smaller)


def test_what_is_no_number_is_refused(read):
    values = np.full((PX, PX), 0.5, np.float32)
    values[3, 3] = np.nan
    with pytest.raises(InputError, match="outside pixel_range, or no numbers"):
        read(tiff(values, sample=3), "tif", pixel_range=(0.0, 1.0))


def jpeg2000(bits):
    """Write a codestream of three channels whose header states so many bits."""
    content = saved(COLOURS, "JPEG2000", no_jp2=True)
    place = content.index(b"\xff\x51") + 2 + 38  # its channels, three bytes each
    stated = bytes([bits - 1]) + content[place + 1 : place + 3]
    return content[:place] + 3 * stated + content[place + 9 :]


def png_16_bit_transparent_colour():
    """Add a tRNS chunk to a PNG of 16 bits a channel, written by its definition."""

    def chunk(name, content):
        check = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + check

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in np.dstack([RAMP] * 3))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", PX, PX, 16, 2, 0, 0, 0))
    hidden = chunk(b"tRNS", struct.pack(">HHH", 1, 2, 3))
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + head + hidden + pixels + chunk(b"IEND", b"")


def test_jpeg_2000_of_8_bits_is_read(read):
    pixels, _ = read(jpeg2000(8), "j2k")
    np.testing.assert_array_equal(pixels, COLOURS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (jpeg2000(12), "12 bits a channel"),
        (png_16_bit_transparent_colour(), "transparent colour"),
        (tiff(RAMP.astype("i4"), sample=2, order=">", deflated=True), "big-endian"),
        (tiff(RAMP.astype("f4"), sample=3, order=">", deflated=True), "big-endian"),
        (tiff(np.dstack([RAMP] * 3), photometric=2, planes=2), "plane of its own"),
        (tiff(RAMP.astype(np.int8), sample=2), "bytes with a sign"),
    ],
)
def test_what_pillow_misreads_is_refused(read, content, words):
    range_of_open = (-1e9, 1e9) if "big" in words else None
    with pytest.raises(InputError, match="Pillow reads wrongly") as caught:
        read(content, "tif", pixel_range=range_of_open)
    assert words in str(caught.value) and "a/0.tif" in str(caught.value)


def test_a_range_without_a_use_or_that_is_none_is_refused(read):
    with pytest.raises(InputError, match="pixel_range has no use"):
        read(saved(COLOURS, "PNG"), pixel_range=(0.0, 4095.0))
    for none in ((1.0, 0.0), (0.0, 0.0), (0.0, float("inf")), (float("nan"), 1.0)):
        with pytest.raises(InputError, match="no range of pixels"):
            read(saved(COLOURS, "PNG"), pixel_range=none)


def shown_on_white(colour, alpha):
    """Mix as paint on paper, in real numbers."""
    share = alpha[..., None] / 255
    return colour * share + 255 * (1 - share)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_transparent_pixels_are_shown_on_white(read, form):
    alpha = np.random.default_rng(1).integers(0, 256, (PX, PX), dtype=np.uint8)
    options = {"lossless": True, "exact": True} if form == "WEBP" else {}
    pixels, dataset = read(saved(np.dstack([COLOURS, alpha]), form, **options), form.lower())
    assert np.abs(pixels - shown_on_white(COLOURS, alpha)).max() <= 1
    assert any("transparent in part: shown on white" in note for note in dataset.notes)


def test_what_lies_under_transparent_pixels_gives_no_class_away(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIORSCOPE_CACHE", str(tmp_path / "cache"))
    for name, colour in (("a", (255, 0, 0, 0)), ("b", (0, 255, 0, 0))):
        (tmp_path / "set" / name).mkdir(parents=True)
        for i in range(3):
            Image.new("RGBA", (8, 8), colour).save(tmp_path / "set" / name / f"{i}.png")
    dataset = image_folder(root=tmp_path, path="set", test_fraction=0.34)
    assert (dataset.train.images == 255).all()
    assert any("transparent throughout" in warning for warning in dataset.warnings)


def test_an_opaque_alpha_channel_is_not_spoken_of(read):
    pixels, dataset = read(saved(np.dstack([COLOURS, np.full((PX, PX), 255, np.uint8)]), "PNG"))
    np.testing.assert_array_equal(pixels, COLOURS)
    assert dataset.notes == dataset.warnings == ()


@pytest.mark.parametrize("alphas", [7, bytes(range(0, 250, 10))])
def test_transparent_entries_of_a_palette_are_shown_on_white(read, alphas):
    numbers = (np.arange(PX * PX).reshape(PX, PX) % 25).astype(np.uint8)
    palette = np.random.default_rng(2).integers(0, 256, (256, 3), dtype=np.uint8)
    image = Image.fromarray(numbers, "P")
    image.putpalette(palette.tobytes())
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Pillow's own, on palettes that lose their transparency
        pixels, _ = read(saved(image, "PNG", transparency=alphas))
    by_entry = np.full(256, 255)
    if isinstance(alphas, int):
        by_entry[alphas] = 0
    else:
        by_entry[: len(alphas)] = list(alphas)
    assert np.abs(pixels - shown_on_white(palette[numbers], by_entry[numbers])).max() <= 1


def test_a_transparent_level_of_16_bit_grey_is_shown_on_white(read):
    values = RAMP.copy()
    values[2:5] = 777
    image = Image.fromarray(values)
    pixels, _ = read(saved(image, "PNG", transparency=777))
    expected = rounded(values, 65535)
    expected[values == 777] = 255
    np.testing.assert_array_equal(pixels, expected)


TURNS = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", TURNS)
def test_an_orientation_in_the_metadata_is_applied_once_and_said(read, form, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    options = {"lossless": True} if form == "WEBP" else {}
    pixels, dataset = read(saved(COLOURS, form, exif=exif, **options), form.lower())
    np.testing.assert_array_equal(pixels, TURNS[orientation](COLOURS))
    assert any("turned upright" in note for note in dataset.notes)


@pytest.mark.parametrize("form", ["GIF", "PNG", "TIFF", "WEBP"])
def test_of_several_frames_the_first_is_read_and_said(read, form):
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200)]
    first, *others = (Image.new("RGB", (PX, PX), colour) for colour in colours)
    options = {"lossless": True} if form == "WEBP" else {}
    content = saved(first, form, save_all=True, append_images=others, **options)
    pixels, dataset = read(content, form.lower())
    assert (pixels == colours[0]).all()
    assert any("the first is read" in note for note in dataset.notes)


def test_numbers_that_are_no_photographs_are_warned_of(read):
    _, dataset = read(saved((RAMP > 30000).astype(np.uint8), "PNG"))
    assert any("above 1 of 255" in warning for warning in dataset.warnings)


def test_a_format_without_pixels_of_its_own_is_refused(read):
    content = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n%%EndComments\n"
    with pytest.raises(InputError, match="not a format that images are read from") as caught:
        read(content)
    assert "a/0.png" in str(caught.value) and caught.value.found == "EPS"
