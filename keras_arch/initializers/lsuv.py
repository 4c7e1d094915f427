"""LSUV: orthonormal kernels, scaled layer by layer until what they give has variance 1.

Mishkin, Matas. All You Need Is a Good Init.
ICLR 2016. https://arxiv.org/abs/1511.06422

    for each layer, from the first to the last:
        W <- orthonormal
        until |Var(W x + b) - 1| < tolerance:   W <- W / sqrt(Var(W x + b))

Data take the place of theory: it holds for any activation, pooling or shortcut.
"""

from typing import Any

import keras
from keras import initializers, layers, ops

from keras_arch.errors import invalid
from keras_arch.registry import register
from keras_arch.replaced import replaced

SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)
SCALED = (
    layers.Dense,
    layers.Conv1D,
    layers.Conv2D,
    layers.Conv3D,
    layers.Conv1DTranspose,
    layers.Conv2DTranspose,
    layers.Conv3DTranspose,
    layers.DepthwiseConv1D,
    layers.DepthwiseConv2D,
    *SEPARABLE,
)


@register(
    paper="All You Need Is a Good Init",
    authors="Mishkin, Matas",
    year=2016,
    url="https://arxiv.org/abs/1511.06422",
    venue="ICLR",
)
def lsuv(
    model: keras.Model,
    batch: Any,
    tolerance: float = 0.01,
    iterations: int = 10,
    seed: int | None = None,
) -> dict[str, float]:
    """Set the kernels of every dense and convolutional layer of a built model from data.

    One forward pass does it: a layer is scaled as the signal reaches it. Layers are found
    in models within models and in layers made of layers; one that is shared is scaled by
    what it sees first. Normalization works as at inference and learns nothing.

    Left as they are: layers that are frozen (``trainable=False``) or that the batch never
    reaches, recurrent layers, embeddings, ``EinsumDense``, and so the projections of
    attention. Whatever is not named in the answer was left out.

    Args:
        model: A built model.
        batch: What the model takes; some hundred examples.
        tolerance: How far from 1 a variance may be.
        iterations: The most rescalings of a layer; without biases one is enough.
        seed: Of the orthonormal kernels.

    Returns:
        Variance of the pre-activations by the path of a layer's kernel, in the order of
        the data flow.

    Raises:
        ValueError: If there is no such layer, or one cannot be brought to variance 1 in
            so many iterations: its input is constant, or its biases alone vary by more.
            The model is as it was then, as after any other error.

    Example:

    >>> inputs = keras.Input((20,))
    >>> x = keras.layers.Dense(30, "relu", name="hidden")(inputs)
    >>> model = keras.Model(inputs, keras.layers.Dense(5, name="head")(x))
    >>> lsuv(model, keras.random.normal((256, 20), seed=0), seed=0)
    {'hidden/kernel': 1.0, 'head/kernel': 1.0}
    """
    found = [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, SCALED) and layer.trainable and layer.built
    ]
    if not found:
        raise invalid("model", "one with dense or convolutional layers to train", model)
    orthonormal = initializers.Orthogonal(seed=keras.random.SeedGenerator(seed))
    variances: dict[str, float] = {}
    done: set[int] = set()  # layers

    def scaled(layer, activation):
        """In place of the layer's activation: sees what comes before, and sets it right."""
        kernel = layer.pointwise_kernel if isinstance(layer, SEPARABLE) else layer.kernel

        def activate(x):
            if id(layer) not in done:
                done.add(id(layer))
                bias = 0.0 if layer.bias is None else ops.cast(layer.bias, x.dtype)
                signal, scale = x - bias, 1.0
                for _ in range(iterations):
                    variance = float(ops.var(ops.cast(x, "float32")))
                    if abs(variance - 1) < tolerance or variance < 1e-20:  # constant
                        break
                    scale /= variance**0.5
                    x = signal * scale + bias
                variance = float(ops.var(ops.cast(x, "float32")))
                kernel.assign(kernel * scale)
                variances[kernel.path] = round(variance, 6)
            return x if activation is None else activation(x)

        return activate

    before = [
        (layer, kernel, ops.convert_to_numpy(kernel))
        for layer in found
        for kernel in layer.weights
        if len(kernel.shape) >= 2
    ]
    try:
        for _, kernel, _ in before:
            kernel.assign(orthonormal(kernel.shape, kernel.dtype))
        # Past Keras, which would take an activation that is a layer for a new one.
        with replaced([(layer, "activation", scaled(layer, layer.activation)) for layer in found]):
            model(batch, training=False)
        for path, variance in variances.items():  # the first: what follows it saw its signal
            if not abs(variance - 1) < tolerance:
                raise invalid("batch", f"a variance of 1 +- {tolerance} at {path}", variance)
    except BaseException:
        done.clear()
        raise
    finally:
        for layer, kernel, value in before:
            if id(layer) not in done:
                kernel.assign(value)
    return variances
