"""Highway MLP: a hundred fully connected layers that learn, since each may let its input pass.

Srivastava, Greff, Schmidhuber. Training Very Deep Networks.
NeurIPS 2015. https://arxiv.org/abs/1507.06228

    image -> flatten -> dense -> [highway layer] x (depth - 1) -> head

A highway layer of 50 units has 5,100 weights, a plain one of 71 units 5,112: hence the
authors compare these two.
"""

from collections.abc import Callable

import keras
from keras import Model, layers

from keras_arch.errors import invalid
from keras_arch.layers import HighwayDense, check_depth, flatten, image_classifier
from keras_arch.layers.highway import PUBLICATION
from keras_arch.registry import register


@register(
    **PUBLICATION,
    task="image-classification",
    parameters={"HighwayMLP": 289_660},
    tiny={
        "plain": {"depth": 4, "units": 6, "input_shape": (4, 4, 1), "classes": 3},
        "features": {
            "depth": 3,
            "units": 5,
            "activation": "tanh",
            "input_shape": (3, 3, 2),
            "include_top": False,
        },
    },
)
def HighwayMLP(
    depth: int = 50,
    units: int = 50,
    activation: str | Callable | None = "relu",
    gate_bias: float = -4.0,
    dropout: float = 0.0,
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] = (28, 28, 1),
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: str | None = "softmax",
    name: str = "highwaymlp",
) -> Model:
    """Fully connected highway network.

    Args:
        depth: Hidden layers: a plain one, which changes the width, and highway layers.
        units: Of each.
        activation: Of what is transformed.
        gate_bias: Bias of the gates at the start: -1 to -4, the deeper the less.
        dropout: Rate before the head.
        include_top: Whether to add the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``.
        pooling: Only ``None``: there is no map to pool.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem`` (the plain layer), ``block1`` ... and ``head``.

    Raises:
        ValueError: If ``depth`` is under 2 or too deep for Keras, the size of the image is
            not known, or ``pooling`` or ``weights`` is none of the above.

    Example:

    >>> HighwayMLP(depth=100).get_layer("block99").output.shape
    (None, 50)
    """
    if depth < 2:
        raise invalid("depth", "at least 2", depth)
    if pooling is not None:
        raise invalid("pooling", "`None`, since features are a vector", pooling)
    check_depth((depth - 1,), 1, "depth", depth)
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="HighwayMLP",
    )

    def top(x):
        return layers.Dropout(dropout, name="dropout")(x) if dropout else x

    x = layers.Dense(units, activation, kernel_initializer="he_normal", name="stem")(flatten(image))
    for index in range(1, depth):
        x = HighwayDense(activation, gate_bias, name=f"block{index}")(x)
    return finish(x, top=top)
