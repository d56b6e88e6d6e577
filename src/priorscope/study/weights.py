"""Weights that were trained elsewhere, as a study declares them beside a model. No torch here."""

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from priorscope.errors import InputError, did_you_mean

GIVEN, INITIAL = "weights", "initial_weights"
OF_GIVEN = ("precision", "image_px")  # what a network that is given has of the recipe
SEED = "{seed}"  # in a path: the seed of the run

_Unit = Annotated[float, Field(ge=0, le=1)]
_Spread = Annotated[float, Field(gt=0)]
_Output = Annotated[int, Field(ge=0, strict=True)]
ClassMap = dict[str, tuple[int, ...]] | tuple[str, ...]


@checked_dataclass(
    frozen=True, kw_only=True, config=ConfigDict(extra="forbid", allow_inf_nan=False)
)
class StatedPreprocess:
    """How images are prepared for a network that is given, where the study says so.

    Attributes
    ----------
    image_px : side of the network's input in pixels
    mean, std : of each channel, in 0 .. 1
    interpolation : by which PIL resizes
    crop_fraction : the part of the resized image's side that a central crop keeps
    """

    image_px: Annotated[int, Field(gt=0, le=4096)] | None = None
    mean: tuple[_Unit, _Unit, _Unit] | None = None
    std: tuple[_Spread, _Spread, _Spread] | None = None
    interpolation: Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"] | None = (
        None
    )
    crop_fraction: Annotated[float, Field(gt=0, le=1)] | None = None


@dataclass(frozen=True)
class Weights:
    """Weights of a model from files.

    Attributes
    ----------
    stated : as the study has it: a path, or a list of paths in the order of the seeds
    paths : seed -> file; one of the first seed alone where all seeds share one network
    initial : whether training begins there; else the network is evaluated as it is given
    preprocess : how its images are prepared, where the study says so
    classes : label -> outputs of the network, or the names of its outputs in their order; None
        where its outputs are the labels in their order
    """

    stated: str | tuple[str, ...]
    paths: dict[int, Path]
    initial: bool = False
    preprocess: StatedPreprocess | None = None
    classes: ClassMap | None = None

    @property
    def key(self) -> str:
        """Return the key of the study file."""
        return INITIAL if self.initial else GIVEN

    @property
    def is_shared(self) -> bool:
        """Tell whether one file serves all seeds."""
        return isinstance(self.stated, str) and SEED not in self.stated

    def as_dict(self) -> dict[str, Any]:
        """Return what stands beside the model in the study file."""
        stated = self.stated if isinstance(self.stated, str) else list(self.stated)
        return {self.key: stated, **self.meaning()}

    def meaning(self) -> dict[str, Any]:
        """Return what is stated of the weights beside where they lie."""
        plain: dict[str, Any] = {}
        if self.preprocess is not None:
            kept = {k: v for k, v in asdict(self.preprocess).items() if v is not None}
            plain["preprocess"] = json.loads(json.dumps(kept))
        if self.classes is not None:
            plain["classes"] = json.loads(json.dumps(self.classes))
        return plain

    def path(self, seed: int) -> Path:
        """Return the file of a seed, or the one that all seeds share."""
        return next(iter(self.paths.values())) if self.is_shared else self.paths[seed]

    def sha256(self, seed: int, where: str) -> str:
        """Hash the file of a seed (SHA-256).

        Parameters
        ----------
        where : the model's key, for messages

        Raises
        ------
        InputError : no such file, a folder, or it cannot be read
        """
        return _sha256(self.path(seed), f"{where}.{self.key}")


def read_weights(
    name: str, beside: Mapping[str, Any], seeds: Sequence[int], base: Path
) -> tuple[dict[str, Any], Weights | None]:
    """Split what stands beside a model's name into its own parameters and its weights.

    `preprocess` and `classes` are the model's own parameters where it has no weights.

    Parameters
    ----------
    name : of the model in the study
    base : the folder that paths are relative to

    Raises
    ------
    InputError : names the key's path, what stood there, what may, and the nearest name
    """
    where, own = f"models.{name}", dict(beside)
    keys = [key for key in (GIVEN, INITIAL) if key in own]
    if not keys:
        return own, None
    if len(keys) == 2:
        raise InputError(
            "a network is evaluated as given, or trained on from its weights, but not both",
            where=where,
            found=f"{GIVEN} and {INITIAL}",
            allowed=f"one of {GIVEN} and {INITIAL}",
        )
    (key,) = keys
    stated = own.pop(key)
    initial = key == INITIAL
    preprocess, classes = own.pop("preprocess", None), own.pop("classes", None)
    for other, value in (("preprocess", preprocess), ("classes", classes)):
        if initial and value is not None:
            raise InputError(
                "what is trained here is prepared and labelled as the study's data are",
                where=f"{where}.{other}",
                found=f"beside {INITIAL}",
                hint=f"leave `{other}` out",
            )
    read = _paths(stated, seeds, base, f"{where}.{key}")
    return own, Weights(
        stated if isinstance(stated, str) else tuple(stated),
        read,
        initial,
        None if preprocess is None else _preprocess(preprocess, f"{where}.preprocess"),
        None if classes is None else _classes(classes, base, f"{where}.classes"),
    )


