"""Cells that a search found, built from their genotype.

Zoph, Vasudevan, Shlens, Le. Learning Transferable Architectures for Scalable Image
Recognition. CVPR 2018. https://arxiv.org/abs/1707.07012

A cell reads the outputs of the two cells before it, ``"x"`` (the last) and ``"previous"``.
Each block adds two operations, each on a state: one of the two inputs, or the number of an
earlier block. The output is the concatenation of some states.
"""

from collections.abc import Sequence

import keras
from keras import layers

from keras_arch.errors import invalid
from keras_arch.layers.convolution import pad_strided
from keras_arch.layers.depthwise import EPSILON
from keras_arch.layers.stochastic_depth import StochasticDepth

Genotype = tuple[Sequence[tuple], Sequence[str | int]]  # blocks, states of the output

NORMAL_A: Genotype = (  # figure 4 of the paper
    (
        (("separable_5x5", "x"), ("separable_3x3", "previous")),
        (("separable_5x5", "previous"), ("separable_3x3", "previous")),
        (("average_3x3", "x"), ("identity", "previous")),
        (("average_3x3", "previous"), ("average_3x3", "previous")),
        (("separable_3x3", "x"), ("identity", "x")),
    ),
    ("previous", 1, 2, 3, 4, 5),
)
REDUCTION_A: Genotype = (
    (
        (("separable_5x5", "x"), ("separable_7x7", "previous")),
        (("max_3x3", "x"), ("separable_7x7", "previous")),
        (("average_3x3", "x"), ("separable_5x5", "previous")),
        (("identity", 2), ("average_3x3", 1)),
        (("separable_3x3", 1), ("max_3x3", "x")),
    ),
    (2, 3, 4, 5),
)

MOMENTUM = 0.9997  # of normalization, in keras.applications
POOLING = {"average": layers.AveragePooling2D, "max": layers.MaxPooling2D}
OPERATIONS = (
    "identity",
    *(f"separable_{size}x{size}" for size in (3, 5, 7)),
    *(f"{kind}_{size}x{size}" for kind in POOLING for size in (3, 5, 7)),
)


def check_genotype(argument: str, genotype: Genotype) -> None:
    """Refuse a genotype that names an unknown operation, or a state before it is there.

    Args:
        argument: Name of the argument, for the message.
        genotype: Blocks, and the states of the output.

    Raises:
        ValueError: If there is no block, or one is wrong.
    """
    states: set[str | int] = {"x", "previous"}
    try:
        blocks, output = genotype
        for index, ((left, a), (right, b)) in enumerate(blocks, start=1):
            wrong = not {left, right} <= set(OPERATIONS) or not {a, b} <= states
            if wrong:
                break
            states.add(index)
        else:
            wrong = not blocks or not output or not set(output) <= states
    except (TypeError, ValueError):
        wrong = True
    if wrong:
        expected = (
            f"(blocks, output): each block two pairs of an operation of {OPERATIONS} and a "
            '"x", "previous" or the number of an earlier block; output a tuple of such states'
        )
        raise invalid(argument, expected, genotype)


def nasnet_normal_cell(
    x: keras.KerasTensor,
    previous: keras.KerasTensor | None,
    filters: int,
    halve: bool = False,
    genotype: Genotype = NORMAL_A,
    drop_path: float = 0.0,
    name: str = "normal",
) -> keras.KerasTensor:
    """Keep the size: ``(B, H, W, C) -> (B, H, W, 6 * filters)`` in NASNet-A.

    Args:
        x: Output of the cell before.
        previous: Output of the cell before that; ``None`` takes ``x`` for it.
        filters: Channels of every state.
        halve: Whether ``previous`` has twice the size of ``x``.
        genotype: Blocks, and the states of the output.
        drop_path: How often the result of an operation is left out in training, for each
            sample by itself; an identity never is.
        name: Prefix of the layers' names.

    Raises:
        ValueError: If ``genotype`` is wrong.
    """
    check_genotype("genotype", genotype)
    previous = x if previous is None else previous
    if halve:
        previous = factorized_reduction(previous, filters, name=f"{name}_previous")
    elif previous.shape[-1] != filters:
        previous = pointwise(previous, filters, name=f"{name}_previous")
    return _cell(x, previous, filters, 1, genotype, drop_path, name)


