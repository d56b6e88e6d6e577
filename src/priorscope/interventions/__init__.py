"""Interventions: one file each, `def x(*, image_px, rng, ...) -> order`, int64 [image_px ** 2].

An intervention says which pixel of an image goes where: position i of the new image shows pixel
`order[i]` of the old one, positions counted row by row. It never sees an image, so that it can only
be the same for every image of every split and every probe.
"""
