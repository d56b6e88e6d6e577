"""Measures: one file each, what is asked of trained networks other than their answers on a probe.

- of a network: `def x(network, images, *, rng, ...)`, on preprocessed test images, float32
  [n, 3, image_px, image_px]; a value an image, [n], one value, or a `Measurement`.
- of two networks by what they answered: `def x(a: Predictions, b: Predictions, *, ...)`; a value
  an image whose mean is the measure, the same whichever of the two comes first. Where the measure
  is no mean, a value is the measure plus the image's influence on it.

The file may also define `scale(...) -> Scale`, with the parameters of the measure: range, unit and
words. A network to which a measure does not apply raises `DoesNotApply`.
"""

from priorscope.measures._measurement import (
    DoesNotApply,
    Measurement,
    kind_of,
    measurement_of,
)

__all__ = ["DoesNotApply", "Measurement", "kind_of", "measurement_of"]