def nasnet_reduction_cell(
    x: keras.KerasTensor,
    previous: keras.KerasTensor | None,
    filters: int,
    halve: bool = False,
    genotype: Genotype = REDUCTION_A,
    drop_path: float = 0.0,
    name: str = "reduction",
) -> keras.KerasTensor:
    """Halve the size: ``(B, H, W, C) -> (B, H/2, W/2, 4 * filters)`` in NASNet-A.

    Operations on the inputs have stride 2. Zeros around the image count for pooling with a
    stride, as in ``keras.applications``.

    Args:
        x: Output of the cell before.
        previous: Output of the cell before that; ``None`` takes ``x`` for it, as it is.
        filters: Channels of every state.
        halve: Whether ``previous`` has twice the size of ``x``.
        genotype: Blocks, and the states of the output.
        drop_path: How often the result of an operation is left out in training, for each
            sample by itself; an identity never is.
        name: Prefix of the layers' names.

    Raises:
        ValueError: If ``genotype`` is wrong, or takes an input as it is.
    """
    check_genotype("genotype", genotype)
    taken = {state for block in genotype[0] for kind, state in block if kind == "identity"}
    if {"x", "previous"} & {*taken, *genotype[1]}:
        raise invalid("genotype", "no input of a reduction cell as it is", genotype)
    if previous is None:
        previous = x
    elif halve:
        previous = factorized_reduction(previous, filters, name=f"{name}_previous")
    elif previous.shape[-1] != filters:
        previous = pointwise(previous, filters, name=f"{name}_previous")
    return _cell(x, previous, filters, 2, genotype, drop_path, name)


def pointwise(x, filters, name):
    """ReLU and a normalized 1x1 convolution: ``(B, H, W, C) -> (B, H, W, filters)``."""
    x = layers.ReLU(name=f"{name}_relu")(x)
    return _bn(_conv1x1(x, filters, name=f"{name}_conv"), name=f"{name}_bn")


def factorized_reduction(x, filters, name):
    """Half of the channels from even pixels, half from odd: ``(B, H/2, W/2, filters)``."""
    x = layers.ReLU(name=f"{name}_relu")(x)
    odd = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"{name}_pad")(x)
    odd = layers.Cropping2D(((1, 0), (1, 0)), name=f"{name}_shift")(odd)
    parts = []
    for index, (part, width) in enumerate([(x, filters // 2), (odd, -(-filters // 2))], start=1):
        part = layers.AveragePooling2D(1, strides=2, name=f"{name}_pick{index}")(part)
        parts.append(_conv1x1(part, width, name=f"{name}_conv{index}"))
    return _bn(layers.Concatenate(name=f"{name}_concat")(parts), name=f"{name}_bn")


def _cell(x, previous, filters, stride, genotype, drop_path, name):
    blocks, output = genotype
    states = {"x": pointwise(x, filters, name=f"{name}_x"), "previous": previous}
    shared = {}  # what has no weights is computed once for a state

    def operate(operation, state, name_here):
        kind, _, size = operation.partition("_")
        here = stride if state in ("x", "previous") else 1
        if kind == "identity":
            return states[state]
        key = (state, "separable_relu" if kind == "separable" else operation)
        if key not in shared:
            at = f"{name}_{state}_{key[1]}"
            if kind == "separable":
                shared[key] = layers.ReLU(name=at)(states[state])
            else:
                shared[key] = _pool(states[state], kind, int(size[0]), here, name=at)
        x = shared[key]
        if kind == "separable":
            x = _separable(x, filters, int(size[0]), here, name=name_here)
        if drop_path:
            x = StochasticDepth(drop_path, "inverted", "sample", name=f"{name_here}_drop")(x)
        return x

    for index, block in enumerate(blocks, start=1):
        sides = [
            operate(operation, state, name_here=f"{name}_block{index}_{side}")
            for side, (operation, state) in zip(("left", "right"), block, strict=True)
        ]
        states[index] = layers.Add(name=f"{name}_block{index}_add")(sides)
    if len(output) == 1:
        return states[output[0]]
    return layers.Concatenate(name=f"{name}_concat")([states[state] for state in output])


def _separable(x, filters, size, stride, name):
    """Twice, the first time with the stride; ``x`` is rectified already."""
    for index, here in ((1, stride), (2, 1)):
        if index == 2:
            x = layers.ReLU(name=f"{name}_relu")(x)
        x = layers.SeparableConv2D(
            filters, size, here, "same", use_bias=False, name=f"{name}_conv{index}"
        )(x)
        x = _bn(x, name=f"{name}_bn{index}")
    return x


def _pool(x, kind, size, stride, name):
    pool = POOLING[kind]
    if stride == 1:
        return pool(size, strides=1, padding="same", name=name)(x)
    if None not in x.shape[1:3]:
        x = pad_strided(x, size, name=f"{name}_pad")
        return pool(size, strides=2, name=name)(x)
    # Whether a side is odd is not known, but "same" sees it: what it leaves out of account
    # is outside of an even number of zeros, and cut off.
    zeros = 2 * -(-(size // 2) // 2)
    x = layers.ZeroPadding2D(zeros, name=f"{name}_pad")(x)
    x = pool(size, strides=2, padding="same", name=name)(x)
    return layers.Cropping2D(zeros // 2, name=f"{name}_crop")(x)


def _conv1x1(x, filters, name):
    kernel = "he_normal"  # as in keras.applications
    return layers.Conv2D(filters, 1, use_bias=False, kernel_initializer=kernel, name=name)(x)


def _bn(x, name):
    return layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, name=name)(x)
