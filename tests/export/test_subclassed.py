"""Models of classes of their own, which have no graph of layers."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_arch.export import export
from tests.export.reading import ask, names

RNG = np.random.default_rng(0)


class Net(keras.Model):
    """One input, one output."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.stem = layers.Conv2D(4, 3)
        self.norm = layers.BatchNormalization()
        self.head = layers.Dense(4)

    def call(self, image, training=False):
        x = self.norm(self.stem(image), training=training)
        return self.head(keras.ops.mean(x, (1, 2)))


class Several(keras.Model):
    """A dictionary in, a list out."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.embed = layers.Embedding(5, 3)
        self.dense = layers.Dense(3)

    def call(self, inputs):
        tokens = keras.ops.mean(self.embed(inputs["tokens"]), 1)
        return [tokens + self.dense(inputs["values"]), tokens]


class Parts(keras.Model):
    """Two arguments, and a `build` that names them."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(3)

    def build(self, left_shape, right_shape):
        self.dense.build(left_shape)
        self.built = True

    def call(self, left, right):
        return {"sum": self.dense(left) + self.dense(right)}


def test_one_input(tmp_path):
    images = RNG.random((3, 6, 6, 3)).astype("float32")
    model = Net()
    expected = model(images)
    model.norm.moving_mean.assign(np.ones(4))
    expected = model(images)
    path = export(model, tmp_path, class_names=["a", "b", "c", "d"])
    inputs, outputs = names(path)["serving_default"]
    assert (inputs, outputs) == ({"image": (None, 6, 6, 3)}, {"outputs": (None, 4)})
    found = ask(path, "serving_default", image=images)["outputs"]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert set(names(path)) >= {"serving_bytes", "classify", "top_k"}
    stored = (path / "variables" / "variables.data-00000-of-00001").stat().st_size
    assert stored < 4 * model.count_params() + 1000
    np.testing.assert_array_equal(model(images), expected)


def test_several_inputs(tmp_path):
    model = Several()
    given = {"tokens": np.int32([[1, 2], [3, 4]]), "values": RNG.random((2, 4)).astype("float32")}
    expected = model(given)
    path = export(model, tmp_path, warmup=given)
    inputs, outputs = names(path)["serving_default"]
    assert inputs == {"tokens": (None, 2), "values": (None, 4)}
    assert set(outputs) == {"outputs_0", "outputs_1"}
    answer = ask(path, "serving_default", **given)
    for index in range(2):
        np.testing.assert_allclose(answer[f"outputs_{index}"], expected[index], atol=1e-5)
    with pytest.raises(ValueError, match="`warmup`"):
        export(model, tmp_path, warmup=[given["tokens"]])


def test_two_arguments(tmp_path):
    model = Parts()
    left, right = RNG.random((2, 5, 4)).astype("float32")
    expected = model(left, right)["sum"]
    path = export(model, tmp_path)
    assert set(names(path)["serving_default"][0]) == {"left", "right"}
    found = ask(path, "serving_default", left=left, right=right)["sum"]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def functional_and_more():
    values = keras.Input((3,), name="values")
    inner = keras.Model(values, layers.Dense(2, name="head")(values))

    class Doubled(type(inner)):
        def call(self, inputs, training=None, mask=None):
            return 2.0 * super().call(inputs, training=training, mask=mask)

    return Doubled(values, inner.output, name="doubled")


def test_a_call_of_its_own_is_served(tmp_path):
    model = functional_and_more()
    values = RNG.random((2, 3)).astype("float32")
    expected = model(values)
    found = ask(export(model, tmp_path), "serving_default", values=values)
    np.testing.assert_allclose(*found.values(), expected, atol=1e-6)


def test_what_is_not_built(tmp_path):
    with pytest.raises(ValueError, match="Invalid value for argument `model`"):
        export(Net(), tmp_path / "served")
    with pytest.raises(ValueError, match="Invalid value for argument `model`"):
        export(layers.Dense(2), tmp_path / "served")
    assert not list(tmp_path.iterdir())


def test_it_cannot_be_folded(tmp_path):
    model = Net()
    model(np.zeros((1, 6, 6, 3), "float32"))
    with pytest.raises(ValueError, match="no graph of layers"):
        export(model, tmp_path / "served", optimize="fold")
    assert not list(tmp_path.iterdir())
