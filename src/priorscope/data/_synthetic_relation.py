"""Images whose class is a relation between two patterns, a set number of cells apart.

An image is a grid of 8 x 8 cells of 4 px. Most cells hold noise, some hold a pattern of one of K
kinds. Two of the patterns, the *pair*, stand in one row, `distance` columns apart; the class is the
sum modulo K of their kinds. The kind of one of the two says nothing about the class, and neither
does any sum of terms that each depend on one cell.

*Distractors* make the place of the pair matter. They touch no other pattern, not even at a corner,
and no two patterns but the pair stand `distance` columns apart in a row, so that the pair can be
told from the pixels. If there are columns where none of the pair can stand (`distance` 5 and more),
distractors stand only there. There are two ways to draw them:

- "balanced": pair and distractors together hold every kind exactly twice, so that not even the
  counts of the kinds say anything about the class. (With 2 to 4 distractors of random kinds and
  K = 3, the best guess from the counts is right in 47 %, and a transformer with global attention
  reached 42 % on the near pair.)
- "few": 0, 1 or 2 distractors of random kinds. A third of the images have none, which lets a
  transformer with global attention find the far pair from 4,000 images; with 2 to 4 distractors in
  every image it reached 42 % in 15 epochs. The price: with K = 3, the best guess from the counts is
  right in 70 %, so more than that is needed to show that a model uses places.
"""

from typing import Literal

import numpy as np

from priorscope.data._synthetic_stream import Block, balanced_labels

GRID = 8  # cells a side
CELL_PX = 4
COPIES = 2  # of each kind in a balanced image: the pair may be twice the same
MAX_FEW = 2

# Walsh patterns: orthogonal, of mean zero, so no kind changes the mean of an image.
_FINE, _COARSE = np.array([1, -1, 1, -1]), np.array([1, -1, -1, 1])
_FLAT = np.ones(4, dtype=int)
PATTERNS = {
    "rows": np.outer(_FINE, _FLAT),
    "columns": np.outer(_FLAT, _FINE),
    "checks": np.outer(_FINE, _FINE),
    "bar": np.outer(_COARSE, _FLAT),
    "post": np.outer(_FLAT, _COARSE),
    "core": np.outer(_COARSE, _COARSE),
}
CONTRAST = 90  # a pattern adds or subtracts this
_NOISE_MIN, _NOISE_BITS = 112, 5  # uniform noise, 112 .. 143


def class_names(num_kinds: int) -> tuple[str, ...]:
    """Name the classes: "sum 0" to "sum K-1"."""
    return tuple(f"sum {value}" for value in range(num_kinds))


def draw_relation(
    num_images: int,
    rng: np.random.Generator,
    *,
    num_kinds: int,
    distance: int,
    distractors: Literal["balanced", "few"],
) -> Block:
    """Draw images of two patterns in one row, `distance` (1 .. 7) cells apart.

    "balanced" needs room: `distance` 1 .. 4.

    Factors: `kinds` int8 [n, 8, 8], the kind in each cell or -1; `row`, `left_column`,
    `right_column` int64 [n], the place of the pair; `num_distractors` int64 [n].
    """
    assert distractors == "few" or distance <= GRID // 2
    labels = balanced_labels(num_images, num_kinds, rng)
    row = rng.integers(GRID, size=num_images)
    left = rng.integers(GRID - distance, size=num_images)
    kind_left = rng.integers(num_kinds, size=num_images)
    kind_right = (labels - kind_left) % num_kinds

    kinds = np.full((num_images, GRID, GRID), -1, dtype=np.int8)
    image = np.arange(num_images)
    kinds[image, row, left] = kind_left
    kinds[image, row, left + distance] = kind_right
    if distractors == "balanced":
        rest = _remaining_kinds(kind_left, kind_right, num_kinds, rng)
        num_distractors = np.full(num_images, rest.shape[1])
    else:
        rest = rng.integers(num_kinds, size=(num_images, MAX_FEW))
        num_distractors = rng.integers(MAX_FEW + 1, size=num_images)
    _place_distractors(kinds, rest, num_distractors, distance, rng)
    factors = {
        "kinds": kinds,
        "row": row,
        "left_column": left,
        "right_column": left + distance,
        "num_distractors": num_distractors,
    }
    return Block(_render(kinds, rng), labels, factors)


def _remaining_kinds(kind_left, kind_right, num_kinds, rng) -> np.ndarray:
    """Shuffle `COPIES` of each kind, less the pair's: int64 [n, COPIES * num_kinds - 2]."""
    image = np.arange(len(kind_left))
    keys = rng.random((len(image), COPIES * num_kinds))
    keys[image, kind_left] = -1  # the first copy of one and the second of the other
    keys[image, num_kinds + kind_right] = -1
    return np.argsort(keys, axis=1)[:, 2:] % num_kinds


def _place_distractors(
    kinds: np.ndarray,
    rest: np.ndarray,
    num_distractors: np.ndarray,
    distance: int,
    rng: np.random.Generator,
) -> None:
    """Write the first `num_distractors` of `rest` into `kinds`, at random places.

    Each takes a place that the rules still allow; an image that runs out of places starts again.
    """
    allowed = _allowed(distance)
    board = kinds.reshape(len(kinds), -1)
    todo = np.arange(len(kinds))
    while len(todo):
        pair = np.nonzero(board[todo] >= 0)[1].reshape(-1, 2)
        order = rng.random((len(todo), GRID**2), dtype=np.float32)
        order *= allowed[pair[:, 0]] * allowed[pair[:, 1]]
        places = np.empty((len(todo), rest.shape[1]), dtype=np.int64)
        complete = np.ones(len(todo), dtype=bool)
        for turn in range(rest.shape[1]):
            places[:, turn] = np.argmax(order, axis=1)
            found = order[np.arange(len(todo)), places[:, turn]] > 0
            complete &= found | (num_distractors[todo] <= turn)
            order *= allowed[places[:, turn]]
        done = todo[complete]
        image, turn = np.nonzero(np.arange(rest.shape[1]) < num_distractors[done, None])
        board[done[image], places[complete][image, turn]] = rest[done[image], turn]
        todo = todo[~complete]


def _allowed(distance: int) -> np.ndarray:
    """Say where distractors may stand beside a pattern in each cell: float32 [64, 64], 0 or 1."""
    row, column = np.divmod(np.arange(GRID**2), GRID)
    rows, columns = np.abs(row[:, None] - row), np.abs(column[:, None] - column)
    touches = (rows <= 1) & (columns <= 1)
    pairs = (rows == 0) & (columns == distance)
    reserved = (column < GRID - distance) | (column >= distance)
    if reserved.all():
        reserved = np.zeros_like(reserved)
    return (~touches & ~pairs & ~reserved).astype(np.float32)


def _render(kinds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn cells into pixels: uint8 [n, 32, 32, 3]."""
    side = GRID * CELL_PX
    images = np.frombuffer(rng.bytes(len(kinds) * side * side * 3), dtype=np.uint8)
    images = (images >> (8 - _NOISE_BITS)) + np.uint8(_NOISE_MIN)
    images = images.reshape(len(kinds), GRID, CELL_PX, GRID, CELL_PX, 3)
    # Modulo 256, so that adding a negative contrast subtracts.
    table = (CONTRAST * np.stack(list(PATTERNS.values())) % 256).astype(np.uint8)
    table = np.repeat(table[..., None], 3, axis=-1)
    image, row, column = np.nonzero(kinds >= 0)
    images[image, row, :, column] += table[kinds[image, row, column]]
    return images.reshape(len(kinds), side, side, 3)
