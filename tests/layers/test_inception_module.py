"""Inception modules: branches side by side, of any kernels."""

import keras
import numpy as np
import pytest
from formula import fill_keras

from keras_arch.layers import (
    convolution_unit,
    convolutions,
    inception_branch,
    inception_module,
    pooling_unit,
    smallest_image,
    without_strides,
)

BRANCHES = ([(3, 1)], [(2, 1), (4, 3)], [(2, 1), (5, 4)], [("max", 3), (6, 1)])  # 4x4 too


def module(*branches, size=7, channels=3, **parts):
    image = keras.Input((size, size, channels), name="image")
    return fill_keras(keras.Model(image, inception_module(image, *branches, **parts)), classes=0)


def image(size=7, channels=3):
    return np.random.default_rng(0).uniform(-1, 1, (2, size, size, channels)).astype("float32")


def correlate(x, kernel, before):
    """By the definition, zeros around: ``(B, H, W, C) -> (B, H, W, F)``."""
    rows, columns = kernel.shape[:2]
    pads = [(before[0], rows - 1 - before[0]), (before[1], columns - 1 - before[1])]
    padded = np.pad(x, [(0, 0), *pads, (0, 0)])
    height, width = x.shape[1:3]
    return sum(
        padded[:, i : i + height, j : j + width] @ kernel[i, j]
        for i in range(rows)
        for j in range(columns)
    )


def unit(model, x, name):
    """A convolution unit in numpy, at inference."""
    kernel = np.asarray(model.get_layer(f"{name}_conv").kernel)
    before = [(side - 1) // 2 for side in kernel.shape[:2]]
    norm = model.get_layer(f"{name}_bn")
    gamma, beta, mean, variance = (np.asarray(weight) for weight in norm.weights)
    x = (correlate(x, kernel, before) - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    return np.maximum(x, 0)


def largest(x):
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return windows.max(axis=(-2, -1))


def test_it_is_its_branches_side_by_side():
    model, x = module(*BRANCHES, name="mixed"), image()
    ends = [unit(model, x, "mixed_branch1_1")]
    ends.append(unit(model, unit(model, x, "mixed_branch2_1"), "mixed_branch2_2"))
    ends.append(unit(model, unit(model, x, "mixed_branch3_1"), "mixed_branch3_2"))
    ends.append(unit(model, largest(x), "mixed_branch4_2"))
    found = np.asarray(model(x))
    assert found.shape == (2, 7, 7, 3 + 4 + 5 + 6)
    np.testing.assert_allclose(found, np.concatenate(ends, axis=-1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("branch", [1, 2, 3, 4])
def test_each_branch_is_reached_alone(branch):
    model, x = module(*BRANCHES, name="mixed"), image()
    before = np.asarray(model(x))
    last = {1: 1}.get(branch, 2)
    kernel = model.get_layer(f"mixed_branch{branch}_{last}_conv").kernel
    kernel.assign(-2 * kernel)
    changed = np.any(np.asarray(model(x)) != before, axis=(0, 1, 2))
    edges = np.cumsum([0, 3, 4, 5, 6])
    mine = np.zeros(18, bool)
    mine[edges[branch - 1] : edges[branch]] = True
    np.testing.assert_array_equal(changed & ~mine, False)
    assert changed[mine].any()


def test_3a_of_googlenet():
    x = keras.Input((28, 28, 192))
    branches = [(64, 1)], [(96, 1), (128, 3)], [(16, 1), (32, 5)], [("max", 3), (32, 1)]

    def convolve(x, filters, size, name):
        return convolution_unit(x, filters, size, norm=False, use_bias=True, name=name)

    model = keras.Model(x, inception_module(x, *branches, convolve=convolve))
    assert model.output_shape == (None, 28, 28, 256)
    assert model.count_params() == 163_696


def test_a_fork_inside_a_branch_is_a_module():
    fork = [[(2, (1, 3))], [(3, (3, 1))]]
    model, x = module([(4, 1), fork], [("max", 3)], name="mixed"), image()
    first = unit(model, x, "mixed_branch1_1")
    ends = [unit(model, first, f"mixed_branch1_2_branch{i}_1") for i in (1, 2)]
    np.testing.assert_allclose(
        model(x), np.concatenate([*ends, largest(x)], axis=-1), rtol=1e-4, atol=1e-5
    )
    assert list(convolutions([(4, 1), fork], "mixed_branch1")) == [
        "mixed_branch1_1",
        "mixed_branch1_2_branch1_1",
        "mixed_branch1_2_branch2_1",
    ]


def test_zeros_around_count_or_do_not():
    ones = keras.ops.ones((1, 5, 5, 1))
    plain = np.asarray(pooling_unit(ones, "avg", 3))[0, :, :, 0]
    counted = np.asarray(pooling_unit(ones, "avg", 3, count_padding=True))[0, :, :, 0]
    np.testing.assert_allclose(plain, 1)
    np.testing.assert_allclose(counted[0], [4 / 9, 6 / 9, 6 / 9, 6 / 9, 4 / 9], rtol=1e-6)
    np.testing.assert_allclose(counted[1:-1, 1:-1], 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("padding", "first"),  # of six pixels, which are seen by the first window
    [("same", 1), ("both", 0), ("valid", 1)],
)
def test_where_zeros_stand_before_a_stride(padding, first):
    x = keras.Input((6, 6, 1))
    model = keras.Model(x, convolution_unit(x, 1, 3, 2, padding, norm=False))
    kernel = np.zeros((3, 3, 1, 1), "float32")
    kernel[1, 1] = 1  # the middle of a window
    model.set_weights([kernel])
    pixels = np.arange(36, dtype="float32").reshape(1, 6, 6, 1)
    assert model(pixels)[0, 0, 0, 0] == pixels[0, first, first, 0]
    assert model.output_shape[1] == (2 if padding == "valid" else 3)


def test_the_width_multiplier_leaves_one_channel():
    x = keras.Input((4, 4, 3))
    assert convolution_unit(x, 64, 1, alpha=0.25).shape[-1] == 16
    assert convolution_unit(x, 64, 1, alpha=0.001).shape[-1] == 1


def test_a_stem_without_strides_keeps_size_and_weights():
    steps = [(4, 3, 2, "valid"), [[("max", 3, 2)], [(5, 3, 2)]], ("avg", 3, 2), (6, 3, 1, "valid")]

    def weights(steps):
        x = keras.Input((40, 40, 3))
        model = keras.Model(x, inception_branch(x, steps, name="stem"))
        return model.output_shape[1], [weight.shape for weight in model.weights]

    size, shapes = weights(steps)
    assert size < 10
    assert weights(without_strides(steps)) == (40, shapes)


@pytest.mark.parametrize(("stem", "stages", "size"), [("imagenet", 3, 75), ("cifar", 3, 7)])
def test_the_smallest_image_leaves_one_pixel(stem, stages, size):
    assert smallest_image(stem, stages) == size
    windows = [(3, 2), (3, 1), (3, 2), (3, 1), (3, 2)] if stem == "imagenet" else []
    for window, stride in windows + [(3, 2)] * (stages - 1):
        size = (size - window) // stride + 1
    assert size == 1


def test_a_module_has_branches():
    with pytest.raises(ValueError, match=r"`branches`.*at least two"):
        inception_module(keras.Input((4, 4, 3)), [(3, 1)])
