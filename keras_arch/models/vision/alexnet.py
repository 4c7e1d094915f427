"""AlexNet: a large convolutional network, split over two devices.

Krizhevsky, Sutskever, Hinton. ImageNet Classification with Deep Convolutional Neural Networks.
NeurIPS 2012. https://proceedings.neurips.cc/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html

Krizhevsky. One weird trick for parallelizing convolutional neural networks.
2014. https://arxiv.org/abs/1404.5997 (in one tower)

    227x227 -> 11x11/4, 96 -> pool -> 5x5, 256 -> pool -> 3x3, 384, 384, 256 -> pool
            -> 4096 -> 4096 -> head        maps of 55, 27, 13 and 6 pixels

The second, fourth and fifth convolutions read only the half of the maps on their own
device (``groups=2``): 60,965,224 weights instead of 62,378,344. The paper says 224
pixels, which give no 55x55 map.
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
from keras_arch.layers.local_response_normalization import PUBLICATION
from keras_arch.registry import register

PRESETS = {
    "AlexNetOneTower": {  # as torchvision has it
        "widths": (64, 192, 384, 256, 256),
        "groups": 1,
        "lrn": None,
        "padding": 2,
    },
}


@register(
    **PUBLICATION,
    task="image-classification",
    presets=PRESETS,
    publications={
        "AlexNetOneTower": {
            "paper": "One weird trick for parallelizing convolutional neural networks",
            "authors": "Krizhevsky",
            "year": 2014,
            "url": "https://arxiv.org/abs/1404.5997",
            "venue": "",
        }
    },
    parameters={"AlexNet": 60_965_224, "AlexNetOneTower": 61_100_840},
    reference="torchvision",
    tiny={
        "two_towers": {
            "widths": (4, 6, 6, 6, 6),
            "units": (6, 6),
            "input_shape": (68, 67, 3),
            "classes": 5,
            "kernel_initializer": "he_normal",
        },
        "one_tower": {
            "widths": (4, 6, 6, 6, 6),
            "groups": 1,
            "lrn": "after_pool",
            "stem": "cifar",
            "input_shape": (16, 15, 1),
            "include_top": False,
        },
    },
)
def AlexNet(
    widths: Sequence[int] = (96, 256, 384, 384, 256),
    groups: int = 2,
    units: Sequence[int] = (4096, 4096),
    lrn: str | None = "before_pool",
    lrn_alpha: float = 1e-4,
    padding: int = 0,
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
    name: str = "alexnet",
) -> Model:
    """AlexNet, in two towers or in one.

    ``AlexNet()`` is the paper's, ``AlexNet(groups=1)`` the same without the split,
    ``AlexNet(lrn="after_pool")`` Caffe's reference network, and ``AlexNetOneTower``
    torchvision's form of the second paper, which drops units before the fully connected
    layers, not after them. Ports of the first net for Caffe and torch have
    ``lrn_alpha=2e-5``; pytorchcv's is in one tower (``groups=1``).

    Args:
        widths: Channels of the five convolutions.
        groups: Towers: the second, fourth and fifth convolutions do not read across them.
        units: Widths of the fully connected layers.
        lrn: Local response normalization in the first two stages: ``"before_pool"``,
            ``"after_pool"`` or ``None``.
        lrn_alpha: Its factor of the sum of squares; Caffe and torch, which take the mean of
            five, have 2e-5 where they say 1e-4.
        padding: Zeros on each side of the image: 0 for 227x227 pixels, 2 for 224x224;
            none with the small stem.
        norm: ``None``, as in the paper, or ``"batch"``, normalization before each ReLU of a
            convolution, with which narrow ones learn, too.
        dropout: Rate after each fully connected layer.
        kernel_initializer: Law of all kernels; by default the paper's, normal with
            standard deviation 0.01, which small networks hardly learn from
            (``"he_normal"`` does better).
        stem: ``"imagenet"`` (11x11, a quarter of the size) or ``"cifar"`` (3x3, full size).
        include_top: Whether to add the fully connected layers and the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new,
            another number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``; height and width may be ``None``
            without the top. By default 227x227 pixels (224x224 with ``padding``) with the
            top, any size without, RGB.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem`` (the first convolution), ``stage1``, ``stage2``, ``stage3`` and ``head``.

    Raises:
        ValueError: If the image is too small (under 67 pixels), ``widths`` are not five
            or do not divide into the ``groups``, or ``lrn``, ``norm``, ``stem``, ``pooling`` or
            ``weights`` is none of the above.

    Example:

    >>> model = AlexNet((16, 32, 48, 48, 32), units=(64,), input_shape=(99, 99, 1), classes=10)
    >>> model.get_layer("stem").output.shape, model.get_layer("stage3").output.shape
    ((None, 23, 23, 16), (None, 2, 2, 32))
    """
    if len(widths) != 5:
        raise invalid("widths", "5 sizes, one for each convolution", widths)
    if groups < 1 or any(width % groups for width in widths):
        raise invalid("groups", f"a divisor of all `widths` {tuple(widths)}", groups)
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
        family="AlexNet",
        smallest=67 - 2 * padding if stem == "imagenet" else 15,
        size=224 if padding else 227,
        widths=widths,
        groups=groups,
        norm=norm,
    )
    law = kernel_initializer or initializers.RandomNormal(stddev=0.01)
    convolve = functools.partial(conv_relu, norm=norm, kernel_initializer=law)
    # So that the ReLUs see something positive at first.
    alive: dict[str, Any] = {"bias_initializer": "ones"}
    x = image
    if stem == "cifar":
        x = convolve(x, widths[0], 3, name="stem")
    else:
        if padding:
            x = layers.ZeroPadding2D(padding, name="stem_pad")(x)
        x = convolve(x, widths[0], 11, 4, "valid", name="stem")
    x = normalized_pool(x, lrn, alpha=lrn_alpha, name="stage1")
    x = convolve(x, widths[1], 5, groups=groups, **alive, name="stage2_conv")
    x = normalized_pool(x, lrn, alpha=lrn_alpha, name="stage2")
    x = convolve(x, widths[2], 3, name="stage3_conv1")
    x = convolve(x, widths[3], 3, groups=groups, **alive, name="stage3_conv2")
    x = convolve(x, widths[4], 3, groups=groups, **alive, name="stage3_conv3")
    x = normalized_pool(x, None, name="stage3")
    return finish(
        x,
        top=lambda x: fully_connected(x, units, dropout, None, law, **alive),
        head=functools.partial(layers.Dense, kernel_initializer=law),
    )
