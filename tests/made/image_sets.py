"""Small folders of images, each image of a colour of its own."""

import itertools

from PIL import Image

_NUMBERS = itertools.count()


def paint(path, colour=None, size=(8, 8)):
    """Save an image of one colour, by default one that no other has; return the colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number = next(_NUMBERS)
    colour = (number % 256, number // 256 % 256, 100) if colour is None else colour
    Image.new("RGB", size, colour).save(path)
    return colour


def fill(folder, tops=("",), classes=("ant", "bee"), number=5):
    """Paint images of classes in folders of splits; return (top, class) -> colours."""
    return {
        (top, name): [paint(folder / top / name / f"{i}.png") for i in range(number)]
        for top in tops
        for name in classes
    }


def colours_of(images):
    """Return class -> sorted colours of images of one colour each."""
    found = {name: [] for name in images.class_names}
    for image, label in zip(images.images, images.labels, strict=True):
        found[images.class_names[label]].append(tuple(image[0, 0].tolist()))
    return {name: sorted(colours) for name, colours in found.items()}
