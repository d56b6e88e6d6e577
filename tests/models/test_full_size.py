"""The reference networks at full size: published counts, and an independent ViT-B/16."""

import pytest
import torch

from priorscope.components import resolve


def build(reference, tmp_path, **options):
    function = resolve("models", reference, base=tmp_path)
    with torch.device("meta"):  # shapes without memory
        return function(num_classes=10, image_px=224, **options).eval()


def num_parameters(model):
    return sum(p.numel() for p in model.parameters())


def swin_parameters(embed_dim, depths, num_heads, num_classes, window=7, patch=4):
    """Count Swin's parameters from the layers of Liu et al. (2021), arXiv:2103.14030."""
    total = (3 * patch**2 + 1) * embed_dim + 2 * embed_dim  # patch embedding and its norm
    for stage, (depth, heads) in enumerate(zip(depths, num_heads, strict=True)):
        width = embed_dim * 2**stage
        attention = 4 * width**2 + 4 * width + (2 * window - 1) ** 2 * heads
        mlp = 8 * width**2 + 5 * width
        total += depth * (attention + mlp + 4 * width)
        if stage + 1 < len(depths):
            total += 2 * 4 * width + 4 * width * 2 * width  # patch merging
    return total + 2 * width + (width + 1) * num_classes


SWIN_BASE = swin_parameters(128, (2, 2, 18, 2), (4, 8, 16, 32), 10)


@pytest.mark.parametrize(
    ("reference", "count"),
    [
        ("torchvision:resnet50", 23_528_522),
        ("timm:vit_base_patch16_224", 85_806_346),
        ("timm:swin_base_patch4_window7_224", SWIN_BASE),
    ],
)
def test_parameter_counts_with_ten_classes(reference, count, tmp_path):
    model = build(reference, tmp_path)
    assert num_parameters(model) == count
    assert model(torch.empty(2, 3, 224, 224, device="meta")).shape == (2, 10)


def test_the_closed_form_gives_the_count_that_swin_published():
    # 88 M with 1000 classes in Table 1 of the paper; to the parameter in its released weights.
    assert swin_parameters(128, (2, 2, 18, 2), (4, 8, 16, 32), 1000) == 87_768_224


@pytest.fixture(scope="module")
def hugging_face_vit():
    """Build ViT-B/16 as the report did, with no weight at a value that hides a difference."""
    from transformers import ViTConfig, ViTForImageClassification

    with torch.device("meta"):
        model = ViTForImageClassification(ViTConfig(num_labels=10)).eval()
    model.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Larger than initial weights, so that softmax and GELU leave their linear range.
            parameter.normal_(std=0.04, generator=generator)
            if "layernorm" in name and name.endswith("weight"):
                parameter.add_(1)
    return model


def in_timms_names(state):
    """Rename Hugging Face's weights; query, key and value become one matrix, in this order."""
    renamed = {}
    for name, tensor in state.items():
        if ".k_proj." in name or ".v_proj." in name:
            continue
        if ".q_proj." in name:
            tensor = torch.cat([state[name.replace(".q_", f".{part}_")] for part in "qkv"])
        for theirs, timms in (
            ("vit.embeddings.cls_token", "cls_token"),
            ("vit.embeddings.position_embeddings", "pos_embed"),
            ("vit.embeddings.patch_embeddings.projection", "patch_embed.proj"),
            ("vit.layers", "blocks"),
            ("attention.q_proj", "attn.qkv"),
            ("attention.o_proj", "attn.proj"),
            ("layernorm_before", "norm1"),
            ("layernorm_after", "norm2"),
            ("vit.layernorm", "norm"),
            ("classifier", "head"),
        ):
            name = name.replace(theirs, timms)
        renamed[name] = tensor
    return renamed


def of_type(network, words):
    return [module for module in network.modules() if words in type(module).__name__]


@torch.no_grad()
def test_vit_equals_hugging_faces_default_but_for_the_epsilon_of_layer_norm(
    hugging_face_vit, tmp_path
):
    model = build("timm:vit_base_patch16_224", tmp_path)
    assert num_parameters(model) == num_parameters(hugging_face_vit) == 85_806_346
    # strict: every weight of either has its place in the other; assign: no second copy in memory.
    model.load_state_dict(in_timms_names(hugging_face_vit.state_dict()), assign=True)
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    expected = hugging_face_vit(pixel_values=images).logits
    assert expected.std() > 0.5

    norms = of_type(model, "LayerNorm")
    assert {norm.eps for norm in norms} == {1e-6}
    assert {norm.eps for norm in of_type(hugging_face_vit, "LayerNorm")} == {1e-12}
    torch.testing.assert_close(model(images), expected, rtol=0, atol=1e-3)
    for norm in norms:
        norm.eps = 1e-12
    torch.testing.assert_close(model(images), expected, rtol=1e-5, atol=1e-5)
    # That tolerance would show the other form of GELU.
    for activation in of_type(model, "GELU"):
        activation.approximate = "tanh"
    assert (model(images) - expected).abs().max() > 1e-4
