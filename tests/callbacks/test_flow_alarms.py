"""GradientFlow says in words what is wrong, and where."""

import logging

import keras
import numpy as np
import pytest
import tensorflow as tf
from callbacks.taped_training import events, fit, scalars
from tensorboard.util import tensor_util

from keras_arch.callbacks import GradientFlow
from keras_arch.callbacks.alarms import Alarms
from keras_arch.callbacks.flow_record import FlowRecord

rng = np.random.default_rng(0)
X = rng.normal(size=(32, 16)).astype("float32")
DATA = tf.data.Dataset.from_tensors((X, rng.integers(0, 3, 32))).repeat(2)


def chain(activation, law, depth=20, width=16, bias="zeros"):
    image = x = keras.Input((16,), name="image")
    for index in range(depth):
        x = keras.layers.Dense(
            width,
            activation,
            kernel_initializer=law(seed=index),
            bias_initializer=bias,
            name=f"dense{index}",
        )(x)
    model = keras.Model(image, keras.layers.Dense(3, name="head")(x))
    loss = keras.losses.SparseCategoricalCrossentropy(True)
    model.compile(keras.optimizers.SGD(1e-3), loss, jit_compile=False)
    return model


def wide(seed):
    return keras.initializers.RandomNormal(stddev=2.0, seed=seed)


@pytest.mark.parametrize(
    ("activation", "law", "bias", "words"),
    [
        ("sigmoid", keras.initializers.GlorotUniform, "zeros", ["vanishes", "000_dense0"]),
        ("linear", wide, "zeros", ["explodes", "020_head"]),
        (
            "relu",
            keras.initializers.HeNormal,
            keras.initializers.Constant(-9),
            ["units die", "000_dense0"],
        ),
        ("relu", keras.initializers.HeNormal, "zeros", []),
    ],
    ids=["vanish", "explode", "die", "healthy"],
)
def test_what_is_said(tmp_path, caplog, activation, law, bias, words):
    callback = GradientFlow(tmp_path, every=1)
    with caplog.at_level(logging.WARNING):
        fit(chain(activation, law, bias=bias), DATA, [callback])
    if not words:
        assert callback.alarms == []
        assert caplog.records == []
        return
    [said] = [alarm for alarm in callback.alarms if words[0] in alarm]  # once, not at each step
    assert said.startswith("Step 0: ")
    assert all(word in said for word in words)
    assert said in caplog.text
    [event, *_] = events(tmp_path).Tensors("alarms")
    assert said in tensor_util.make_ndarray(event.tensor_proto).item().decode()


def raised(gradients, weights=(1.0, 1.0), deads=(0.0, 0.0), biases=0.0):
    """The kinds of what is said of one record of two layers."""
    norms = {
        "gradient_norm": gradients,
        "weight_norm": weights,
        "dead_fraction": deads,
    }
    scalars = {kind: dict(zip(("000_a", "001_b"), norms[kind], strict=True)) for kind in norms}
    scalars["group_gradient_norm"] = {"bias": biases}
    said = Alarms().raised_by(FlowRecord(0, scalars, {}))
    words = {
        "vanish": "gradient vanishes",
        "freeze": "small everywhere",
        "explode": "gradient explodes",
        "die": "units die",
    }
    return {kind for kind in words for line in said if words[kind] in line}


@pytest.mark.parametrize(
    ("beyond", "within", "kind"),
    [
        ({"gradients": (0.99e-5, 1.0)}, {"gradients": (1.01e-5, 1.0)}, "vanish"),
        (
            {"gradients": (1e-9, 1e-9), "biases": 1.01e-4},
            {"gradients": (1e-2, 1e-2), "biases": 0.99e3},
            "vanish",
        ),
        ({"gradients": (1e-7, 0.99e-6)}, {"gradients": (1e-7, 1.01e-6)}, "freeze"),
        (
            {"gradients": (1.0, 1.01e3)},
            {"gradients": (1.0, 0.99e3)},
            "explode",
        ),
        (
            {"gradients": (1.0, 1.0), "weights": (1.0, 0.99e-3)},
            {"gradients": (1.0, 1.0), "weights": (1.0, 1.01e-3)},
            "explode",
        ),
        (
            {"gradients": (1.0, 1.0), "deads": (0.9, 0.0)},
            {"gradients": (1.0, 1.0), "deads": (0.89, 0.0)},
            "die",
        ),
    ],
)
def test_where_each_alarm_begins(beyond, within, kind):
    assert raised(**beyond) == {kind}
    assert raised(**within) == set()


