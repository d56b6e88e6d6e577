"""Parameters that no seed decides: what a model file loads, or draws from a seed of its own."""

from torch import nn

_SHARE = 0.1  # of the parameters: below, it is a pattern that the architecture begins with


def seedless_warnings(first: nn.Module, second: nn.Module) -> list[str]:
    """Warn where a model begins with the same parameters whatever the seed.

    Parameters that hold one number throughout, such as the scales and offsets of norms, tell
    nothing and are left out.

    Parameters
    ----------
    first, second : the model built with two seeds, and not trained
    """
    total = same = 0
    for (_, a), (_, b) in zip(first.named_parameters(), second.named_parameters(), strict=False):
        if a.is_meta or b.is_meta or not a.numel() or bool((a == a.flatten()[0]).all()):
            continue
        total += a.numel()
        same += a.numel() * (a.shape == b.shape and bool((a == b).all()))
    if same <= _SHARE * total:
        return []
    return [
        f"{100 * same / total:.0f} % of its parameters are the same whatever the seed, before it "
        "is trained: its code loads weights, or sets a seed of its own; what such weights were "
        "trained on is not known, and networks that begin alike are no sample of networks trained "
        "from scratch"
    ]
