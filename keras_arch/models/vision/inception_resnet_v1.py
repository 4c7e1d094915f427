"""Inception-ResNet v1: an Inception module computes what is added to its input, scaled.

Szegedy, Ioffe, Vanhoucke, Alemi. Inception-v4, Inception-ResNet and the Impact of Residual
Connections on Learning. AAAI 2017. https://arxiv.org/abs/1602.07261

    image -> stem -> 5 x A -> reduction, 10 x B -> reduction, 5 x C -> pooling -> head

    y = ReLU(x + scale * (branches -> 1x1))       256, 896 and 1792 channels

As costly as Inception v3, and quicker to train. The usual port is FaceNet's network for
faces: it has a sixth C, without ReLU, and a narrow normalized layer in front of the head.
"""

import functools
from collections.abc import Sequence

import keras
from keras import Model, layers

from keras_arch.layers import (
    check_inception,
    convolution_unit,
    global_average,
    image_classifier,
    inception_resnet,
    smallest_image,
)
from keras_arch.layers.inception_module import STEM
from keras_arch.layers.squeeze_excitation import Attention
from keras_arch.registry import register

TABLE = {
    "stem": [*STEM, (256, 3, 2)],
    "blocks": (  # A, B, C
        [[(32, 1)], [(32, 1), (32, 3)], [(32, 1), (32, 3), (32, 3)]],
        [[(128, 1)], [(128, 1), (128, (1, 7)), (128, (7, 1))]],
        [[(192, 1)], [(192, 1), (192, (1, 3)), (192, (3, 1))]],
    ),
    "reductions": (  # before B and C
        [[(384, 3, 2)], [(192, 1), (192, 3), (256, 3, 2)], [("max", 3, 2)]],
        [
            [(256, 1), (384, 3, 2)],
            [(256, 1), (256, 3, 2)],
            [(256, 1), (256, 3), (256, 3, 2)],
            [("max", 3, 2)],
        ],
    ),
}


def embedded(x, units, scale, dropout):
    """A linear layer, normalized, behind the average: ``(B, H, W, C) -> (B, units)``."""
    x = layers.Dense(units, use_bias=False, name="embedding")(global_average(x, dropout))
    return layers.BatchNormalization(scale=scale, epsilon=1e-3, name="embedding_bn")(x)


@register(
    paper="Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    authors="Szegedy, Ioffe, Vanhoucke, Alemi",
    year=2017,
    url="https://arxiv.org/abs/1602.07261",
    venue="AAAI",
    task="image-classification",
    xfail={"tiny_builds_are_tiny-facenet": "the stem, a block A, a reduction and a block B"},
    presets={
        "InceptionResNetV1FaceNet": {
            "depths": (5, 10, 6),
            "scales": (0.17, 0.10, 0.20, 1.0),
            "units": 512,
        }
    },
    parameters={"InceptionResNetV1": 22_783_368, "InceptionResNetV1FaceNet": 24_025_224},
    reference="pytorchcv",
    tiny={
        "facenet": {
            "depths": (1, 1),
            "scales": (0.2, 0.2, 1.0),
            "alpha": 0.1,
            "units": 6,
            "input_shape": (43, 43, 3),
            "classes": 5,
        },
        "features": {
            "depths": (1,),
            "scales": (0.2,),
            "alpha": 0.1,
            "bn_scale": False,
            "stem": "cifar",
            "input_shape": (None, None, 1),
            "include_top": False,
        },
    },
)
def InceptionResNetV1(
    depths: Sequence[int] = (5, 10, 5),
    scales: Sequence[float] = (0.17, 0.10, 0.20),
    alpha: float = 1.0,
    bn_scale: bool = True,
    units: int = 0,
    dropout: float = 0.2,
    stochastic_depth: float = 0.0,
    attention: Attention = None,
    stem: str = "imagenet",
    include_top: bool = True,
    weights: str | None = None,
    input_tensor: keras.KerasTensor | None = None,
    input_shape: tuple[int | None, int | None, int] | None = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
    name: str = "inception_resnet_v1",
) -> Model:
    """Inception-ResNet v1.

    The paper does not say how much its residuals were scaled; these numbers are those of
    the authors' release of v2, as in other people's v1.

    Args:
        depths: Blocks A, B and C; the second and the third stage begin with a reduction
            besides.
        scales: Factor of the residuals of each stage; one more is that of the very last
            block, which then ends without ReLU.
        alpha: Width multiplier: the factor of all channels.
        bn_scale: Whether normalizations have a scale.
        units: Units of a normalized linear layer between the average and the head, as in
            FaceNet's network for faces, which is the usual port; 0 for none.
        dropout: Rate before the head.
        stochastic_depth: Rate at which the last block is left out in training; that of the
            others grows linearly up to it.
        attention: What each residual goes through before it is scaled: ``None``,
            ``"squeeze_excitation"``, or a function ``(x, name) -> x``.
        stem: ``"imagenet"`` (an eighth of the size), or ``"cifar"``: the same layers
            without strides and with zeros around, so that 32x32 pixels reach the stages
            nearly as 299x299 would (32, 15 and 7 pixels, not 35, 17 and 8).
        include_top: Whether to add pooling and the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new,
            another number of channels adapts the first kernel.
        input_tensor: Keras tensor to use as the image, instead of a new input; an
            ``input_shape`` beside it must be its own.
        input_shape: ``(height, width, channels)``; height and width may be ``None``. By
            default 299x299 pixels with the top, any size without, RGB.
        pooling: Without the head: ``None`` for the feature map, ``"avg"`` or ``"max"``.
        classes: Size of the output.
        classifier_activation: Activation of the head; ``None`` gives logits.
        name: Name of the model.

    Returns:
        A functional ``keras.Model``, ``(B, H, W, C) -> (B, classes)``, with the taps
        ``stem``, ``stage1`` ... ``stageS`` and ``head``.

    Raises:
        ValueError: If there are more than three stages, too many blocks for Keras, scales
            for others, the image is too small (under 75 pixels), or ``attention``,
            ``stem``, ``pooling`` or ``weights`` is none of the above.

    Example:

    >>> model = InceptionResNetV1((1, 1, 1), alpha=0.1, stem="cifar", input_shape=(32, 32, 3))
    >>> [model.get_layer(f"stage{i}").output.shape[1] for i in (1, 2, 3)]
    [32, 15, 7]
    """
    check_inception(depths, stem, alpha, scales=scales)
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="InceptionResNetV1",
        smallest=smallest_image(stem, len(depths)),
        size=299,
    )
    convolve = functools.partial(convolution_unit, strided="valid", scale=bn_scale, alpha=alpha)
    x = inception_resnet(image, TABLE, depths, scales, convolve, stochastic_depth, attention, stem)
    if units:
        return finish(x, lambda x: embedded(x, units, bn_scale, dropout))
    return finish(x, functools.partial(global_average, dropout=dropout))
