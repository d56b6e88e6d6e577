"""Rehearse a model's training: two steps on copies of it, before anything is trained.

What is found so is found nowhere else in time: outputs that nothing can be trained on, a state that
cannot be stored, what a model keeps outside of its stored state and a continued run would not have,
and random numbers that no seed reaches. It costs less than four training steps of two images.
"""

import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_model, save_model
from torch import nn

from priorscope.errors import InputError
from priorscope.runs.rehearsed import Rehearsed
from priorscope.training.attributes import own_attributes, shared_values
from priorscope.training.memory_format import lay_out, memory_format_of
from priorscope.training.optimize import build_optimizer
from priorscope.training.outputs import Answers, answers_of, loss_of, named_tensors
from priorscope.training.recipe import Recipe
from priorscope.training.streams import seeded_streams

_NUM_IMAGES = 2
_TOLERANCE = 1e-4  # of an answer, as a part of the answers' standard deviation: above rounding
_CPU = torch.device("cpu")
_MOST_NAMED = 3


def rehearse(
    build: Callable[[], nn.Module],
    recipe: Recipe,
    *,
    num_classes: int,
    image_px: int,
    where: str,
) -> Rehearsed:
    """Train a model for two steps on the CPU, store it, and compare it with a copy that is loaded.

    Parameters
    ----------
    build : makes the model, with the same initial weights each time
    where : its key, for messages

    Raises
    ------
    InputError : it cannot be built, returns nothing that can be trained on, or its state cannot be
        stored and read back. A model that raises by itself, or whose answers are not finite, is
        warned of: it takes its own run with it, and no other
    """
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(_NUM_IMAGES, 3, image_px, image_px, generator=generator)
    images = images.contiguous(memory_format=torch.channels_last)
    target = torch.arange(_NUM_IMAGES) % num_classes

    def made() -> nn.Module:
        return lay_out(build(), _CPU)

    notes: list[str] = []
    model = made()
    try:
        before = shared_values(model, _by_value)
        optimizer = build_optimizer(model, recipe, _CPU)
        answers: list[torch.Tensor] = []
        for step in range(2):
            with seeded_streams(step):
                found = _answers_in_training(model, images, num_classes, where, notes)
                loss_of(found, target, recipe.label_smoothing).backward()
            answers.append(found.logits.detach().clone())
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
    except InputError:
        raise
    except Exception as error:
        return Rehearsed(memory_format_of(model), (_will_fail(_said(error)),), tuple(notes))
    if not torch.isfinite(answers[0]).all():
        warning = _will_fail("its answers are not finite before it is trained")
        return Rehearsed(memory_format_of(model), (warning,), tuple(notes))
    changed = [
        name for name, value in shared_values(model, _by_value).items() if before.get(name) != value
    ]
    # What is shared has changed for an equal model too: it answers otherwise for that reason.
    warnings = [] if changed else _unseeded(made(), images, answers[0])
    copy = made()
    _store_and_load(model, copy, where)
    warnings += _kept_outside(model, copy, images, changed)
    return Rehearsed(memory_format_of(model), tuple(warnings), tuple(notes))


def _answers_in_training(
    model: nn.Module, images: torch.Tensor, num_classes: int, where: str, notes: list[str]
) -> Answers:
    """Show images to a model in training mode, and refuse what cannot be trained on.

    Raises
    ------
    InputError : no logits, or heads beside them whose weight in the loss is not known
    """
    raw: list[Any] = []
    handle = model.register_forward_hook(lambda _m, _i, output: raw.append(output), prepend=True)
    try:
        answers = answers_of(model.train()(images))
    except TypeError as error:
        if "with no tensor in it" not in str(error):
            raise
        raise _no_logits(type(raw[-1]).__name__, num_classes, where) from None
    finally:
        handle.remove()
    shape = (len(images), num_classes)
    if answers.logits.shape != shape:
        raise _no_logits(list(answers.logits.shape), num_classes, where)
    if isinstance(raw[-1], torch.Tensor) or notes:
        return answers
    heads = _heads(raw[-1], shape)
    if len(heads) > 1 + len(answers.auxiliary) and heads != _heads_in_tests(model, images, shape):
        raise InputError(
            "several outputs in training, and it is not known what each weighs in the loss",
            where=where,
            found=f"{type(raw[-1]).__name__} with {len(heads)} tensors {list(shape)}",
            allowed="logits alone, as a tensor, as `logits`, or first of what is returned",
        )
    kind, how = (
        type(raw[-1]).__name__,
        "`logits` in it" if "logits" in heads else "its first tensor",
    )
    heads_too = f", with {len(answers.auxiliary)} auxiliary heads of weight {answers.weight:g}"
    notes.append(f"trained on {how}: it returns a {kind}{heads_too if answers.auxiliary else ''}")
    return answers


def _heads(output: Any, shape: tuple[int, int]) -> list[str]:
    return [name for name, tensor in named_tensors(output) if tensor.shape == shape]


