"""Wide ResNet: few residual blocks, each with many channels.

Zagoruyko, Komodakis. Wide Residual Networks.
BMVC 2016. https://arxiv.org/abs/1605.07146

    image -> 3x3, 16 -> [block] x n, 16k -> [block] x n, 32k -> [block] x n, 64k -> BN, ReLU -> head

    block: BN, ReLU, 3x3 -> BN, ReLU, dropout, 3x3 -> added to its input

``depth = 6n + 4`` counts the convolutions, three of them in shortcuts. The wide network for
ImageNet, with bottlenecks, is ``models.WideResNet50K2``, a preset of ``ResNet``.
"""

import keras
from keras import Model, layers

from keras_arch.errors import invalid
from keras_arch.layers import (
    bn_relu,
    check_depth,
    convolutional_stem,
    image_classifier,
    linear_rates,
    preactivation_block,
    smallest_side,
)
from keras_arch.layers.squeeze_excitation import Attention
from keras_arch.registry import register

STEM, WIDTHS = 16, (16, 32, 64)

PRESETS = {
    "WideResNet16K8CIFAR": {"depth": 16, "k": 8},
    "WideResNet16K10CIFAR": {"depth": 16, "k": 10},
    "WideResNet22K8CIFAR": {"depth": 22, "k": 8},
    "WideResNet22K10CIFAR": {"depth": 22, "k": 10},
    "WideResNet28K10CIFAR": {"depth": 28, "k": 10},
    "WideResNet28K12CIFAR": {"depth": 28, "k": 12},
    "WideResNet40K1CIFAR": {"depth": 40, "k": 1},
    "WideResNet40K2CIFAR": {"depth": 40, "k": 2},
    "WideResNet40K4CIFAR": {"depth": 40, "k": 4},
    "WideResNet40K8CIFAR": {"depth": 40, "k": 8},
}


@register(
    paper="Wide Residual Networks",
    authors="Zagoruyko, Komodakis",
    year=2016,
    url="https://arxiv.org/abs/1605.07146",
    venue="BMVC",
    task="image-classification",
    presets=PRESETS,
    parameters={
        "WideResNet16K8CIFAR": 10_968_570,
        "WideResNet16K10CIFAR": 17_125_626,
        "WideResNet22K8CIFAR": 17_168_890,
        "WideResNet22K10CIFAR": 26_811_386,
        "WideResNet28K10CIFAR": 36_497_146,
        "WideResNet28K12CIFAR": 52_539_386,
        "WideResNet40K1CIFAR": 566_650,
        "WideResNet40K2CIFAR": 2_248_954,
        "WideResNet40K4CIFAR": 8_959_994,
        "WideResNet40K8CIFAR": 35_769_850,
    },
    reference="pytorchcv",
    tiny={
        "plain": {"depth": 10, "k": 1, "input_shape": (8, 8, 3), "classes": 3},
        "all": {
            "depth": 10,
            "k": 4,
            "dropout": 0.3,
            "stochastic_depth": 0.01,
            "attention": "squeeze_excitation",
            "stem": "imagenet",
            "input_shape": (32, 32, 1),
            "include_top": False,
        },
    },
)
def WideResNet(
    depth: int = 28,
    k: int = 10,
    dropout: float = 0.0,
    stochastic_depth: float = 0.0,
    attention: Attention = None,
    stem: str = "cifar",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 10,
    classifier_activation: str | None = "softmax",
    name: str = "wideresnet",
) -> Model:
    """Wide residual network.

    Args:
        depth: Number of convolutions, ``6n + 4``.
        k: Widening factor: the stages have ``16k``, ``32k`` and ``64k`` channels.
        dropout: Rate between the two convolutions of each block; 0.3 in the paper, where
            there is any.
        stochastic_depth: How often the last block is left out in training, the blocks
            before it ever less.
        attention: ``None``, ``"squeeze_excitation"`` or a function ``(x, name) -> x``, for
            the channels of each branch.
        stem: ``"cifar"`` (3x3, full size) or ``"imagenet"`` (7x7, a quarter of the size).
        include_top: Whether to add pooling and the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new, another
            number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``; height and width may be ``None``
            without the top. By default 32x32 pixels with the top, any size without, RGB.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem``, ``stage1``, ``stage2``, ``stage3`` and ``head``.

    Raises:
        ValueError: If the image is too small (under 4 pixels), ``depth`` is not ``6n + 4``
            or too deep for Keras, ``k`` is not positive, or ``stochastic_depth``,
            ``attention``, ``stem``, ``pooling`` or ``weights`` is none of the above.

    Example:

    >>> model = WideResNet(depth=10, k=2)
    >>> model.get_layer("stage3").output.shape
    (None, 8, 8, 128)
    """
    blocks, rest = divmod(depth - 4, 6)
    if rest or blocks < 1:
        raise invalid("depth", "6n + 4 with n of at least 1", depth)
    if not isinstance(k, int) or k < 1:
        raise invalid("k", "a positive integer", k)
    check_depth((blocks,) * len(WIDTHS), 1, "depth", depth)  # its addition
    rates = iter(linear_rates(stochastic_depth, blocks * len(WIDTHS)))
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="WideResNet",
        smallest=smallest_side(stem, len(WIDTHS) - 1),
        size=32,
        depth=depth,
        k=k,
    )
    x = convolutional_stem(image, STEM, stem, norm=stem == "imagenet")
    for stage, width in enumerate(WIDTHS, start=1):
        for index in range(1, blocks + 1):
            x = preactivation_block(
                x,
                k * width,
                stride=2 if stage > 1 and index == 1 else 1,
                dropout=dropout,
                attention=attention,
                stochastic_depth=next(rates),
                name=f"stage{stage}_block{index}",
            )
        x = layers.Identity(name=f"stage{stage}")(x)
    x = bn_relu(x, name="final")
    return finish(x)
