"""The operations of AutoAugment on batches of bytes, equal to torchvision's to the pixel.

Each maps uint8 images [n, height, width, 3] to new ones of the same shape. Most take one magnitude
an image as well, in the units of `torchvision.transforms.v2.AutoAugment`; they are fastest where
images of equal magnitude stand side by side.

Colours are blended in float32 and truncated, so that the last bit of a product decides a pixel: a
grey pixel blended with itself may come out one level lower. The products are therefore those of
torchvision, `a * factor` and then `add_(b, alpha=1 - factor)`, which processors round only once;
an `alpha` is one number for a whole call, hence the runs of equal magnitude.
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import torch

Magnitudes = Sequence[float]


def invert(images: torch.Tensor) -> torch.Tensor:
    """Replace each byte x by 255 - x."""
    return ~images


def auto_contrast(images: torch.Tensor) -> torch.Tensor:
    """Stretch each channel linearly to 0 .. 255; a constant channel stays."""
    num_images, _, width, channels = images.shape
    rows = _rows(images).float()
    # First over rows, of which a processor compares many numbers at once.
    lowest = rows.amin(dim=1).view(num_images, width, channels).amin(dim=1, keepdim=True)
    highest = rows.amax(dim=1).view(num_images, width, channels).amax(dim=1, keepdim=True)
    constant = highest == lowest
    scale = ((highest - lowest) * (1 / 255)).masked_fill_(constant, 1)
    lowest.masked_fill_(constant, 0)
    rows.sub_(_as_row(lowest, width)).div_(_as_row(scale, width))
    return rows.clamp_(0, 255).to(torch.uint8).view_as(images)


def equalize(images: torch.Tensor) -> torch.Tensor:
    """Make each channel's histogram flat, as Pillow does: one lookup table a channel.

    The brightest value that occurs does not count towards the step between two output levels; a
    channel with too few other pixels for a step stays.
    """
    num_images, height, width, channels = images.shape
    device, num_tables = images.device, num_images * channels
    first = 256 * torch.arange(num_tables, dtype=torch.int32, device=device)
    entries = _as_row(first.view(num_images, 1, channels), width) + _rows(images)
    entries = entries.flatten()
    if device.type == "cpu":
        histogram = torch.bincount(entries, minlength=256 * num_tables)
    else:  # there the host would wait to see whether more bins are needed
        histogram = count_without_waiting(entries, 256 * num_tables)
    histogram = histogram.view(num_tables, 256)
    cumulated = histogram.cumsum(dim=1)
    # The first of the largest cumulated counts stands at the brightest value that occurs.
    brightest = cumulated.argmax(dim=1, keepdim=True)
    step = (height * width - histogram.gather(1, brightest)) // 255
    num_darker = cumulated - histogram
    levels = ((num_darker + step // 2) // step.clamp(min=1)).clamp_(max=255)
    table = torch.where(step == 0, torch.arange(256, device=device), levels).to(torch.uint8)
    return table.flatten().index_select(0, entries).view_as(images)


def posterize(images: torch.Tensor, bits: Magnitudes) -> torch.Tensor:
    """Keep the highest bits of each byte; `bits` are whole numbers from 1 to 8."""
    out = torch.empty_like(images)
    for run, number in _runs(bits):
        torch.bitwise_and(images[run], 256 - 2 ** (8 - int(number)), out=out[run])
    return out


def solarize(images: torch.Tensor, thresholds: Magnitudes) -> torch.Tensor:
    """Invert the bytes that are not below a threshold, given as a fraction of 255."""
    out = torch.empty_like(images)
    levels = torch.arange(256, dtype=torch.uint8, device=images.device)
    for run, threshold in _runs(thresholds):
        table = torch.where(levels >= 255 * threshold, ~levels, levels)
        torch.index_select(table, 0, images[run].flatten().int(), out=out[run].flatten())
    return out


def brightness(images: torch.Tensor, magnitudes: Magnitudes) -> torch.Tensor:
    """Multiply by 1 + magnitude."""
    out = images.float()
    for run, magnitude in _runs(magnitudes):
        out[run].mul_(1 + magnitude)
    return out.clamp_(0, 255).to(torch.uint8)


def color(images: torch.Tensor, magnitudes: Magnitudes) -> torch.Tensor:
    """Blend 1 + magnitude of the image with -magnitude of its grey version."""
    planes = _planes(images)
    grey = _grey(planes)
    return _bytes(_blend_(planes, grey, magnitudes), images)


def contrast(images: torch.Tensor, magnitudes: Magnitudes) -> torch.Tensor:
    """Blend 1 + magnitude of the image with -magnitude of its mean grey."""
    planes = _planes(images)
    mean = _grey(planes).mean(dim=2, keepdim=True)
    return _bytes(_blend_(planes, mean, magnitudes), images)


def sharpness(images: torch.Tensor, magnitudes: Magnitudes) -> torch.Tensor:
    """Blend 1 + magnitude of the image with -magnitude of a smoothed one; the border stays.

    Smoothing weighs a pixel by 5/13 and each of its eight neighbours by 1/13, and rounds. No number
    of thirteenths is near a half, so that the order of summation does not matter.
    """
    pixel = images.shape[3]
    rows = _rows(images).float()
    across = rows[:, :, : -2 * pixel] + rows[:, :, pixel:-pixel]
    across += rows[:, :, 2 * pixel :]
    inner = rows[:, 1:-1, pixel:-pixel]
    smooth = across[:, :-2] + across[:, 1:-1]
    smooth += across[:, 2:]
    smooth.add_(inner, alpha=4).mul_(1 / 13).round_().sub_(inner)
    for run, magnitude in _runs(magnitudes):
        inner[run].add_(smooth[run], alpha=1 - (1 + magnitude))
    return rows.clamp_(0, 255).to(torch.uint8).view_as(images)


def shear_y(images: torch.Tensor, magnitudes: Magnitudes) -> torch.Tensor:
    """Lift each column by magnitude times its distance from the left edge."""
    return _moved(images, magnitudes, _sheared_y)


def translate_x(images: torch.Tensor, magnitudes: Magnitudes) -> torch.Tensor:
    """Shift to the right by a magnitude in pixels, truncated to a whole number."""
    return _moved(images, magnitudes, _translated_x)


def translate_y(images: torch.Tensor, magnitudes: Magnitudes) -> torch.Tensor:
    """Shift down by a magnitude in pixels, truncated to a whole number."""
    return _moved(images, magnitudes, _translated_y)


def rotate(images: torch.Tensor, magnitudes: Magnitudes) -> torch.Tensor:
    """Turn anticlockwise about the centre by a magnitude in degrees."""
    return _moved(images, magnitudes, _rotated)


PLAIN: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "AutoContrast": auto_contrast,
    "Equalize": equalize,
    "Invert": invert,
}
GRADED: dict[str, Callable[[torch.Tensor, Magnitudes], torch.Tensor]] = {
    "Brightness": brightness,
    "Color": color,
    "Contrast": contrast,
    "Posterize": posterize,
    "Rotate": rotate,
    "Sharpness": sharpness,
    "ShearY": shear_y,
    "Solarize": solarize,
    "TranslateX": translate_x,
    "TranslateY": translate_y,
}


def _runs(magnitudes: Magnitudes) -> Iterator[tuple[slice, float]]:
    """Return each run of equal magnitudes as a slice and its magnitude."""
    start = 0
    for magnitude, run in groupby(magnitudes):
        stop = start + sum(1 for _ in run)
        yield slice(start, stop), magnitude
        start = stop


def count_without_waiting(entries: torch.Tensor, num_bins: int) -> torch.Tensor:
    """Count how often each of 0 .. num_bins - 1 occurs: int64 [num_bins]."""
    ones = torch.ones_like(entries, dtype=torch.int64)
    counts = torch.zeros(num_bins, dtype=torch.int64, device=entries.device)
    return counts.scatter_add_(0, entries.long(), ones)


def _rows(images: torch.Tensor) -> torch.Tensor:
    """View as [n, height, width * 3]: broadcasting over three channels alone is slow on a CPU."""
    return images.flatten(2)


def _as_row(of_channels: torch.Tensor, width: int) -> torch.Tensor:
    """Repeat numbers [n, 1, 3] along a row: [n, 1, width * 3]."""
    return of_channels.repeat(1, 1, width)


def _planes(images: torch.Tensor) -> torch.Tensor:
    """Copy into float32 planes [n, 3, height * width]."""
    return (
        images.flatten(1, 2)
        .transpose(1, 2)
        .to(torch.float32, memory_format=torch.contiguous_format)
    )


def _bytes(planes: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Truncate planes [n, 3, height * width] to bytes in the shape of images."""
    out = torch.empty_like(like)
    out.flatten(1, 2).transpose(1, 2).copy_(planes.clamp_(0, 255))
    return out


