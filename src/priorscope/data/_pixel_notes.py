"""What a data set says of its pixels, once for both splits; and the ranges that it refuses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from priorscope.data._pixels import BACKGROUND, FEW_BITS, Range, Tally
from priorscope.errors import InputError

_HALF, _DARK = 32767, 15
_DECIDED = {
    "ranged": "have more than 8 bits: scaled to 8 by pixel_range",
    "scaled": "have 16 bits: scaled to 8",
    "declared": "have more than 8 bits: scaled to 8 by the range that they state",
    "upper": "have 16 bits a channel, of which the upper 8 are read",
    "transparent": f"are transparent in part: shown on {BACKGROUND}",
    "frames": "hold several frames or pages: the first is read",
    "turned": "are turned upright, as their metadata say",
}


@dataclass(frozen=True)
class SplitPixels:
    """What was met in one split: its tally, its images, and number -> an image's name."""

    tally: Tally
    num_images: int
    name: Callable[[int], str]


class PixelRemarks(NamedTuple):
    """What is to be said of the pixels of a data set, one line each."""

    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def pixel_remarks(
    splits: Sequence[SplitPixels], pixel_range: Range | None, *, where: object
) -> PixelRemarks:
    """Say each kind of decision with its number of images, and warn of probable misreadings.

    Refused are 16-bit images that use few of their bits, and a range without a use.
    """
    _refuse_ranges(splits, pixel_range, where)
    notes = (_line(splits, kind, words) for kind, words in _DECIDED.items() if _total(splits, kind))
    return PixelRemarks(tuple(notes), _warnings(splits))


def _refuse_ranges(splits: Sequence[SplitPixels], pixel_range: Range | None, where: object) -> None:
    if pixel_range is not None and not _total(splits, "ranged"):
        raise InputError(
            "pixel_range has no use here",
            where="pixel_range",
            found=f"no image of {where} has more than 8 bits and leaves its range open",
            hint="leave it out",
        )
    peak = max(split.tally.peak for split in splits)
    if _total(splits, "scaled") and peak <= FEW_BITS:
        raise InputError(
            f"16-bit images that never go above {FEW_BITS}: are they of 12 bits?",
            where=f"{where}: {_first(splits, 'scaled')}",
            found=f"{peak} at most in {_total(splits, 'scaled'):,} images",
            allowed="the range of the whole data set as a parameter of it: "
            f"pixel_range: [0, {FEW_BITS}], or [0, 65535] where so dark is right",
        )
    upper = max(split.tally.upper_peak for split in splits)
    if _total(splits, "upper") and upper <= FEW_BITS >> 8:
        raise InputError(
            f"images of 16 bits a channel that never go above {FEW_BITS}: are they of 12 bits?",
            where=f"{where}: {_first(splits, 'upper')}",
            found=f"{_total(splits, 'upper'):,} images; of colour only the upper 8 bits are read",
            hint="convert the images to 8 bits a channel",
        )


def _warnings(splits: Sequence[SplitPixels]) -> tuple[str, ...]:
    """Warn of images that are probably not what their owner sees."""
    found = []
    if _total(splits, "invisible"):
        words = (
            f"are transparent throughout, and plain {BACKGROUND} here: remove their alpha channel"
        )
        found.append(_line(splits, "invisible", words))
    peak = max(split.tally.peak for split in splits)
    if _total(splits, "scaled") and peak <= _HALF:
        found.append(
            f"16-bit images never go above {peak:,} of 65,535: if that is not as dark as they are, "
            f"state the range, such as pixel_range: [0, {2 ** peak.bit_length() - 1}]"
        )
    brightest = max(split.tally.brightest for split in splits)
    if brightest <= _DARK:
        found.append(
            f"no pixel of any image is above {brightest} of 255: masks or other numbers, not "
            "photographs? scale them to 0 .. 255 where they are pictures"
        )
    return tuple(found)


def _line(splits: Sequence[SplitPixels], kind: str, words: str) -> str:
    total = sum(split.num_images for split in splits)
    return f"{_total(splits, kind):,} of {total:,} images {words} (first: {_first(splits, kind)})"


def _total(splits: Sequence[SplitPixels], kind: str) -> int:
    return sum(split.tally.counts[kind] for split in splits)


def _first(splits: Sequence[SplitPixels], kind: str) -> str:
    return next(s.name(s.tally.first[kind]) for s in splits if kind in s.tally.first)
