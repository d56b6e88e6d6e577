"""Models: one file each, `def x(*, num_classes: int, image_px: int, ...) -> nn.Module`.

A model maps normalised float images [batch, 3, image_px, image_px] to logits [batch, num_classes].
"""
