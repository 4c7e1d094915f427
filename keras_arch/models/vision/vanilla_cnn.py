"""Vanilla CNN: ten thousand convolutions, no normalization, no shortcut.

Xiao, Bahri, Sohl-Dickstein, Schoenholz, Pennington. Dynamical Isometry and a Mean Field
Theory of CNNs: How to Train 10,000-Layer Vanilla Convolutional Neural Networks.
ICML 2018. https://arxiv.org/abs/1806.05393

    image -> [3x3 convolution -> tanh], strides 1, 2, 2 -> [3x3 convolution -> tanh] x depth
          -> pooling -> head

It learns from its initialization alone: delta-orthogonal kernels, scaled to the critical
line, carry signal and gradient through any depth, since the Jacobian of each layer is
nearly an isometry. Of kernels of the same variance but Gaussian, nothing arrives.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import Model, initializers, layers

from keras_arch.errors import invalid
from keras_arch.initializers import DeltaOrthogonal, critical_variance
from keras_arch.layers import StackedConv2D, image_classifier
from keras_arch.registry import register

BIAS_VARIANCE = 2e-5  # small: so the saturation of tanh stays rare, and the isometry near


def delta_orthogonal(variance):
    """Every norm times the root of ``variance``."""
    return DeltaOrthogonal(variance**0.5)


def gaussian(variance):
    """The same variance a layer, spread over the window and over singular values."""
    return initializers.VarianceScaling(variance, "fan_in", "untruncated_normal")


LAWS = {"delta_orthogonal": delta_orthogonal, "gaussian": gaussian}


@register(
    paper="Dynamical Isometry and a Mean Field Theory of CNNs: How to Train 10,000-Layer "
    "Vanilla Convolutional Neural Networks",
    authors="Xiao, Bahri, Sohl-Dickstein, Schoenholz, Pennington",
    year=2018,
    url="https://arxiv.org/abs/1806.05393",
    venue="ICML",
    task="image-classification",
    tiny={
        "deep": {"depth": 5, "width": 4, "input_shape": (8, 8, 3), "classes": 5},
        "zeros": {
            "depth": 2,
            "width": 4,
            "strides": (2,),
            "padding": "same",
            "initializer": "gaussian",
            "input_shape": (None, None, 1),
            "include_top": False,
            "pooling": "max",
        },
    },
)
def VanillaCNN(
    depth: int = 10_000,
    width: int = 16,
    strides: Sequence[int] = (1, 2, 2),
    activation: str = "tanh",
    padding: str = "circular",
    initializer: Any = "delta_orthogonal",
    bias_variance: float = BIAS_VARIANCE,
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] = (32, 32, 3),
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: str | None = "softmax",
    name: str = "vanilla_cnn",
) -> Model:
    """Chain of convolutions, as deep as you like.

    The deep part is one layer, ``layers.StackedConv2D``. Where a delta-orthogonal kernel is
    still as it was drawn, only its centre counts, and both kinds of padding give the same.

    Train it on a CPU with ``jit_compile=False``, and with small steps of gradient descent:
    the rate must shrink as one over the depth.

    Args:
        depth: Convolutions of the deep part, 10,000 and more.
        width: Channels of every convolution, no fewer than those of the image.
        strides: Of the convolutions before the deep part, one each.
        activation: ``"tanh"``; ``"linear"`` and ``"relu"`` with ``bias_variance=0``.
        padding: Of the deep part: ``"circular"``, with which the paper computes, or
            ``"same"``, zeros.
        initializer: Law of the kernels: ``"delta_orthogonal"`` or ``"gaussian"``, on the
            critical line of activation and bias variance; or any initializer.
        bias_variance: Variance of the normal law of the biases.
        include_top: Whether to add pooling and the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new,
            another number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``; height and width may be ``None``.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem`` (the strided part), ``stage1`` and ``head``.

    Raises:
        ValueError: If the image is too small (under 4 pixels), no variance is critical with
            this activation and bias variance, or ``initializer``, ``padding``, ``pooling``
            or ``weights`` is none of the above.

    Example:

    >>> model = VanillaCNN(depth=1000, width=8, strides=(1,), input_shape=(8, 8, 1))
    >>> model.get_layer("stage1").output.shape, len(model.layers)
    ((None, 8, 8, 8), 6)
    """
    law = initializer
    if isinstance(initializer, str):
        if initializer not in LAWS:
            raise invalid("initializer", f"one of {set(LAWS)} or an initializer", initializer)
        law = LAWS[initializer](critical_variance(activation, bias_variance))
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="VanillaCNN",
        smallest=math.prod(strides),
    )

    def laws():
        """What every convolution has; a clone of a law draws other numbers."""
        return {
            "activation": activation,
            "kernel_initializer": initializers.get(law).clone(),
            "bias_initializer": initializers.RandomNormal(stddev=bias_variance**0.5),
        }

    x = image
    for index, stride in enumerate(strides, start=1):
        x = layers.Conv2D(width, 3, stride, "same", **laws(), name=f"stem_conv{index}")(x)
    x = layers.Identity(name="stem")(x)
    x = StackedConv2D(depth, 3, padding, **laws(), name="stage1")(x)
    return finish(x)