def _grey(planes: torch.Tensor) -> torch.Tensor:
    """Weigh the channels by ITU-R 601 and truncate: [n, 1, height * width]."""
    red, green, blue = planes.split(1, dim=1)
    return (red * 0.2989).add_(green, alpha=0.587).add_(blue, alpha=0.114).floor_()


def _blend_(images: torch.Tensor, other: torch.Tensor, magnitudes: Magnitudes) -> torch.Tensor:
    """Replace images by (1 + magnitude) * images - magnitude * other, in place."""
    for run, magnitude in _runs(magnitudes):
        factor = 1 + magnitude
        images[run].mul_(factor).add_(other[run], alpha=1 - factor)
    return images


Coordinates = tuple[torch.Tensor, torch.Tensor]


def _moved(
    images: torch.Tensor,
    magnitudes: Magnitudes,
    origin: Callable[[torch.Tensor, torch.Tensor, float, tuple[int, int]], Coordinates],
) -> torch.Tensor:
    """Take each pixel from the nearest to its origin; what comes from outside is black."""
    num_images, height, width, channels = images.shape
    # One black pixel after those of each image: what lies outside is taken from there.
    pixels = images.new_zeros(num_images, height * width + 1, channels)
    pixels[:, :-1] = images.flatten(1, 2)
    out = torch.empty_like(images)
    for run, magnitude in _runs(magnitudes):
        sources = _sources(origin, magnitude, height, width, images.device)
        torch.index_select(pixels[run], 1, sources, out=out[run].flatten(1, 2))
    return out


