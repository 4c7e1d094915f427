"""Siamese network: one tower sees two images, and only their distance is learned.

Bromley, Guyon, LeCun, Säckinger, Shah. Signature Verification Using a "Siamese" Time Delay
Neural Network. NIPS 1993.
https://papers.nips.cc/paper/1993/hash/288cc0ff022877bd3df94bc9360b9c5d-Abstract.html

    image_a -> tower -> code -.
                  | (the same) > distance
    image_b -> tower -> code -'

The tower's weights exist once and take the gradients of both images. The paper's tower is
a time delay network on the strokes of a pen, and its distance the cosine; here any network
that ends in a code will do. ``losses.Contrastive`` trains it.
"""

from collections.abc import Callable

import keras
from keras import Input, Model

from keras_arch.errors import invalid
from keras_arch.layers import Distance
from keras_arch.registry import create, register


@register(
    paper='Signature Verification Using a "Siamese" Time Delay Neural Network',
    authors="Bromley, Guyon, LeCun, Säckinger, Shah",
    year=1993,
    url="https://papers.nips.cc/paper/1993/hash/288cc0ff022877bd3df94bc9360b9c5d-Abstract.html",
    venue="NIPS",
    task="verification",
    tiny={
        "named": {"tower": "LeNet5", "input_shape": (32, 32, 1)},
        "l1": {"tower": "LeNet5", "head": "l1", "input_shape": (32, 32, 2)},
    },
    xfail={"taps": "they are the tower's"},
)
def SiameseNetwork(
    tower: str | Model = "LeNet5",
    head: str | Callable[..., keras.KerasTensor] = "cosine",
    input_shape: tuple[int | None, int | None, int] | None = None,
    name: str = "siamese",
) -> Model:
    """Siamese network, the distance of two images.

    Args:
        tower: A model ``(B, H, W, C) -> (B, D)``, or the name of an image classifier of
            the catalogue, which is built without its top and averaged over the pixels.
        head: ``"l1"``, ``"l2"`` or ``"cosine"`` (see ``layers.Distance``), or a function
            of two codes ``(a, b) -> x``.
        input_shape: ``(height, width, channels)`` of a tower that is named; ``None`` for
            its default.
        name: Name of the model.

    Returns:
        A functional ``keras.Model`` of the inputs ``image_a`` and ``image_b``,
        ``((B, H, W, C), (B, H, W, C)) -> (B, 1)`` distances. The tower is the layer of the
        tower's name, and has its taps.

    Raises:
        ValueError: If the tower gives no codes, there is no such name or head, or a shape
            is given to a tower that has one.

    Example:

    >>> model = SiameseNetwork("LeNet5", head="l2")
    >>> image = keras.random.normal((1, 32, 32, 1))
    >>> float(model((image, image))[0, 0])
    0.0
    """
    if isinstance(tower, str):
        shape = {} if input_shape is None else {"input_shape": input_shape}
        tower = create(tower, include_top=False, pooling="avg", **shape)
    elif input_shape is not None:
        raise invalid("input_shape", "`None`, with a tower that is a model", input_shape)
    if len(tower.inputs) != 1 or len(tower.outputs) != 1 or len(tower.outputs[0].shape) != 2:
        raise invalid("tower", "a model (B, H, W, C) -> (B, D)", tower)
    pair = [Input(tower.input_shape[1:], name=f"image_{side}") for side in "ab"]
    a, b = (tower(image) for image in pair)
    x = head(a, b) if callable(head) else Distance(head, dtype="float32", name="head")((a, b))
    return Model(pair, x, name=name)
