"""The Inception module: several kernels look at one map side by side, training picks.

Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich. Going Deeper with
Convolutions. CVPR 2015. https://arxiv.org/abs/1409.4842

    x -> [1x1],  [1x1 -> 3x3],  [1x1 -> 5x5],  [pooling -> 1x1]  -> channels, concatenated
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
from keras import layers

from keras_arch.errors import invalid
from keras_arch.layers.convolution import Size, conv_bn_relu, pad_strided
from keras_arch.layers.depth import check_depth
from keras_arch.layers.stem import check_stem
from keras_arch.layers.width import check_alpha

Step = Any  # a convolution, a pooling, or a list of branches: see `inception_module`
STEM = (  # how the stem of v3 and of both Inception-ResNets begins, to 71x71x192 of 299x299
    (32, 3, 2),
    (32, 3, 1, "valid"),
    (64, 3),
    ("max", 3, 2),
    (80, 1),
    (192, 3, 1, "valid"),
)
POOLING = {"max": layers.MaxPooling2D, "avg": layers.AveragePooling2D}


def convolution_unit(
    x: keras.KerasTensor,
    filters: int,
    size: Size,
    stride: int = 1,
    padding: str | None = None,
    strided: str = "same",
    norm: bool = True,
    use_bias: bool = False,
    scale: bool = True,
    epsilon: float = 1e-3,
    alpha: float = 1.0,
    name: str = "unit",
) -> keras.KerasTensor:
    """Convolution, normalization, ReLU: ``(B, H, W, C) -> (B, H/stride, W/stride, filters)``.

    Args:
        x: The features.
        filters: Channels of the output.
        size: Of the kernel; ``(1, 7)`` is a row of seven.
        stride: Of the convolution.
        padding: ``"same"``, ``"valid"``, or ``"both"``: zeros on all sides alike, where
            Keras's "same" pads more behind than before. By default ``strided`` decides.
        strided: Padding by default where ``stride`` is not 1; elsewhere it is ``"same"``.
        norm: Whether a normalization stands between convolution and ReLU.
        use_bias: Whether the convolution has a bias.
        scale: Whether the normalization has a scale (gamma).
        epsilon: Of the normalization.
        alpha: Width multiplier: factor of ``filters``.
        name: Prefix of the layers' names.
    """
    padding = padding or ("same" if stride == 1 else strided)
    if padding == "both":
        x, padding = pad_strided(x, size, "both", name=f"{name}_pad"), "valid"
    filters = max(1, round(alpha * filters))
    if not norm:
        return layers.Conv2D(
            filters,
            size,
            stride,
            padding,
            activation="relu",
            use_bias=use_bias,
            name=f"{name}_conv",
        )(x)
    return conv_bn_relu(
        x,
        filters,
        size,
        stride,
        use_bias,
        padding=padding,
        epsilon=epsilon,
        scale=scale,
        name=name,
    )


def pooling_unit(
    x: keras.KerasTensor,
    kind: str,
    size: int = 3,
    stride: int = 1,
    padding: str | None = None,
    strided: str = "same",
    count_padding: bool = False,
    name: str = "pool",
) -> keras.KerasTensor:
    """Pooling: ``(B, H, W, C) -> (B, H/stride, W/stride, C)``.

    Args:
        x: The features.
        kind: ``"max"`` or ``"avg"``.
        size: Of the window.
        stride: Of the window.
        padding: ``"same"`` or ``"valid"``; by default as in ``convolution_unit``.
        strided: Padding by default where ``stride`` is not 1; elsewhere it is ``"same"``.
        count_padding: Whether zeros around the map count in an average (Caffe, PyTorch),
            which leaves the border darker, or do not (TensorFlow).
        name: Name of the layer.
    """
    padding = padding or ("same" if stride == 1 else strided)
    if kind == "avg" and count_padding and padding == "same":
        x = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
        padding = "valid"
    return POOLING[kind](size, stride, padding, name=name)(x)


def inception_branch(
    x: keras.KerasTensor,
    steps: Sequence[Step],
    convolve: Callable[..., keras.KerasTensor] = convolution_unit,
    pool: Callable[..., keras.KerasTensor] = pooling_unit,
    name: str = "branch",
) -> keras.KerasTensor:
    """Step after step: ``(B, H, W, C) -> (B, H', W', C')``.

    Args:
        x: The features.
        steps: What is done. A step is a convolution, ``(filters, size)``, a pooling,
            ``("max", size)`` or ``("avg", size)``, either with a stride and a padding
            behind, or a list of branches, which fork there and are concatenated.
        convolve: Makes a convolution: ``convolve(x, *step, name=...)``.
        pool: Makes a pooling: ``pool(x, *step, name=...)``.
        name: Prefix of the layers' names: ``<name>_1_conv`` is in the first step.
    """
    for number, step in enumerate(steps, start=1):
        here = f"{name}_{number}"
        if isinstance(step, list):
            x = inception_module(x, *step, convolve=convolve, pool=pool, name=here)
        else:
            make = pool if isinstance(step[0], str) else convolve
            x = make(x, *step, name=here)
    return x


def inception_module(
    x: keras.KerasTensor,
    *branches: Sequence[Step],
    convolve: Callable[..., keras.KerasTensor] = convolution_unit,
    pool: Callable[..., keras.KerasTensor] = pooling_unit,
    name: str = "inception",
) -> keras.KerasTensor:
    """Branches side by side: ``(B, H, W, C) -> (B, H', W', sum of the branches' channels)``.

    Args:
        x: The features.
        *branches: The steps of each branch, see ``inception_branch``.
        convolve: Makes a convolution: ``convolve(x, *step, name=...)``.
        pool: Makes a pooling: ``pool(x, *step, name=...)``.
        name: Name of the output; its parts are ``<name>_branch1_1_conv`` and so on.

    Raises:
        ValueError: If there are not two branches at least.

    Example:

    >>> x = keras.Input((28, 28, 192))
    >>> inception_module(
    ...     x, [(64, 1)], [(96, 1), (128, 3)], [(16, 1), (32, 4)], [("max", 3), (32, 1)]
    ... ).shape
    (None, 28, 28, 256)
    """
    if len(branches) < 2:
        raise invalid("branches", "at least two", branches)
    ends = [
        inception_branch(x, steps, convolve, pool, name=f"{name}_branch{index}")
        for index, steps in enumerate(branches, start=1)
    ]
    return layers.Concatenate(name=name)(ends)


def fitting(size: int, x: keras.KerasTensor) -> tuple[int, int]:
    """A window of this size, or as much of it as a small map has: ``(height, width)``."""
    rows, columns = (min(size, side or size) for side in x.shape[1:3])
    return rows, columns


def convolutions(steps: Sequence[Step], name: str) -> Iterator[str]:
    """Names of the convolutions of a branch, in the order in which it makes them."""
    for number, step in enumerate(steps, start=1):
        if isinstance(step, list):
            for index, branch in enumerate(step, start=1):
                yield from convolutions(branch, name=f"{name}_{number}_branch{index}")
        elif not isinstance(step[0], str):
            yield f"{name}_{number}"


def numbered(places: Sequence[str]) -> dict[str, str]:
    """Layers of keras.applications, which number the convolutions through, -> ours."""
    return {
        **{rf"^conv2d_{i}$": f"{place}_conv" for i, place in enumerate(places)},
        **{rf"^batch_normalization_{i}$": f"{place}_bn" for i, place in enumerate(places)},
        r"^predictions$": "head",
    }


def without_strides(steps: Sequence[Step]) -> list[Step]:
    """The same steps at full size, which is how a stem is made for small images."""
    return [
        [without_strides(branch) for branch in step] if isinstance(step, list) else step[:2]
        for step in steps
    ]


def smallest_image(stem: str, stages: int) -> int:
    """Pixels that leave one behind the last stage, where nothing is padded.

    For ``n`` pixels a 3x3 window needs ``n + 2``, and with stride 2, as between the stages,
    ``2 n + 1``. From Inception v3 on a stem has two of the first kind and three of the second.
    """
    pixels = 2**stages - 1
    return pixels if stem == "cifar" else 8 * pixels + 19


def check_inception(
    depths: Sequence[int],
    stem: str,
    alpha: float,
    rows: Sequence[int] | None = None,
    scales: Sequence[float] | None = None,
) -> None:
    """Refuse what no Inception network has: a fourth stage, a module beyond the table.

    Args:
        depths: Modules in each stage.
        stem: ``"imagenet"`` or ``"cifar"``.
        alpha: Width multiplier.
        rows: Modules of each stage that the paper describes; ``None`` if all are alike.
        scales: Of an Inception-ResNet, the factors of each stage's residuals, and perhaps
            of its last block.

    Raises:
        ValueError: If ``depths``, ``stem``, ``alpha`` or ``scales`` is none of these.
    """
    check_stem(stem)
    check_alpha(alpha)
    # A module's first branch is a 1x1 convolution; the residual ones add and rectify.
    check_depth(depths, layers_each=4 if scales is None else 2)
    if len(depths) > 3:
        raise invalid("depths", "at most three stages", depths)
    if rows and any(depth > most for depth, most in zip(depths, rows, strict=False)):
        raise invalid("depths", f"at most {tuple(rows)} modules, as the paper has", depths)
    if scales is not None and len(scales) - len(depths) not in (0, 1):
        raise invalid("scales", f"{len(depths)} factors, one more for a linear end", scales)