def _paths(stated: Any, seeds: Sequence[int], base: Path, where: str) -> dict[int, Path]:
    allowed = f"a file, one with {SEED} in its name, or a list of files in the order of `seeds`"
    texts = [stated] if isinstance(stated, str) else stated
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) for t in texts):
        raise InputError("value not allowed", where=where, found=repr(stated), allowed=allowed)
    for text in texts:
        prefix = text.partition(":")[0]
        if prefix in ("hf-hub", "hf_hub", "hub", "http", "https"):
            raise InputError(
                "weights are read from files, and nothing is downloaded",
                where=where,
                found=text,
                allowed=allowed,
                hint="download the file and name it: its fingerprint is part of the results"
                if prefix != "hf-hub"
                else f"hf download {text.partition(':')[2]} model.safetensors --local-dir .",
            )
        if not text.strip() or "\0" in text:
            raise InputError("value not allowed", where=where, found=repr(text), allowed=allowed)
    if isinstance(stated, str):
        if SEED in stated:
            return {seed: base / _home(stated.replace(SEED, str(seed))) for seed in seeds}
        return {seeds[0]: base / _home(stated)}
    if len(texts) != len(seeds):
        raise InputError(
            "a list of weights has one file a seed",
            where=where,
            found=f"{len(texts)} files",
            allowed=f"{len(seeds)}, for seeds {', '.join(map(str, seeds))}; or one file, not in a "
            "list, which is one network whatever the seeds",
        )
    with_seed = [text for text in texts if SEED in text]
    if with_seed:
        raise InputError(
            f"{SEED} stands in a single path, not in a list", where=where, found=with_seed[0]
        )
    return {seed: base / _home(text) for seed, text in zip(seeds, texts, strict=True)}


def _home(text: str) -> Path:
    return Path(text).expanduser()


def _preprocess(stated: Any, where: str) -> StatedPreprocess:
    fields = list(StatedPreprocess.__dataclass_fields__)
    if not isinstance(stated, dict):
        raise InputError("value not allowed", where=where, found=repr(stated), allowed=fields)
    if unknown := [key for key in stated if key not in fields]:
        raise InputError(
            "unknown key",
            where=f"{where}.{unknown[0]}",
            found=unknown[0],
            allowed=fields,
            hint=did_you_mean(str(unknown[0]), fields),
        )
    try:
        # JSON mode: strict about numbers and strings, yet a list becomes a tuple.
        return TypeAdapter(StatedPreprocess).validate_json(json.dumps(stated), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            "value not allowed",
            where=".".join([where, *map(str, first["loc"])]),
            found=repr(first["input"]),
            allowed=first["msg"].replace("Input should be ", ""),
        ) from None


def _classes(stated: Any, base: Path, where: str) -> ClassMap:
    """Read a mapping of labels to outputs, a list of names, or a file with one name a line."""
    if isinstance(stated, str):
        path = base / _home(stated)
        try:
            stated = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        except (OSError, ValueError) as error:
            raise InputError(
                "a file of class names cannot be read", where=where, found=error
            ) from None
        while stated and not stated[-1]:
            stated.pop()
    if isinstance(stated, dict):
        found: dict[str, tuple[int, ...]] = {}
        for label, outputs in stated.items():
            listed = outputs if isinstance(outputs, list) else [outputs]
            try:
                read = TypeAdapter(list[_Output]).validate_python(listed)
            except ValidationError:
                read = []
            if not read:
                raise InputError(
                    "value not allowed",
                    where=f"{where}.{label}",
                    found=repr(outputs),
                    allowed="the number of an output, from 0, or a list of such numbers",
                )
            found[str(label)] = tuple(read)
        _refuse_twice([output for each in found.values() for output in each], where)
        return found
    if isinstance(stated, list) and stated and all(isinstance(each, str) for each in stated):
        _refuse_twice(stated, where)
        return tuple(stated)
    raise InputError(
        "value not allowed",
        where=where,
        found=repr(stated),
        allowed="{label: output}, a list of the names of all outputs in their order, or a file of "
        "them, one a line",
    )


def _refuse_twice(values: Sequence[Any], where: str) -> None:
    for place, value in enumerate(values):
        if value in values[:place]:
            raise InputError("an output stands twice", where=where, found=value)


def _sha256(path: Path, where: str) -> str:
    try:
        stat = path.stat()
        if path.is_dir():
            raise InputError(
                "weights are a file, not a folder",
                where=where,
                found=path,
                allowed="a .safetensors file, or one that torch.save wrote",
            )
        return _hashed(path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise InputError(
            "no such file of weights" if missing else "a file of weights cannot be read",
            where=where,
            found=path if missing else error,
            hint="paths are relative to the study file",
        ) from None


@functools.lru_cache(maxsize=4096)
def _hashed(path: Path, *_state: int) -> str:
    """Hash a file once for as long as its size, times and place on the disk stay."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
