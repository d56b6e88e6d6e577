"""Measures: one file each, what is asked of trained networks other than their answers on a probe.

- of a network: `def x(network, images, *, rng, ...)`, on preprocessed test images, float32
  [n, 3, image_px, image_px]; a value an image, [n], one value, or a `Measurement`. One that needs
  their classes is `def x(network, images, targets, *, rng, ...)`, int64 [n].
- of two networks by what they answered: `def x(a: Predictions, b: Predictions, *, ...)`; a value
  an image whose mean is the measure, the same whichever of the two comes first. Where the measure
  is no mean, a value is the measure plus the image's influence on it.
- of two networks by what their layers make of images: `def x(features_a, features_b, *, ...)`, with
  `def features(network, images, *, rng, ...) -> {name: array}` beside it, which has the same
  parameters and says what is stored of each network. The first arm, `all`, is as of predictions;
  others, such as pairs of layers, are shown and not inferred from.

The file may also define `scale(...) -> Scale`, with the parameters of the measure: range, unit and
words. A network to which a measure does not apply raises `DoesNotApply`.
"""

from priorscope.measures._measurement import (
    WHOLE,
    DoesNotApply,
    Measurement,
    kind_of,
    measurement_of,
    of_pair,
)

__all__ = ["WHOLE", "DoesNotApply", "Measurement", "kind_of", "measurement_of", "of_pair"]
