import keras
import pytest

from keras_arch.layers import check_depth
from keras_arch.layers.depth import LONGEST_WALK


def test_too_many_blocks_are_refused_with_the_limit():
    check_depth((300, 155), layers_each=2)
    with pytest.raises(ValueError, match=r"`depths`.*at most 455 blocks.*depths=\(300, 156\)"):
        check_depth((300, 156), layers_each=2)


def test_the_limit_can_be_built_and_loaded(tmp_path):
    x = inputs = keras.Input((1,), name="image")
    for index in range(LONGEST_WALK):
        x = keras.layers.Identity(name=f"layer{index}")(x)
    keras.Model(inputs, x).save(tmp_path / "deep.keras")
    assert len(keras.models.load_model(tmp_path / "deep.keras").layers) == LONGEST_WALK + 1


def test_beyond_the_limit_keras_fails():
    x = inputs = keras.Input((1,), name="image")
    for index in range(1000):
        x = keras.layers.Identity(name=f"layer{index}")(x)
    with pytest.raises(RecursionError):
        keras.Model(inputs, x)


def test_the_first_input_of_a_merge_is_walked_first():
    """So a block with a shortcut costs the layers of the shortcut, not of the branch."""
    x = inputs = keras.Input((1,), name="image")
    for index in range(300):
        y = x
        for step in range(4):
            y = keras.layers.Identity(name=f"block{index}_{step}")(y)
        x = keras.layers.Add(name=f"block{index}")([x, y])
    assert keras.Model(inputs, x).count_params() == 0