def test_a_loss_that_is_scaled_down_is_no_vanishing(tmp_path):
    """The layers of a healthy net have alike little, and so the alarm names the loss."""
    model = chain("relu", keras.initializers.HeNormal, depth=2)
    loss = keras.losses.SparseCategoricalCrossentropy(True)
    model.compile(keras.optimizers.SGD(1e-3), loss, loss_weights=[1e-8], jit_compile=False)
    callback = GradientFlow(tmp_path, every=1)
    fit(model, DATA, [callback])
    [said] = callback.alarms
    assert said.startswith("Step 0: the gradient is small everywhere")
    assert "loss is scaled down" in said


def test_a_signal_that_fades_leaves_the_gradient_to_the_biases(tmp_path):
    """Each kernel has the same share of the fading: only the last bias has more."""

    def small(seed):
        return keras.initializers.RandomNormal(stddev=0.01, seed=seed)

    model = chain("relu", small)
    callback = GradientFlow(tmp_path, every=1)
    fit(model, DATA, [callback])
    [said] = [alarm for alarm in callback.alarms if "vanishes" in alarm]
    assert said.startswith("Step 0: ")
    assert "that of the biases" in said


def test_a_dead_net_gets_no_gradient(tmp_path):
    callback = GradientFlow(tmp_path, every=1)
    fit(
        chain("relu", keras.initializers.HeNormal, bias=keras.initializers.Constant(-9)),
        DATA,
        [callback],
    )
    [said] = [alarm for alarm in callback.alarms if "vanishes" in alarm]
    assert said.startswith("Step 1: ")  # at first, zeros are what a zero head gives


def test_the_layer_where_nan_begins_is_named(tmp_path):
    model = chain("tanh", keras.initializers.HeNormal, depth=4)
    kernel = model.get_layer("dense2").kernel
    kernel.assign(keras.ops.full(kernel.shape, np.nan))
    callback = GradientFlow(tmp_path, every=1)
    fit(model, DATA, [callback])
    [said] = callback.alarms
    assert "what the layers put out is NaN at 002_dense2" in said


def test_a_dynamic_loss_scale_may_overflow_while_it_finds_its_size(tmp_path):
    model = chain("relu", keras.initializers.HeNormal, depth=2)
    inner = keras.optimizers.SGD(1e-3)
    optimizer = keras.optimizers.LossScaleOptimizer(inner, 3e38)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(True), jit_compile=False)
    callback = GradientFlow(tmp_path, every=1)
    fit(model, DATA, [callback])
    assert callback.alarms == []
    assert scalars(tmp_path)["log10_global_gradient_norm/optimizer"][0][0] == 0


def test_dead_units_means_and_variances(tmp_path):
    """Two of four units never fire; the others are those of a hand-written forward pass."""
    image = keras.Input((5, 5, 3), name="image")
    x = keras.layers.Conv2D(4, 3, name="conv")(image)
    x = keras.layers.ReLU(name="relu")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    model = keras.Model(image, keras.layers.Dense(1, name="head")(x))
    model.get_layer("conv").bias.assign([0.0, -99.0, 0.0, -99.0])
    model.compile("sgd", "mse", jit_compile=False)
    images = rng.normal(size=(8, 5, 5, 3)).astype("float32")
    put_out = keras.Model(image, model.get_layer("relu").output)(images).numpy().astype("float64")
    fit(
        model, tf.data.Dataset.from_tensors((images, images[:, 0, 0, :1])), [GradientFlow(tmp_path)]
    )
    logged = {tag: rows[0][1] for tag, rows in scalars(tmp_path).items()}
    assert logged["dead_fraction/000_relu"] == 0.5
    assert logged["activation_mean/000_relu"] == pytest.approx(put_out.mean(), rel=1e-5)
    variance = 10 ** logged["log10_activation_variance/000_relu"]
    assert variance == pytest.approx(put_out.var(), rel=1e-5)
    fit(
        model,
        tf.data.Dataset.from_tensors((images, images[:, 0, 0, :1])),
        [GradientFlow(tmp_path / "off", every=1, activations=False)],
    )
    assert not [tag for tag in scalars(tmp_path / "off") if "activation" in tag or "dead" in tag]
