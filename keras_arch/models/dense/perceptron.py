"""Perceptron: a weighted sum and a threshold.

Rosenblatt. The Perceptron: A Probabilistic Model for Information Storage and Organization in
the Brain. Psychological Review 1958. https://doi.org/10.1037/h0042519

    features -> [association units: fixed random weights, threshold] -> sum -> threshold

``F + 1`` weights learn, by ``training.PerceptronRule``, if a plane separates the classes;
XOR has none. Enough association units make one, and are not trained themselves.
"""

from keras import Input, Model, initializers, layers

from keras_arch.activations import step
from keras_arch.registry import register


@register(
    paper="The Perceptron: A Probabilistic Model for Information Storage and Organization in "
    "the Brain",
    authors="Rosenblatt",
    year=1958,
    url="https://doi.org/10.1037/h0042519",
    journal="Psychological Review",
    task="classification",
    tiny={
        "plain": {"features": 4, "units": 3},
        "association": {"features": 4, "association": 7},
    },
    xfail={
        "gradients": "a threshold passes none: training.PerceptronRule needs none",
        "fit": "of gradients; training.PerceptronRule trains it",
    },
)
def Perceptron(
    features: int = 2,
    units: int = 1,
    association: int = 0,
    classifier_activation: str | None = "step",
    name: str = "perceptron",
) -> Model:
    """Perceptron, one plane a unit.

    Args:
        features: Width of a vector.
        units: Output units, each a perceptron of its own.
        association: Association units between both, of fixed random weights and thresholds
            from a standard normal distribution; 0 for none.
        classifier_activation: ``"step"``, or ``None`` for the sums in front of it.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, features) -> (B, units)``, zeros and ones, with
        the taps ``block1`` (what the head reads) and ``head``. All weights that learn are
        the head's, and start at zero.

    Example:

    >>> Perceptron(features=5).count_params()
    6
    """
    inputs = Input((features,), name="features")
    if association:
        x = layers.Dense(
            association,
            step,
            kernel_initializer=initializers.RandomNormal(stddev=1.0),
            bias_initializer=initializers.RandomNormal(stddev=1.0),
            trainable=False,
            name="block1",
        )(inputs)
    else:
        x = layers.Identity(name="block1")(inputs)
    function = step if classifier_activation == "step" else classifier_activation
    head = layers.Dense(units, function, kernel_initializer="zeros", dtype="float32", name="head")
    return Model(inputs, head(x), name=name)
