"""What `gpu.py` prints, and the goals that it holds rates against."""

from gpu_arms import Arm, Card
from gpu_checks import FACTOR
from gpu_rates import OURS

NUM_TRAIN = 50_000
MOST_IDLE = 0.1
GOAL_CARD = "H200"
GOALS: dict[str, dict[str, float]] = {  # images/s on it
    "vit_5m": {"graphed": 50_000, "compiled": 85_000},
    "cnn_5m": {"graphed": 70_000},
    "resnet50": {"graphed": 5_000},
    "vit": {"graphed": 3_500},
}
TIMES_EAGER = {"local_vit_swin": 3.0, "local_vit_dwnet": 3.0}
ADAM_BYTES = 28  # weights, gradients and two moments are read, all but gradients written, in fp32


def print_table(arms: list[Arm], card: Card, modes: list[str]) -> None:
    """Print one row an arm, a dash where the time was up or timm has no such architecture."""
    if card.peak and card.bandwidth:
        print(f"matrix peak (bf16) {card.peak / 1e12:.4g} TFLOP/s, ", end="")
        print(f"copy bandwidth {card.bandwidth / 1e9:.4g} GB/s")
    if card.differing_bytes is not None:
        print(f"AutoAugment with the same draws: {card.differing_bytes} bytes differ, must be 0")
    if card.graphs is not None:
        print(
            f"50 steps, {card.graphs.how[0]} against eager: "
            f"{card.graphs.differing_weights} weights differ in fp32, "
            f"{card.graphs.differing_after_stop} after a stop, must be 0; "
            f"losses in bf16 by {card.graphs.loss_error:.1e}, at most {2**-8:.1e}"
        )
    for arm in arms:
        if arm.agrees is not None:
            errors = arm.agrees
            print(
                f"{arm.name} in fp32 against float64: logits {errors.logits:.1e} "
                f"(CPU {errors.logits_cpu:.1e}), gradients {errors.gradients:.1e} "
                f"(CPU {errors.gradients_cpu:.1e}), at most {FACTOR:g} x the CPU's: "
                f"{'ok' if errors.holds else 'NO'}"
            )
    head = f"\n{'images/s, idle share':<17}{'px':>4}{'batch':>6}{'M par.':>7}{'GMACs':>7}"
    head += "".join(f"{mode:>15}" for mode in modes)
    print(f"{head}{'MFU':>7}{'limit':>9}{'goals':>8}{'run':>12}")
    for arm in arms:
        print(row(arm, card, modes))


def row(arm: Arm, card: Card, modes: list[str]) -> str:
    """Write an arm's row."""
    text = f"{arm.name:<20}{arm.image_px:>4}{arm.recipe.batch_size:>6}"
    if arm.size is None:
        return f"{text}  –"
    text += f"{arm.size.num_parameters / 1e6:>7.1f}{arm.size.about_macs / 1e9:>7.2f}"
    for mode in modes:
        rate = arm.rates.get(mode)
        text += (
            f"{'–':>15}" if rate is None else f"{rate.images_per_second:>10,.0f}{rate.idle:>5.0%}"
        )
    best = max((arm.rates[mode].images_per_second for mode in OURS if mode in arm.rates), default=0)
    flops = 6 * arm.size.about_macs  # three forward passes of two FLOPs a MAC
    if card.peak and card.bandwidth:
        adam = ADAM_BYTES * arm.size.num_parameters / card.bandwidth / arm.recipe.batch_size
        text += f"{best * flops / card.peak:>7.1%}{1 / (flops / card.peak + adam):>9,.0f}"
    if not best:
        return text
    if missed(arm, GOAL_CARD):
        verdict = "NO"
    elif any(arm.rates[m].images_per_second < goal for m, goal in goals_of(arm).items()):
        verdict = "kernels"  # as fast as they allow, which is less than was hoped for
    else:
        verdict = "ok"
    text += f"{verdict:>8}"
    return text + f"{arm.recipe.epochs * NUM_TRAIN / best / 60:>8,.0f} min"


def print_kernels(arms: list[Arm], modes: list[str]) -> None:
    """Print the kernels in which most of each step's time goes, with their parts of it."""
    print("\nparts of the time in which the device works")
    for arm in arms:
        for mode in modes:
            if mode in arm.rates:
                for name, part in arm.rates[mode].kernels:
                    print(f"{arm.name:<17}{mode:<10}{part:>6.1%}  {name[:100]}")


def missed(arm: Arm, card_name: str) -> list[str]:
    """Say which goals an arm misses, among the rates that were measured."""
    found, rates = [], arm.rates
    graphed = rates.get("graphed")
    if graphed is None:
        return found
    if graphed.idle > MOST_IDLE:
        found.append(f"{arm.name} idles for {graphed.idle:.0%} of an epoch")
    if "timm" in rates and graphed.images_per_second < rates["timm"].images_per_second:
        found.append(f"{arm.name} is behind timm's step")
    if GOAL_CARD not in card_name:
        return found
    for mode, goal in goals_of(arm).items():
        allowed = (1 - MOST_IDLE) / max(rates[mode].busy, 1e-12)
        if rates[mode].images_per_second < min(goal, allowed):
            found.append(f"{arm.name} {mode}: below {goal:,.0f} images/s")
    return found


def goals_of(arm: Arm) -> dict[str, float]:
    """Return the images/s that an arm is to reach, of the modes that were measured."""
    goals: dict[str, float] = dict(GOALS.get(arm.name, {}))
    if arm.name in TIMES_EAGER and "eager" in arm.rates:
        goals["graphed"] = TIMES_EAGER[arm.name] * arm.rates["eager"].images_per_second
    return {mode: goal for mode, goal in goals.items() if mode in arm.rates}


def passed(arms: list[Arm], card: Card, card_name: str, num_agreements: int) -> bool:
    """Tell whether all checks were made and hold, no arm failed, and no goal is missed."""
    agreed = all(arm.agrees is not None and arm.agrees.holds for arm in arms[:num_agreements])
    graphs = card.graphs is not None and card.graphs.holds
    failed = any(arm.failures or missed(arm, card_name) for arm in arms)
    return agreed and graphs and card.differing_bytes == 0 and not failed
