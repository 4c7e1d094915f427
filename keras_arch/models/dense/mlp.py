"""Multilayer perceptron: dense layers, each followed by a nonlinearity.

Rumelhart, Hinton, Williams. Learning Representations by Back-Propagating Errors.
Nature 1986. https://doi.org/10.1038/323533a0

    features -> [dense -> activation -> dropout] x L -> head

``n_l n_(l+1) + n_(l+1)`` weights from each layer to the next. It is deep with more than one
hidden layer, and one that is wide enough approximates any continuous function.
"""

from collections.abc import Sequence

from keras import Input, Model, layers

from keras_arch.layers import check_depth
from keras_arch.registry import register

PRESETS = {  # the paper's network that tells mirror-symmetric vectors, by two hidden units
    "MLPSymmetry": {"features": 6, "units": (2,), "classes": 1, "classifier_activation": "sigmoid"},
}


@register(
    paper="Learning Representations by Back-Propagating Errors",
    authors="Rumelhart, Hinton, Williams",
    year=1986,
    url="https://doi.org/10.1038/323533a0",
    journal="Nature",
    task="classification",
    presets=PRESETS,
    parameters={"MLPSymmetry": 17},
    reference="scikit-learn",
    tiny={
        "deep": {"features": 5, "units": (7, 6), "dropout": 0.1, "classes": 3},
        "regression": {
            "features": 4,
            "units": (6,),
            "activation": "tanh",
            "classes": 2,
            "classifier_activation": None,
        },
    },
)
def MLP(
    features: int = 784,
    units: Sequence[int] = (300, 100),
    activation: str | None = "sigmoid",
    dropout: float = 0.0,
    classes: int = 10,
    classifier_activation: str | None = "softmax",
    name: str = "mlp",
) -> Model:
    """Multilayer perceptron on vectors, for classes or for numbers.

    Args:
        features: Width of a vector.
        units: Width of each hidden layer.
        activation: Activation of the hidden layers; the logistic function of the paper.
        dropout: Rate after each hidden layer.
        classes: Size of the output: labels, or the numbers of a regression.
        classifier_activation: Activation of the head: ``"softmax"`` for classes,
            ``"sigmoid"`` for yes or no, ``None`` for a regression or logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, features) -> (B, classes)``, with the taps
        ``block1`` ... ``blockL`` and ``head``.

    Example:

    >>> MLP(features=64, units=(32, 16), classes=10).count_params() == 65 * 32 + 33 * 16 + 17 * 10
    True
    """
    x = inputs = Input((features,), name="features")
    if units:
        check_depth((len(units),), 2, "units", units)  # with its dropout
    for block, width in enumerate(units, start=1):
        x = layers.Dense(width, activation, name=f"block{block}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"block{block}_dropout")(x)
    x = layers.Dense(classes, classifier_activation, dtype="float32", name="head")(x)
    return Model(inputs, x, name=name)
