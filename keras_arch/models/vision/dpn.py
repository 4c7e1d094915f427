"""DPN: a residual path, which reuses features, beside a dense path, which finds new ones.

Chen, Li, Xiao, Jin, Yan, Feng. Dual Path Networks.
NeurIPS 2017. https://arxiv.org/abs/1707.01629

    image -> stem -> [dual-path block] x depth, stage by stage -> both, BN, ReLU -> head

    residual   R -> R + a                 a, b: of one block, 1x1 -> grouped 3x3 -> 1x1,
    dense      D -> D and b               which reads both paths

The residual path of a stage keeps its channels, the dense one gains ``growth`` a block: it
begins with two, so after ``n`` blocks it has ``(n + 2) * growth``.
"""

import functools
from collections.abc import Sequence

import keras
from keras import Model, layers

from keras_arch.errors import invalid
from keras_arch.layers import (
    bn_relu,
    check_depth,
    check_stages,
    convolutional_stem,
    dual_path_block,
    global_average,
    image_classifier,
    linear_rates,
    smallest_side,
)
from keras_arch.layers.dual_path import EPSILON
from keras_arch.layers.squeeze_excitation import Attention
from keras_arch.registry import register

PRESETS = {
    "DPN68": {
        "depths": (3, 4, 12, 3),
        "widths": (64, 128, 256, 512),
        "growths": (16, 32, 32, 64),
        "bottleneck": 128,
        "stem_width": 10,
        "stem_size": 3,
    },
    "DPN92": {"depths": (3, 4, 20, 3)},
    "DPN98": {
        "depths": (3, 6, 20, 3),
        "growths": (16, 32, 32, 128),
        "bottleneck": 160,
        "groups": 40,
        "stem_width": 96,
    },
    "DPN107": {
        "depths": (4, 8, 20, 3),
        "growths": (20, 64, 64, 128),
        "bottleneck": 200,
        "groups": 50,
        "stem_width": 128,
    },
    "DPN131": {
        "depths": (4, 8, 28, 3),
        "growths": (16, 32, 32, 128),
        "bottleneck": 160,
        "groups": 40,
        "stem_width": 128,
    },
}


@register(
    paper="Dual Path Networks",
    authors="Chen, Li, Xiao, Jin, Yan, Feng",
    year=2017,
    url="https://arxiv.org/abs/1707.01629",
    venue="NeurIPS",
    task="image-classification",
    presets=PRESETS,
    parameters={
        "DPN68": 12_676_718,
        "DPN92": 37_793_608,
        "DPN98": 61_735_624,
        "DPN107": 87_131_624,
        "DPN131": 79_477_864,
    },
    reference="timm",
    tiny={
        "plain": {
            "depths": (2, 1),
            "widths": (6, 12),
            "growths": (2, 3),
            "bottleneck": 4,
            "groups": 2,
            "stem_width": 5,
            "stem_size": 3,
            "input_shape": (24, 24, 3),
            "classes": 3,
        },
        "attentive": {
            "depths": (2,),
            "widths": (64,),
            "growths": (4,),
            "bottleneck": 4,
            "groups": 4,
            "stem_width": 5,
            "dropout": 0.2,
            "stochastic_depth": 0.01,
            "attention": "squeeze_excitation",
            "stem": "cifar",
            "input_shape": (8, 8, 1),
            "include_top": False,
            "pooling": "avg",
        },
    },
)
def DPN(
    depths: Sequence[int] = (3, 4, 20, 3),
    widths: Sequence[int] = (256, 512, 1024, 2048),
    growths: Sequence[int] = (16, 32, 24, 128),
    bottleneck: int = 96,
    groups: int = 32,
    stem_width: int = 64,
    stem_size: int = 7,
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
    name: str = "dpn",
) -> Model:
    """Dual-path network; by default DPN-92.

    Args:
        depths: Blocks in each stage.
        widths: Channels of the residual path in each stage.
        growths: Channels that each block of a stage adds to the dense path.
        bottleneck: Channels inside the blocks of the first stage; they grow with ``widths``.
        groups: Of the 3x3 convolutions.
        stem_width: Channels of the stem.
        stem_size: Size of the stem's kernel.
        dropout: Rate before the head.
        stochastic_depth: How often the last block adds nothing to the residual path in
            training, the blocks before it ever less.
        attention: ``None``, ``"squeeze_excitation"`` or a function ``(x, name) -> x``, for
            what each block computes.
        stem: ``"imagenet"`` (a quarter of the size) or ``"cifar"`` (3x3, full size).
        include_top: Whether to add pooling and the head.
        weights: ``None`` or the path of a file; a head of other ``classes`` is new, another
            number of channels adapts the first kernel.
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
        ``stem``, ``stage1`` ... ``stageS`` (both paths) and ``head``.

    Raises:
        ValueError: If the image is too small (under 32 pixels), the stages differ in
            number, are too deep for Keras or not to be divided into the groups, or
            ``stochastic_depth``, ``attention``, ``stem``, ``pooling`` or ``weights`` is
            none of the above.

    Example:

    >>> sizes = {"widths": (16, 32), "growths": (4, 8), "bottleneck": 8, "groups": 4}
    >>> model = DPN((2, 1), **sizes, input_shape=(32, 32, 3), classes=10)
    >>> model.get_layer("stage2").output.shape
    (None, 4, 4, 56)
    """
    check_stages(depths, widths=widths, growths=growths)
    inner = [bottleneck * width // widths[0] for width in widths]
    if groups < 1 or any(width % groups for width in inner):
        raise invalid("groups", f"a divisor of each of {inner}", groups)
    check_depth(depths, layers_each=1)  # its addition
    rates = iter(linear_rates(stochastic_depth, sum(depths)))
    image, finish = image_classifier(
        include_top,
        weights,
        input_tensor,
        input_shape,
        pooling,
        classes,
        classifier_activation,
        name,
        family="DPN",
        smallest=smallest_side(stem, len(depths) - 1),
        depths=depths,
        widths=widths,
        growths=growths,
        bottleneck=bottleneck,
        groups=groups,
    )
    paths: Sequence[keras.KerasTensor]
    paths = [convolutional_stem(image, stem_width, stem, size=stem_size, epsilon=EPSILON)]
    for stage, depth in enumerate(depths, start=1):
        for index in range(1, depth + 1):
            paths = dual_path_block(
                paths,
                widths[stage - 1],
                inner[stage - 1],
                growths[stage - 1],
                stride=2 if stage > 1 and index == 1 else 1,
                groups=groups,
                attention=attention,
                stochastic_depth=next(rates),
                name=f"stage{stage}_block{index}",
            )
        x = layers.Concatenate(name=f"stage{stage}")(paths)
        paths = [x]  # from which both begin anew
    x = bn_relu(x, EPSILON, name="final")
    return finish(x, top=functools.partial(global_average, dropout=dropout))
