"""ErrorModulation: gradients are those of an error that keeps its size."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_arch.callbacks import ErrorModulation, GradientFlow

RATE = 0.1


def network():
    keras.utils.set_random_seed(1)
    image = x = keras.Input((8, 8, 2), name="image")
    for index in range(4):
        law = keras.initializers.HeNormal(seed=index)
        x = keras.layers.Conv2D(
            4, 3, padding="same", use_bias=False, kernel_initializer=law, name=f"conv{index}"
        )(x)
        x = keras.layers.BatchNormalization(name=f"bn{index}")(x)
        x = keras.layers.ReLU(name=f"relu{index}")(x)
    x = keras.layers.Dropout(0.2, seed=3, name="dropout")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(image, keras.layers.Dense(3, name="head")(x))
    model.compile(
        keras.optimizers.SGD(RATE),
        keras.losses.SparseCategoricalCrossentropy(True),
        jit_compile=False,
    )
    return model


rng = np.random.default_rng(0)
X, Y = rng.normal(size=(16, 8, 8, 2)).astype("float32"), rng.integers(0, 3, 16)


def steps(callbacks, count=1):
    """What each variable is moved by."""
    model = network()
    before = [v.numpy() for v in model.trainable_variables]
    data = tf.data.Dataset.from_tensors((X, Y)).repeat(count)
    model.fit(data, callbacks=callbacks, shuffle=False, verbose=0)
    pairs = zip(before, model.trainable_variables, strict=True)
    return model, {v.path: v.numpy() - old for old, v in pairs}


def test_each_layer_is_scaled_as_its_errors_are():
    plain, moved = steps([])
    callback = ErrorModulation((X, Y))
    modulated, scaled = steps([callback])
    assert list(callback.factors) == ["conv0", "conv1", "conv2", "conv3", "head"]
    assert callback.factors["head"] == 1
    assert len({round(factor, 3) for factor in callback.factors.values()}) == 5
    for path, move in moved.items():
        owner = path.split("/")[0].replace("bn", "conv")
        np.testing.assert_allclose(scaled[path], callback.factors[owner] * move, atol=1e-6)
    # The measure left statistics and seeds alone.
    for one, other in zip(plain.variables, modulated.variables, strict=True):
        if not one.trainable:
            np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_the_factors_make_the_errors_alike():
    """The error that is multiplied on its way, by hand: layers with a gradient of their own."""
    callback = ErrorModulation((X, Y))
    callback.set_model(network())
    norms = callback.measure()
    callback.on_train_batch_begin(0)
    factors = np.array(list(callback.factors.values()))
    np.testing.assert_allclose(factors * norms, norms[-1], rtol=1e-4)
    model = network()
    with tf.GradientTape() as tape:
        x, outputs = tf.constant(X), []
        for layer in model.layers[1:]:
            x = layer(x, training=True) if layer.name[:2] in ("bn", "dr") else layer(x)
            if layer.name[:4] in ("conv", "head"):
                outputs.append(x)
        loss = model.compute_loss(X, Y, x)
    expected = [np.linalg.norm(error) for error in tape.gradient(loss, outputs)]
    np.testing.assert_allclose(norms, expected, rtol=1e-4)


def test_a_softmax_that_the_loss_passes_by_is_left_alone():
    model = network()
    model.get_layer("head").activation = keras.activations.softmax
    model.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
    callback = ErrorModulation((X, Y))
    model.fit(X, Y, batch_size=16, callbacks=[callback], verbose=0)
    assert callback.factors["head"] == callback.factors["conv3"] == 1
    assert callback.factors["conv0"] != 1


def test_it_measures_at_intervals(monkeypatch):
    seen = []
    callback = ErrorModulation((X, Y), every=3)
    measure = callback.measure

    def counted():
        seen.append(int(callback.model.optimizer.iterations))
        return measure()

    monkeypatch.setattr(callback, "measure", counted)
    steps([callback], count=8)
    assert seen == [0, 3, 6]


def test_factors_are_limited():
    callback = ErrorModulation((X, Y), limit=1.01)
    steps([callback])
    assert all(1 / 1.0101 < factor < 1.0101 for factor in callback.factors.values())


@pytest.mark.parametrize("first", [True, False])
def test_gradient_flow_records_beside_it(first, tmp_path):
    pair = [ErrorModulation((X, Y)), GradientFlow(tmp_path)]
    _, moved = steps(pair if first else pair[::-1])
    _, alone = steps([ErrorModulation((X, Y))])
    for path, move in moved.items():
        np.testing.assert_allclose(move, alone[path], atol=1e-7)
    assert list((tmp_path / "gradient_flow").iterdir())


def test_nothing_is_left_behind():
    model, _ = steps([ErrorModulation((X, Y))])
    assert "apply" not in vars(model.optimizer)
    for argument in ("every", "limit"):
        with pytest.raises(ValueError, match=f"`{argument}`"):
            ErrorModulation((X, Y), **{argument: 0})
