"""ZFNet: AlexNet with a finer first layer, found by looking at what its layers see.

Zeiler, Fergus. Visualizing and Understanding Convolutional Networks.
ECCV 2014. https://arxiv.org/abs/1311.2901

    224x224 -> 7x7/2, 96 -> pool -> 5x5/2, 256 -> pool -> 3x3, 384, 384, 256 -> pool
            -> 4096 -> 4096 -> head      maps of 110, 55, 26, 13 and 6 pixels

Smaller kernels and strides keep what the 11x11/4 of AlexNet lost; a unit of the last
pooling sees 171 pixels. ``analysis.deconvnet`` is the paper's way of looking.
"""

import functools
from collections.abc import Sequence
from typing import Any

import keras
from keras import Model, initializers, layers

from keras_arch.errors import invalid
from keras_arch.layers import (
    check_norm,
    check_stem,
    conv_relu,
    fully_connected,
    image_classifier,
    normalized_pool,
)
from keras_arch.layers.max_unpooling import PUBLICATION
from keras_arch.registry import register


@register(
    **PUBLICATION,
    task="image-classification",
    parameters={"ZFNet": 62_357_608},
    reference="tf2cv",
    tiny={
        "plain": {
            "widths": (4, 6, 6, 6, 6),
            "units": (6, 6),
            "input_shape": (47, 52, 3),
            "classes": 5,
            "kernel_initializer": "he_normal",
        },
        "small_images": {
            "widths": (4, 6, 6, 6, 6),
            "lrn": "before_pool",
            "stem": "cifar",
            "input_shape": (16, 15, 1),
            "include_top": False,
        },
    },
)
def ZFNet(
    widths: Sequence[int] = (96, 256, 384, 384, 256),
    units: Sequence[int] = (4096, 4096),
    lrn: str | None = "after_pool",
    lrn_alpha: float = 1e-4,
    norm: str | None = None,
    dropout: float = 0.5,
    kernel_initializer: str | initializers.Initializer | None = None,
    stem: str = "imagenet",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "zfnet",
) -> Model:
    """Zeiler and Fergus's network.

    The paper normalizes contrast across maps after pooling and says no more; here that is
    AlexNet's local response normalization. Ports put it before the pooling: pytorchcv's is
    ``ZFNet(lrn="before_pool", lrn_alpha=2e-5)``. The wider network of the paper's table 3 is
    ``widths=(96, 256, 512, 1024, 512)``.

    Args:
        widths: Channels of the five convolutions.
        units: Widths of the fully connected layers.
        lrn: Normalization in the first two stages: ``"before_pool"``, ``"after_pool"`` or
            ``None``.
        lrn_alpha: Its factor of the sum of squares; Caffe and torch, which take the mean of
            five, have 2e-5 where they say 1e-4.
        norm: ``None``, as in the paper, or ``"batch"``, normalization before each ReLU of a
            convolution, with which narrow ones learn, too.
        dropout: Rate after each fully connected layer.
        kernel_initializer: Law of all kernels; by default normal with standard deviation
            0.01, which small networks hardly learn from (``"he_normal"`` does better).
        stem: ``"imagenet"`` (7x7 and 5x5, both with stride 2) or ``"cifar"`` (3x3 and
            5x5, neither).
        include_top: Whether to add the fully connected layers and the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new,
            another number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``; height and width may be ``None``
            without the top. By default 224x224 pixels with the top, any size without, RGB.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem`` (the first convolution), ``stage1``, ``stage2``, ``stage3`` and ``head``.

    Raises:
        ValueError: If the image is too small (under 47 pixels), ``widths`` are not five, or
            ``lrn``, ``norm``, ``stem``, ``pooling`` or ``weights`` is none of the above.

    Example:

    >>> model = ZFNet((16, 32, 48, 48, 32), units=(64,), input_shape=(96, 96, 1), classes=10)
    >>> model.get_layer("stem").output.shape, model.get_layer("stage3").output.shape
    ((None, 46, 46, 16), (None, 2, 2, 32))
    """
    if len(widths) != 5:
        raise invalid("widths", "5 sizes, one for each convolution", widths)
    check_stem(stem)
    check_norm(norm)
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="ZFNet",
        smallest=47 if stem == "imagenet" else 8,
        widths=widths,
        norm=norm,
    )
    law = kernel_initializer or initializers.RandomNormal(stddev=0.01)
    convolve = functools.partial(conv_relu, norm=norm, kernel_initializer=law)
    if stem == "cifar":
        x = convolve(image, widths[0], 3, name="stem")
        second: dict[str, Any] = {}
    else:
        x = layers.ZeroPadding2D(1, name="stem_pad")(image)
        x = convolve(x, widths[0], 7, 2, "valid", name="stem")
        second = {"stride": 2, "padding": "valid"}
    x = normalized_pool(x, lrn, "across", lrn_alpha, name="stage1")
    x = convolve(x, widths[1], 5, **second, name="stage2_conv")
    x = normalized_pool(x, lrn, "across", lrn_alpha, name="stage2")
    for index in (1, 2, 3):
        x = convolve(x, widths[index + 1], 3, name=f"stage3_conv{index}")
    x = normalized_pool(x, None, "across", name="stage3")
    return finish(
        x,
        top=lambda x: fully_connected(x, units, dropout, None, law),
        head=functools.partial(layers.Dense, kernel_initializer=law),
    )
