"""Networks of all seeds of an arm in one, by hand: what `seeds_in_parallel.py` times."""

import copy
from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from priorscope.models._skeleton import Skeleton
from priorscope.models.mixers._relative_bias import RelativeBias
from priorscope.models.resnet_nano import ResNet

NUM_SEEDS = 3


class Linears(nn.Module):
    """Linear layers of all seeds on [seeds x batch, ..., in], seed by seed, as one product."""

    def __init__(self, own: list[nn.Linear]):
        super().__init__()
        self.weight = stacked([linear.weight.T for linear in own])
        self.bias = stacked([linear.bias[None] for linear in own])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map [seeds x batch, ..., in] to [seeds x batch, ..., out]."""
        rows = x.reshape(NUM_SEEDS, -1, x.shape[-1])
        return torch.baddbmm(self.bias, rows, self.weight).view(*x.shape[:-1], -1)


class LayerNorms(nn.Module):
    """Layer norms of all seeds on [seeds x batch, ..., channels]."""

    def __init__(self, own: list[nn.LayerNorm]):
        super().__init__()
        self.weight, self.bias = (
            stacked([getattr(norm, name)[None] for norm in own]) for name in ("weight", "bias")
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise over the last axis."""
        rows = F.layer_norm(x, x.shape[-1:]).view(NUM_SEEDS, -1, x.shape[-1])
        return torch.addcmul(self.bias, rows, self.weight).view(x.shape)


class Positions(nn.Module):
    """Position embeddings of all seeds, added to tokens [seeds x batch, tokens, channels]."""

    def __init__(self, own: list[nn.Parameter]):
        super().__init__()
        self.embedding = stacked(own)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add each seed's embedding to its tokens."""
        return (x.unflatten(0, (NUM_SEEDS, -1)) + self.embedding).flatten(0, 1)


class Biases(nn.Module):
    """Relative biases of all seeds, for scores [seeds x batch, heads, tokens, tokens]."""

    def __init__(self, own: list[RelativeBias], batch_size: int):
        super().__init__()
        self.own, self.batch_size = nn.ModuleList(own), batch_size

    def forward(self, offsets: torch.Tensor) -> torch.Tensor:
        """Look the biases up: float [seeds x batch, heads, tokens, tokens]."""
        return torch.stack([bias(offsets) for bias in self.own]).repeat_interleave(
            self.batch_size, 0
        )


def stacked(tensors: Sequence[torch.Tensor]) -> nn.Parameter:
    return nn.Parameter(torch.stack([tensor.detach() for tensor in tensors]).contiguous())


def as_channels(x: torch.Tensor) -> torch.Tensor:
    """Bring the seeds of [seeds x batch, channels, ...] side by side: [batch, seeds x channels]."""
    maps = x.unflatten(0, (NUM_SEEDS, -1)).transpose(0, 1).flatten(1, 2)
    return maps.contiguous(memory_format=torch.channels_last) if maps.dim() == 4 else maps


def as_batch(x: torch.Tensor) -> torch.Tensor:
    """Undo `as_channels`."""
    return x.unflatten(1, (NUM_SEEDS, -1)).transpose(0, 1).flatten(0, 1)


def side_by_side(own: list[nn.Conv2d]) -> nn.Conv2d:
    """Join the convolutions of all seeds to a grouped one on [batch, seeds x channels, ...]."""
    one = own[0]
    channels = NUM_SEEDS * one.in_channels, NUM_SEEDS * one.out_channels
    joined = nn.Conv2d(
        *channels,
        one.kernel_size,  # type: ignore[arg-type]
        one.stride,  # type: ignore[arg-type]
        one.padding,  # type: ignore[arg-type]
        groups=NUM_SEEDS * one.groups,
        bias=one.bias is not None,
    )
    joined.load_state_dict(
        {k: torch.cat([m.state_dict()[k] for m in own]) for k in one.state_dict()}
    )
    return joined


def replaced(
    models: list[nn.Module], path: str, *, batch_size: int, on_channels: bool
) -> nn.Module:
    """Return the first seed's part at `path` with the parameters of all seeds."""
    parts = [model.get_submodule(path) for model in models]
    joined = copy.deepcopy(parts[0])
    for inner, module in parts[0].named_modules():
        own = [part.get_submodule(inner) for part in parts]
        new: nn.Module
        match module:
            case nn.Linear():
                new = Linears(own)  # type: ignore[arg-type]
            case nn.LayerNorm():
                new = LayerNorms(own)  # type: ignore[arg-type]
            case nn.BatchNorm2d():
                new = nn.BatchNorm2d(NUM_SEEDS * module.num_features)
            case RelativeBias():
                new = Biases(own, batch_size)  # type: ignore[arg-type]
            case nn.Conv2d():
                new = side_by_side(own)  # type: ignore[arg-type]
                if not on_channels:
                    new = nn.Sequential(Apply(as_channels), new, Apply(as_batch))
            case _:
                continue
        if inner == "":
            return new
        joined.set_submodule(inner, new)
    return joined


class Apply(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]):
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Call the function."""
        return self.function(x)


def joined_by_hand(models: list[nn.Module], batch_size: int) -> nn.Module:
    """Build one network of all seeds, images [seeds x batch, ...] to logits."""
    on_channels = isinstance(models[0], ResNet)
    part = partial(replaced, models, batch_size=batch_size, on_channels=on_channels)
    if isinstance(models[0], Skeleton):
        positions = [model.pos_embed for model in models]
        return nn.Sequential(
            part("patch_embed"),
            Apply(lambda maps: maps.flatten(2).transpose(1, 2)),
            nn.Identity() if positions[0] is None else Positions(positions),  # type: ignore[arg-type]
            part("blocks"),
            part("norm"),
            Apply(lambda tokens: tokens.mean(1)),
            part("head"),
        )
    if not on_channels:
        raise NotImplementedError(type(models[0]).__name__)
    parts = part("stem"), part("blocks")
    pooled = Apply(lambda maps: as_batch(maps.mean((2, 3))))
    return nn.Sequential(Apply(as_channels), *parts, pooled, part("head"))
