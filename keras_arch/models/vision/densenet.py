"""DenseNet: each layer of a block reads the feature maps of every layer before it.

Huang, Liu, van der Maaten, Weinberger. Densely Connected Convolutional Networks.
CVPR 2017. https://arxiv.org/abs/1608.06993

    image -> stem -> [dense block -> transition] x (S - 1) -> dense block -> head

A dense layer adds ``growth`` channels, so a block of ``n`` layers turns ``C`` channels
into ``C + n * growth``; a transition keeps a fraction ``compression`` of them and halves
the resolution. The defaults are DenseNet-BC; ``bottleneck=0, compression=1`` is plain.
"""

from collections.abc import Sequence

import keras
from keras import Model, layers

from keras_arch.errors import invalid
from keras_arch.layers import (
    bn_relu,
    channel_attention,
    check_depth,
    convolutional_stem,
    dense_block,
    image_classifier,
    smallest_side,
    transition_block,
)
from keras_arch.layers.squeeze_excitation import Attention
from keras_arch.registry import register

CIFAR = {"stem": "cifar", "input_shape": (32, 32, 3), "classes": 10}
PLAIN = {"bottleneck": 0, "compression": 1.0, **CIFAR}

PRESETS = {
    "DenseNet121": {"depths": (6, 12, 24, 16)},
    "DenseNet161": {"depths": (6, 12, 36, 24), "growth": 48},
    "DenseNet169": {"depths": (6, 12, 32, 32)},
    "DenseNet201": {"depths": (6, 12, 48, 32)},
    "DenseNet264": {"depths": (6, 12, 64, 48)},
    "DenseNet40K12CIFAR": {"depths": (12, 12, 12), "growth": 12, **PLAIN},
    "DenseNet100K12CIFAR": {"depths": (32, 32, 32), "growth": 12, **PLAIN},
    "DenseNet100K24CIFAR": {"depths": (32, 32, 32), "growth": 24, **PLAIN},
    "DenseNetBC100K12CIFAR": {"depths": (16, 16, 16), "growth": 12, **CIFAR},
    "DenseNetBC250K24CIFAR": {"depths": (41, 41, 41), "growth": 24, **CIFAR},
    "DenseNetBC190K40CIFAR": {"depths": (31, 31, 31), "growth": 40, **CIFAR},
}

KERAS_NAMES = {  # layers of keras.applications -> ours
    r"/": "_",  # in the published files
    r"^conv1_": "stem_",
    r"^conv(\d)_block(\d+)_0_bn$": r"stage\1_layer\2_squeeze_bn",
    r"^conv(\d)_block(\d+)_1_conv$": r"stage\1_layer\2_squeeze_conv",
    r"^conv(\d)_block(\d+)_1_bn$": r"stage\1_layer\2_grow_bn",
    r"^conv(\d)_block(\d+)_2_conv$": r"stage\1_layer\2_grow_conv",
    r"^pool(\d)_": r"transition\1_",
    r"^(stage|transition)2_": r"\g<1>1_",  # they count the stem as the first
    r"^(stage|transition)3_": r"\g<1>2_",
    r"^(stage|transition)4_": r"\g<1>3_",
    r"^(stage|transition)5_": r"\g<1>4_",
    r"^bn$": "final_bn",
    r"^predictions$": "head",
}


@register(
    paper="Densely Connected Convolutional Networks",
    authors="Huang, Liu, van der Maaten, Weinberger",
    year=2017,
    url="https://arxiv.org/abs/1608.06993",
    task="image-classification",
    venue="CVPR",
    presets=PRESETS,
    parameters={
        "DenseNet121": 8_062_504,
        "DenseNet161": 28_900_936,
        "DenseNet169": 14_307_880,
        "DenseNet201": 20_242_984,
        "DenseNet264": 33_736_232,
        "DenseNet40K12CIFAR": 1_037_818,
        "DenseNet100K12CIFAR": 7_096_858,
        "DenseNet100K24CIFAR": 27_480_346,
        "DenseNetBC100K12CIFAR": 793_150,
        "DenseNetBC250K24CIFAR": 15_582_382,
        "DenseNetBC190K40CIFAR": 25_881_390,
    },
    reference="keras.applications",
    rename=KERAS_NAMES,
    tiny={
        "bottleneck": {"depths": (2, 2), "growth": 4, "input_shape": (32, 32, 3), "classes": 5},
        "plain": {
            "depths": (1, 1),
            "growth": 3,
            "bottleneck": 0,
            "compression": 1.0,
            "dropout": 0.2,
            "stem": "cifar",
            "input_shape": (8, 8, 1),
            "include_top": False,
        },
        "attentive": {
            "depths": (1, 1),
            "growth": 8,
            "attention": "squeeze_excitation",
            "stem": "cifar",
            "input_shape": (8, 8, 4),
            "classes": 3,
        },
    },
)
def DenseNet(
    depths: Sequence[int] = (6, 12, 24, 16),
    growth: int = 32,
    bottleneck: int = 4,
    compression: float = 0.5,
    dropout: float = 0.0,
    attention: Attention = None,
    stem: str = "imagenet",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "densenet",
) -> Model:
    """Densely connected convolutional network.

    Args:
        depths: Layers in each dense block.
        growth: Channels each layer adds (``k`` in the paper); the stem has twice as many,
            or 16 without bottleneck.
        bottleneck: Width of the 1x1 convolution, in multiples of ``growth``; 0 for none.
        compression: Fraction of the channels that a transition keeps (``theta``).
        dropout: Rate after each dense layer.
        attention: ``None``, ``"squeeze_excitation"`` or a function ``(x, name) -> x``, for
            the channels that each dense block hands on.
        stem: ``"imagenet"`` (7x7, a quarter of the size) or ``"cifar"`` (3x3, full size).
        include_top: Whether to add pooling and the head.
        weights: ``None``, ``"imagenet"`` or the path of a file; a head of other
            ``classes`` is new, another number of channels adapts the first kernel.
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
        ``stem``, ``stage1`` ... ``stageS`` and ``head``.

    Raises:
        ValueError: If the image is too small (under 32 pixels for DenseNet-121), the
            network too deep for Keras, or ``attention``, ``stem``, ``pooling`` or
            ``weights`` is none of the above.

    Example:

    >>> model = DenseNet(depths=(2, 2), growth=4, input_shape=(32, 32, 3), classes=10)
    >>> model.output_shape
    (None, 10)
    >>> model.get_layer("stage1").output.shape
    (None, 8, 8, 16)
    """
    if not 0 < compression <= 1:
        raise invalid("compression", "a fraction in (0, 1]", compression)
    check_depth(depths, layers_each=1)  # its concatenation
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="DenseNet",
        smallest=smallest_side(stem, len(depths) - 1),
        depths=depths,
        growth=growth,
        bottleneck=bottleneck,
        compression=compression,
        attention=attention,
        stem=stem,
    )
    width = 2 * growth if bottleneck else 16
    x = convolutional_stem(image, width, stem, norm=stem == "imagenet")
    for stage, depth in enumerate(depths, start=1):
        if stage > 1:
            x = transition_block(x, compression, name=f"transition{stage - 1}")
        x = dense_block(x, depth, growth, bottleneck, dropout, name=f"stage{stage}")
        x = channel_attention(x, attention, name=f"stage{stage}_attention")
        x = layers.Identity(name=f"stage{stage}")(x)
    x = bn_relu(x, name="final")
    return finish(x)
