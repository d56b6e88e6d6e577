"""The CIFAR-10 policy: what is drawn, and what comes out, against torchvision image by image."""

from collections import Counter, defaultdict

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import stats
from torchvision.transforms import v2

from priorscope.training.autoaugment import (
    ACTIONS,
    POLICY,
    autoaugment_cifar10,
    draw_actions,
    draw_sub_policies,
    magnitude_of,
)

SIGNED = {"Brightness", "Color", "Contrast", "Rotate", "Sharpness", "ShearY", "TranslateX"}
SIGNED |= {"TranslateY"}
PEER = v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def chi_square_p_value(observed, expected):
    """Return the chance of counts as far from the expected ones, or farther."""
    assert expected.min() >= 5, "the approximation needs it"
    statistic = ((observed - expected) ** 2 / expected).sum()
    return stats.chi2.sf(statistic, len(expected) - 1)


def peer_magnitudes(operation, level, height, width):
    """List the magnitudes that torchvision draws from; one for each sign."""
    table, signed = PEER._AUGMENTATION_SPACE[operation]
    levels = table(10, height, width)
    if levels is None:
        return [0.0]
    return [float(levels[level]) * sign for sign in ((1, -1) if signed else (1,))]


def peer_apply(image, operation, magnitude):
    """Apply torchvision's operation to one image [height, width, 3]."""
    moved = PEER._apply_image_or_video_transform(
        image.permute(2, 0, 1).contiguous(), operation, magnitude, PEER.interpolation, PEER._fill
    )
    return torch.as_tensor(moved).permute(1, 2, 0)


def peer_outcomes(image):
    """Return the probability of each image that the policy can make of this one."""
    outcomes = defaultdict(float)
    for sub_policy in PEER._policies:
        reached = [(image, 1 / len(PEER._policies))]
        for operation, probability, level in sub_policy:
            options = peer_magnitudes(operation, level, *image.shape[:2])
            reached = [
                branch
                for before, chance in reached
                for branch in [
                    (before, chance * (1 - probability)),
                    *(
                        (peer_apply(before, operation, m), chance * probability / len(options))
                        for m in options
                    ),
                ]
            ]
        for after, chance in reached:
            outcomes[after.numpy().tobytes()] += chance
    return {outcome: chance for outcome, chance in outcomes.items() if chance > 0}


def test_the_policy_and_its_magnitudes_are_torchvisions():
    assert list(POLICY) == PEER._policies
    for height, width in [(32, 32), (40, 24), (224, 224)]:
        for number, (operation, level, sign) in enumerate(ACTIONS):
            if level is not None:
                options = peer_magnitudes(operation, level, height, width)
                assert magnitude_of(number, height, width) == options[sign == -1]


def test_outcomes_have_the_policys_probabilities():
    # Everything at once, from the outside: sub-policies, order, probabilities, signs, operations.
    image = torch.randint(0, 256, (12, 12, 3), dtype=torch.uint8, generator=seeded(0))
    expected = peer_outcomes(image)
    num_images = 40_000
    images = autoaugment_cifar10(image.expand(num_images, 12, 12, 3), seeded(1))
    seen = Counter(row.tobytes() for row in images.numpy())
    assert set(seen) <= set(expected)
    observed = np.array([seen[outcome] for outcome in expected])
    probable = np.array(list(expected.values())) * num_images
    assert len(expected) > 100
    assert chi_square_p_value(observed, probable) > 0.001


def test_sub_policies_are_uniform():
    counts = np.bincount(draw_sub_policies(50_000, seeded(5)), minlength=25)
    assert chi_square_p_value(counts, np.full(25, 50_000 / 25)) > 0.001


@pytest.mark.parametrize("number", range(25))
def test_steps_are_applied_independently_with_their_probabilities_and_signs(number):
    num_images = 20_000
    steps = draw_actions(np.full(num_images, number), seeded(number))
    expected = {}
    for first, chance in probable_actions(POLICY[number][0]):
        for second, then in probable_actions(POLICY[number][1]):
            expected[first, second] = chance * then * num_images
    seen = Counter((ACTIONS[first], ACTIONS[second]) for first, second in steps.T)
    assert set(seen) <= {pair for pair, count in expected.items() if count > 0}
    pairs = [pair for pair, count in expected.items() if count > 0]
    observed = np.array([seen[pair] for pair in pairs])
    assert chi_square_p_value(observed, np.array([expected[pair] for pair in pairs])) > 0.0001


def probable_actions(step):
    """List what a step of the policy may come to, with probabilities."""
    operation, probability, level = step
    signed = operation in SIGNED
    taken = [((operation, level, sign), probability / 2) for sign in (1, -1)]
    return [
        (("Identity", None, 1), 1 - probability),
        *(taken if signed else [((operation, level, 1), probability)]),
    ]


def test_images_are_treated_independently_of_each_other():
    sub_policies = draw_sub_policies(50_000, seeded(5))
    pairs = np.bincount(25 * sub_policies[:-1] + sub_policies[1:], minlength=625)
    assert chi_square_p_value(pairs, np.full(625, 49_999 / 625)) > 0.001
    images = torch.randint(0, 256, (200, 32, 32, 3), dtype=torch.uint8, generator=seeded(0))
    different = torch.randint(0, 256, images.shape, dtype=torch.uint8, generator=seeded(1))
    different[::2] = images[::2]
    first, second = (autoaugment_cifar10(batch, seeded(2)) for batch in (images, different))
    assert torch.equal(first[::2], second[::2])


def test_each_image_is_augmented_as_torchvision_would_and_stays_in_its_place():
    coarse = 255 * torch.rand(600, 3, 5, 5, generator=seeded(0))
    images = F.interpolate(coarse, size=(32, 32), mode="bicubic").clamp(0, 255)
    images = images.permute(0, 2, 3, 1).byte().contiguous()
    before = images.clone()
    generator = seeded(3)
    steps = draw_actions(draw_sub_policies(len(images), generator), generator)
    expected = []
    for image, actions in zip(images, steps.T, strict=True):
        for action in actions:
            operation, level, _ = ACTIONS[action]
            magnitude = 0.0 if level is None else magnitude_of(int(action), 32, 32)
            image = peer_apply(image, operation, magnitude)
        expected.append(image)
    augmented = autoaugment_cifar10(images, seeded(3))
    assert torch.equal(augmented, torch.stack(expected))
    assert torch.equal(images, before)
    assert not torch.equal(augmented, images)
    assert not torch.equal(augmented, autoaugment_cifar10(images, seeded(4)))


def test_any_batch_and_size_keeps_its_shape():
    for shape in [(0, 32, 32, 3), (1, 32, 32, 3), (7, 20, 48, 3), (4, 64, 64, 3)]:
        images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=seeded(0))
        augmented = autoaugment_cifar10(images, seeded(1))
        assert augmented.shape == shape
        assert augmented.dtype == torch.uint8
        assert augmented.is_contiguous()