def _heads_in_tests(model: nn.Module, images: torch.Tensor, shape: tuple[int, int]) -> list[str]:
    """Name the outputs of a shape in evaluation mode: those of auxiliary heads are not there."""
    raw: list[Any] = []
    handle = model.register_forward_hook(lambda _m, _i, output: raw.append(output), prepend=True)
    try:
        with torch.no_grad():
            model.eval()(images)
    finally:
        handle.remove()
    return _heads(raw[-1], shape)


def _no_logits(found: object, num_classes: int, where: str) -> InputError:
    return InputError(
        "a model must return logits in training too",
        where=where,
        found=found,
        allowed=f"[{_NUM_IMAGES}, {num_classes}] for {_NUM_IMAGES} images: a tensor, or "
        "`logits` or the first tensor in a tuple, list, dict or dataclass",
    )


def _unseeded(twin: nn.Module, images: torch.Tensor, first: torch.Tensor) -> list[str]:
    """Warn where an equal model answers the same images otherwise, all streams seeded alike."""
    with seeded_streams(0), torch.no_grad():
        again = answers_of(twin.train()(images)).logits
    if _alike(first, again):
        return []
    return [
        "random numbers that no seed reaches: built and trained again with the same seed it "
        "answers otherwise, so runs cannot be repeated and the same bits are not promised; draw "
        "from PyTorch's, NumPy's or Python's own streams, without seeding them"
    ]


def _store_and_load(model: nn.Module, copy: nn.Module, where: str) -> None:
    """Pass a model's state to a copy, as a checkpoint and as stored weights do.

    Raises
    ------
    InputError : it cannot be stored, or not be read back
    """
    try:
        checkpoint = io.BytesIO()
        torch.save(model.state_dict(), checkpoint)
        checkpoint.seek(0)
        copy.load_state_dict(torch.load(checkpoint, weights_only=True))
        with tempfile.TemporaryDirectory(prefix="priorscope-") as folder:
            path = Path(folder, "model.safetensors")
            save_model(model, str(path))
            load_model(copy, path)
    except OSError:  # no room for a copy here says nothing about the model
        return
    except Exception as error:
        raise InputError(
            "the model's state cannot be stored and read back",
            where=where,
            found=_said(error),
            allowed="a state dict of tensors that each have memory of their own, the same after "
            "training as before",
        ) from error


def _kept_outside(
    model: nn.Module, copy: nn.Module, images: torch.Tensor, shared: list[str]
) -> list[str]:
    """Warn of what a model has in memory after training and a copy of its stored state has not.

    Both are shown the same images first, so that what a model only remembers of the last ones is
    the same in both.

    Parameters
    ----------
    shared : names of what its class or file keeps, and training has changed
    """
    seen = []
    with torch.no_grad():
        for training in (True, False):
            pair = []
            for each in (model, copy):
                with seeded_streams(2):
                    pair.append(answers_of(each.train(training)(images)).logits)
            seen.append(_alike(*pair))
    own, others = _all_kept(model), _all_kept(copy)
    names = [name for name in own if own[name] != others.get(name)] + shared
    if all(seen) and not names:
        return []
    buffers = {name for name, _ in model.named_buffers()}
    kind = "buffers that are" if names and set(names) <= buffers else "state that is"
    more = ", ..." if len(names) > _MOST_NAMED else ""
    which = f" ({', '.join(names[:_MOST_NAMED])}{more})" if names else ""
    effect = "answers otherwise" if not all(seen) else "goes on without it"
    return [
        f"{kind} not stored{which}: a network that is read back {effect}, so a run that "
        "was interrupted, or a probe that is added later, is not promised the same bits; keep it "
        "in a persistent buffer"
    ]


def _all_kept(model: nn.Module) -> dict[str, Any]:
    """Return attributes and buffers that are not stored, as values that can be compared."""
    found = own_attributes(model, _by_value)
    for path, module in model.named_modules():
        for name in module._non_persistent_buffers_set:
            found[f"{path}.{name}" if path else name] = _by_value(module._buffers.get(name))
    return found


def _by_value(value: Any) -> Any:
    """Compare tensors and generators by what they hold, other objects by their kind alone."""
    if isinstance(value, torch.Tensor):
        if value.is_sparse or value.is_meta:
            return str(value.shape)
        flat = value.detach().contiguous().view(-1)
        return str(value.dtype), tuple(value.shape), flat.view(torch.uint8).numpy().tobytes()
    if isinstance(value, torch.Generator):
        return value.get_state().numpy().tobytes()
    return type(value).__qualname__


def _alike(a: torch.Tensor, b: torch.Tensor) -> bool:
    a, b = a.float(), b.float()
    spread = float(a.std()) or 1.0
    return bool(((a - b).abs() <= _TOLERANCE * spread).all())


def _will_fail(how: str) -> str:
    return f"it fails when two steps of its training are tried, and its runs will too: {how}"


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
