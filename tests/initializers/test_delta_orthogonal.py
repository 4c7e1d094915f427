"""Delta-orthogonal kernels: the law of the paper, and the two libraries that have it."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_arch.initializers import DeltaOrthogonal

SHAPES = [(3, 4, 6), (5, 3, 4, 4), (2, 4, 3, 5, 7)]  # 1-D, 2-D, 3-D; odd and even windows


def parts(kernel):
    """The matrix at the centre, and the kernel without it."""
    kernel = np.array(ops.cast(kernel, "float64"))
    centre = tuple((size - 1) // 2 for size in kernel.shape[:-2])
    matrix = kernel[centre].copy()
    kernel[centre] = 0.0
    return matrix, kernel


def theirs_tensorflow(gain, shape):
    from tensorflow.python.ops.init_ops import ConvolutionDeltaOrthogonal

    return ConvolutionDeltaOrthogonal(gain, seed=1)(shape)


def theirs_jax(gain, shape):
    jax = pytest.importorskip("jax")
    return jax.nn.initializers.delta_orthogonal(gain)(jax.random.key(1), shape)


def ours(gain, shape):
    return DeltaOrthogonal(gain, seed=1)(shape)


@pytest.mark.parametrize("make", [ours, theirs_tensorflow, theirs_jax])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rows_at_the_centre_are_orthogonal_and_all_else_is_zero(make, shape):
    matrix, rest = parts(make(1.7, shape))
    np.testing.assert_allclose(matrix @ matrix.T, 1.7**2 * np.eye(shape[-2]), atol=2e-6)
    assert not rest.any()


@pytest.mark.parametrize("window", [3, 4])
def test_a_convolution_multiplies_every_norm_by_the_gain(window):
    layer = keras.layers.Conv2D(
        8, window, padding="same", use_bias=False, kernel_initializer=DeltaOrthogonal(2.0)
    )
    x = np.random.default_rng(0).normal(size=(5, 6, 7, 4)).astype("float32")
    norms = np.linalg.norm(np.reshape(layer(x), (5, -1)), axis=1)
    np.testing.assert_allclose(norms, 2.0 * np.linalg.norm(x.reshape(5, -1), axis=1), rtol=1e-5)


def test_a_transposed_one_keeps_norms_where_both_sides_have_as_many_channels():
    layer = keras.layers.Conv2DTranspose(
        4, 3, padding="same", use_bias=False, kernel_initializer=DeltaOrthogonal(2.0)
    )
    x = np.random.default_rng(0).normal(size=(5, 6, 7, 4)).astype("float32")
    norms = np.linalg.norm(np.reshape(layer(x), (5, -1)), axis=1)
    np.testing.assert_allclose(norms, 2.0 * np.linalg.norm(x.reshape(5, -1), axis=1), rtol=1e-5)


def circular(x, kernel):
    for axis in (1, 2):
        size = x.shape[axis]
        first, last = ops.take(x, [0], axis), ops.take(x, [size - 1], axis)
        x = ops.concatenate([last, x, first], axis)
    return ops.conv(x, kernel, padding="valid")


def singular_values(initializer, depth):
    x = ops.reshape(ops.eye(32), (32, 2, 2, 8))
    for _ in range(depth):
        x = circular(x, initializer((3, 3, 8, 8)))
    return np.linalg.svd(np.reshape(x, (32, 32)), compute_uv=False)


def test_a_thousand_linear_layers_are_an_isometry():
    values = singular_values(DeltaOrthogonal(seed=keras.random.SeedGenerator(0)), 1000)
    np.testing.assert_allclose(values, 1.0, atol=1e-4)


def test_gaussian_kernels_of_the_same_variance_lose_everything():
    normal = keras.initializers.RandomNormal(
        stddev=(1 / 72) ** 0.5, seed=keras.random.SeedGenerator(0)
    )
    assert singular_values(normal, 1000).max() < 1e-6


def test_the_law_is_uniform_over_orthogonal_matrices():
    seeds = keras.random.SeedGenerator(0)
    initializer = DeltaOrthogonal(seed=seeds)
    drawn = np.stack([parts(initializer((1, 1, 3, 3)))[0] for _ in range(400)])
    # Of the uniform law: E trace = 0, E trace^2 = 1, E h_ij^2 = 1/3, det = +-1 equally often.
    traces = np.trace(drawn, axis1=1, axis2=2)
    assert abs(traces.mean()) < 0.2
    assert abs((traces**2).mean() - 1) < 0.3
    np.testing.assert_allclose((drawn**2).mean(0), 1 / 3, atol=0.07)
    np.testing.assert_allclose(drawn.mean(0), 0.0, atol=0.12)
    assert 0.4 < (np.linalg.det(drawn) > 0).mean() < 0.6


def test_an_integer_seed_repeats_and_a_generator_goes_on():
    shape = (3, 3, 4, 4)
    fixed = DeltaOrthogonal(seed=7)
    np.testing.assert_array_equal(fixed(shape), fixed(shape))
    np.testing.assert_array_equal(fixed(shape), DeltaOrthogonal(seed=7)(shape))
    moving = DeltaOrthogonal(seed=keras.random.SeedGenerator(7))
    assert not np.array_equal(moving(shape), moving(shape))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_dtype(dtype):
    kernel = DeltaOrthogonal(seed=0)((3, 4, 6), dtype=dtype)
    assert keras.backend.standardize_dtype(kernel.dtype) == dtype
    matrix, _ = parts(kernel)
    tolerance = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 1e-6, "float64": 1e-14}[dtype]
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(4), atol=tolerance)


def test_a_layer_with_it_reloads(tmp_path):
    inputs = keras.Input((8, 3), name="sequence")
    law = DeltaOrthogonal(1.5, seed=3)
    model = keras.Model(inputs, keras.layers.Conv1D(4, 3, kernel_initializer=law)(inputs))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras").layers[-1].kernel_initializer
    assert isinstance(again, DeltaOrthogonal)
    assert again.get_config() == {"gain": 1.5, "seed": 3}


@pytest.mark.parametrize(
    "shape", [(4, 4), (3, 3, 3, 3, 4, 4), (3, 3, 8, 4)], ids=["dense", "4-D", "narrowing"]
)
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"`shape`.*channels_in <= channels_out.*Received"):
        DeltaOrthogonal()(shape)
