"""Inception-ResNet v2: the wider one, as its authors released it.

Szegedy, Ioffe, Vanhoucke, Alemi. Inception-v4, Inception-ResNet and the Impact of Residual
Connections on Learning. AAAI 2017. https://arxiv.org/abs/1602.07261

    image -> stem -> 10 x A -> reduction, 20 x B -> reduction, 10 x C -> 1x1 -> pooling -> head

    y = ReLU(x + scale * (branches -> 1x1))       320, 1088 and 2080 channels

The paper's figures of it cannot be built. Of 384 channels its reductions make 384 + 384 + 384
= 1152 and 1152 + 384 + 288 + 320 = 2144, to which the blocks B and C of figures 17 and 19 add
1154 and 2048; who builds it nevertheless has to correct the figures. The released network,
which ``keras.applications`` has too, keeps the reductions, and has 320 + 768 = 1088 and 1088 +
992 = 2080 channels, another stem, twice the blocks, a last block without ReLU, and a
convolution at the end.
"""

import functools
from collections.abc import Sequence

import keras
from keras import Model

from keras_arch.layers import (
    check_inception,
    convolution_unit,
    convolutions,
    global_average,
    image_classifier,
    inception_resnet,
    numbered,
    smallest_image,
)
from keras_arch.layers.inception_module import STEM
from keras_arch.layers.squeeze_excitation import PUBLICATION, Attention
from keras_arch.registry import register

MIXED = [[(96, 1)], [(48, 1), (64, 5)], [(64, 1), (96, 3), (96, 3)], [("avg", 3), (64, 1)]]
TABLE = {
    "stem": [*STEM, ("max", 3, 2), MIXED],
    "blocks": (
        [[(32, 1)], [(32, 1), (32, 3)], [(32, 1), (48, 3), (64, 3)]],
        [[(192, 1)], [(128, 1), (160, (1, 7)), (192, (7, 1))]],
        [[(192, 1)], [(192, 1), (224, (1, 3)), (256, (3, 1))]],
    ),
    "reductions": (
        [[(384, 3, 2)], [(256, 1), (256, 3), (384, 3, 2)], [("max", 3, 2)]],
        [
            [(256, 1), (384, 3, 2)],
            [(256, 1), (288, 3, 2)],
            [(256, 1), (288, 3), (320, 3, 2)],
            [("max", 3, 2)],
        ],
    ),
}


def keras_names():
    """Layers of keras.applications, numbered but for the end of a block, -> ours."""
    places = list(convolutions(TABLE["stem"], "stem"))
    for stage, (depth, block) in enumerate(
        zip((10, 20, 10), TABLE["blocks"], strict=True), start=1
    ):
        modules = [(f"stage{stage}_block{i}_mixed", block) for i in range(1, depth + 1)]
        if stage > 1:
            modules.insert(0, (f"stage{stage}_reduction", TABLE["reductions"][stage - 2]))
        for name, branches in modules:
            for index, branch in enumerate(branches, start=1):
                places += convolutions(branch, f"{name}_branch{index}")
    return {
        **numbered(places),
        r"^block35_": "stage1_block",
        r"^block17_": "stage2_block",
        r"^block8_": "stage3_block",
        r"^conv_7b$": "final_conv",
        r"^conv_7b_bn$": "final_bn",
    }


@register(
    paper="Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    authors="Szegedy, Ioffe, Vanhoucke, Alemi",
    year=2017,
    url="https://arxiv.org/abs/1602.07261",
    venue="AAAI",
    task="image-classification",
    xfail={"tiny_builds_are_tiny": "the stem, a block A, a reduction and a block B"},
    presets={"SEInceptionResNetV2": {"attention": "squeeze_excitation"}},
    publications={"SEInceptionResNetV2": PUBLICATION},
    parameters={"InceptionResNetV2": 55_873_736, "SEInceptionResNetV2": 64_417_716},
    reference="keras.applications",
    rename=keras_names(),
    tiny={
        "plain": {
            "depths": (1, 1),
            "scales": (0.3, 0.2),
            "alpha": 0.1,
            "dropout": 0.2,
            "stochastic_depth": 0.2,
            "attention": "squeeze_excitation",
            "stem": "cifar",
            "input_shape": (8, 8, 3),
            "classes": 5,
        },
    },
)
def InceptionResNetV2(
    depths: Sequence[int] = (10, 20, 10),
    scales: Sequence[float] = (0.17, 0.10, 0.20, 1.0),
    alpha: float = 1.0,
    bn_scale: bool = False,
    dropout: float = 0.0,
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
    name: str = "inception_resnet_v2",
) -> Model:
    """Inception-ResNet v2, as it was released.

    Args:
        depths: Blocks A, B and C (5, 10 and 5 in the paper's figure); the second and the
            third stage begin with a reduction besides.
        scales: Factor of the residuals of each stage; one more is that of the very last
            block, which then ends without ReLU.
        alpha: Width multiplier: the factor of all channels.
        bn_scale: Whether normalizations have a scale; not in
            ``keras.applications``, but in other ports.
        dropout: Rate before the head.
        stochastic_depth: Rate at which the last block is left out in training; that of the
            others grows linearly up to it.
        attention: What each residual goes through before it is scaled: ``None``,
            ``"squeeze_excitation"``, or a function ``(x, name) -> x``.
        stem: ``"imagenet"`` (an eighth of the size), or ``"cifar"``: the same layers
            without strides and with zeros around, so that 32x32 pixels reach the stages
            nearly as 299x299 would (32, 15 and 7 pixels, not 35, 17 and 8).
        include_top: Whether to add pooling and the head.
        weights: ``None``, ``"imagenet"`` or the path of a file; a head of other
            ``classes`` is new, another number of channels adapts the first kernel.
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

    >>> model = InceptionResNetV2((1, 1, 2), alpha=0.1, stem="cifar", input_shape=(32, 32, 3))
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
        family="InceptionResNetV2",
        smallest=smallest_image(stem, len(depths)),
        size=299,
        depths=depths,
        scales=scales,
        alpha=alpha,
        bn_scale=bn_scale,
    )
    convolve = functools.partial(convolution_unit, strided="valid", scale=bn_scale, alpha=alpha)
    x = inception_resnet(image, TABLE, depths, scales, convolve, stochastic_depth, attention, stem)
    x = convolve(x, 1536, 1, name="final")
    return finish(x, functools.partial(global_average, dropout=dropout))