@functools.lru_cache(maxsize=256)
def _sources(
    origin: Callable[[torch.Tensor, torch.Tensor, float, tuple[int, int]], Coordinates],
    magnitude: float,
    height: int,
    width: int,
    device: torch.device,
) -> torch.Tensor:
    """Number the pixel from which each pixel comes, row by row: int32 [height * width].

    `height * width` stands for outside. The table is made on the CPU, in float64, so that every
    device moves the same pixels, and is kept, so that a GPU need not wait for the host.
    """
    y, x = torch.meshgrid(
        torch.arange(height, dtype=torch.float64) + 0.5,
        torch.arange(width, dtype=torch.float64) + 0.5,
        indexing="ij",
    )
    from_x, from_y = (c.floor().long() for c in origin(x, y, magnitude, (height, width)))
    inside = (from_x >= 0) & (from_x < width) & (from_y >= 0) & (from_y < height)
    sources = torch.where(inside, from_y * width + from_x, height * width)
    return sources.flatten().int().to(device, non_blocking=True)


# Where the pixel with its centre at (x, y) comes from, in pixels from the upper left corner.


def _sheared_y(x: torch.Tensor, y: torch.Tensor, magnitude: float, _: tuple[int, int]):
    return x, y + magnitude * x


def _translated_x(x: torch.Tensor, y: torch.Tensor, magnitude: float, _: tuple[int, int]):
    return x - int(magnitude), y


def _translated_y(x: torch.Tensor, y: torch.Tensor, magnitude: float, _: tuple[int, int]):
    return x, y - int(magnitude)


def _rotated(x: torch.Tensor, y: torch.Tensor, magnitude: float, size: tuple[int, int]):
    cosine, sine = math.cos(math.radians(magnitude)), math.sin(math.radians(magnitude))
    x, y = x - size[1] / 2, y - size[0] / 2
    return cosine * x - sine * y + size[1] / 2, sine * x + cosine * y + size[0] / 2
