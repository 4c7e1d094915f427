import keras
import numpy as np
import pytest

from keras_arch.layers import dual_path_block

SIZES = {"filters": 8, "width": 4, "growth": 3, "groups": 2}


def block(dense=5, **arguments):
    inputs = [keras.Input((6, 6, channels)) for channels in (8, dense)]
    return keras.Model(inputs, dual_path_block(inputs, **{**SIZES, **arguments}, name="b"))


def features(dense=5):
    random = np.random.default_rng(0)
    return [random.normal(size=(2, 6, 6, c)).astype("float32") for c in (8, dense)]


def test_it_adds_to_one_path_and_appends_to_the_other():
    model, (residual, dense) = block(), features()
    added, appended = (np.asarray(path) for path in model([residual, dense]))
    assert appended.shape[-1] == 5 + 3
    np.testing.assert_array_equal(appended[..., :5], dense)
    computed = np.asarray(
        keras.Model(model.input, model.get_layer("b_3_conv").output)([residual, dense])
    )
    np.testing.assert_allclose(added, residual + computed[..., :8], rtol=1e-6)
    np.testing.assert_array_equal(appended[..., 5:], computed[..., 8:])


def test_with_its_last_kernel_zero_a_block_adds_nothing():
    model, (residual, dense) = block(), features()
    kernel = model.get_layer("b_3_conv").kernel
    kernel.assign(np.zeros(kernel.shape))
    added, appended = model([residual, dense])
    np.testing.assert_array_equal(added, residual)
    np.testing.assert_array_equal(appended[..., 5:], np.zeros((2, 6, 6, 3)))


@pytest.mark.parametrize("arguments", [{"stride": 2}, {"filters": 10}])
def test_where_shapes_change_both_paths_begin_anew(arguments):
    model = block(**arguments)
    size = 6 // arguments.get("stride", 1)
    filters = arguments.get("filters", 8)
    assert [path.shape[1:] for path in model.output] == [(size, size, filters), (size, size, 9)]
    assert model.get_layer("b_shortcut_conv").kernel.shape == (1, 1, 13, filters + 6)
    plain = [layer.name for layer in block().layers]
    assert "b_shortcut_conv" not in plain


def test_the_3x3_is_grouped():
    assert block().get_layer("b_2_conv").kernel.shape == (3, 3, 2, 4)
