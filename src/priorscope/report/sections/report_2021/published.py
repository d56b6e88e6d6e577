"""What the 2021 report published, as constants with their source; nothing in this file is ours.

"Investigating Possible Inductive Biases in Local Sparse Attention ViT Architectures Against
Traditional CNNs" (2021): `text` is its Tables 1 to 3 and their description, `code` its published
code and learning curves (repository Siddhant-Ray/Deep-Learning-Project-2021). Arms are named as in
a study's `reproduces`; code that differs by arm is listed in their order: ResNet50, ViT, Local ViT.
"""

from dataclasses import dataclass
from typing import Any

EPOCH = 80  # of Table 1
NUM_CLASSES = 10
NUM_TRAIN, NUM_TEST = 50_000, 10_000
DATASET = "CIFAR-10"


@dataclass(frozen=True)
class Share:
    """A part of the test images that was answered rightly, and after how many epochs."""

    right: int
    n: int
    epoch: int = EPOCH


@dataclass(frozen=True)
class Arm:
    """One of the three trained networks.

    Attributes
    ----------
    title : its name in the report
    described : what its text says the network is
    found : what the published code trained, where that is something else
    component, num_parameters : the trained network as priorscope names it, with 10 classes
    num_epochs : length of the published learning curve
    test : top-1 on the test images, by its curves; Local ViT was measured on 9,936 images
    combined : mean Top 4 Matching over 100 mosaics (Table 2)
    background : top-1 on 200 images (Table 3)
    """

    title: str
    described: str
    found: str
    component: str
    num_parameters: int
    num_epochs: int
    test: tuple[Share, ...]
    combined: float
    background: Share


ARMS = {
    "resnet50": Arm(
        "ResNet50",
        "ResNet50",
        "",
        "torchvision:resnet50",
        23_528_522,
        80,
        (Share(9184, NUM_TEST),),
        2.09,
        Share(30, 200),
    ),
    "vit": Arm(
        "ViT",
        "ViT-B/16",
        "",
        "timm:vit_base_patch16_224",
        85_806_346,
        80,
        (Share(7470, NUM_TEST),),
        1.93,
        Share(21, 200),
    ),
    "local_vit": Arm(
        "Local ViT",
        "a ViT with attention in local windows",
        "DWNet-B, dynamic depth-wise convolutions without attention",
        "dwnet",
        160_583_178,
        194,
        (Share(8813, 9936), Share(9583, 9936, epoch=194)),
        2.13,
        Share(29, 200),
    ),
}

NUM_MOSAICS, CLASSES_SHOWN = 100, 4
HISTOGRAM = {"resnet50": (1, 21, 49, 26, 3)}  # Figure 5, mosaics with 0 .. 4 of the classes found
NUM_BACKGROUNDED, NUM_BACKGROUNDS = 200, 20  # images, and the pictures behind their objects
NUM_SEEDS = 1


@dataclass(frozen=True)
class Setting:
    """A key of the recipe, as the report has it.

    Attributes
    ----------
    text, same : what Table 1 or its description says, and the recipe's values that mean it
    code, code_same : what the code did, and the values that mean it for *every* arm; an empty
        `code` where it does what the text says, or where that is not known
    """

    text: str
    same: tuple[Any, ...]
    code: str = ""
    code_same: tuple[Any, ...] = ()


SETTINGS = {
    "epochs": Setting("80", (80,), "80, 80 and 194"),
    "learning_rate": Setting("1e-5", (1e-5,), "1e-4", (1e-4,)),
    "batch_size": Setting("64", (64,), "64, 64 and 16"),
    "weight_decay": Setting("5e-4", (5e-4,), "differs by arm"),
    "optimizer": Setting("Adam", ("adam",), "differs by arm"),
    "schedule": Setting("OneCycle", ("one_cycle",)),
    "precision": Setting("mixed (fp16)", ("fp16",), "differs by arm"),
    "augment": Setting(
        "AutoAugment with the policy for CIFAR-10",
        (["autoaugment_cifar10"],),
        "with MixUp, CutMix and RandAugment for Local ViT alone",
    ),
    "image_px": Setting("224", (224,)),
    "resize": Setting("before augmentation", ("before_augment",)),
}
SHUFFLING = "not shuffled for ViT"
TESTING = "AutoAugment on the test images of ViT and on probes, preprocessed differently by arm"
