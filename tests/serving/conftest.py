"""Three small servables, each behind a server of its own on free ports."""

import socket

import keras
import pytest
import tensorflow as tf
from keras import layers

from keras_arch.export import export
from keras_arch.serving import Server


def image_model():
    image = x = keras.Input((8, 8, 3), name="image")
    x = layers.Conv2D(4, 3, activation="relu", name="stem")(x)
    x = layers.Flatten(name="flat")(x)
    return keras.Model(image, layers.Dense(5, "softmax", name="head")(x), name="eye")


def pair_model():
    a = keras.Input((2,), name="a")
    b = keras.Input((3,), dtype="int32", name="b")
    total = layers.Dense(2, name="total")(a)
    count = layers.Embedding(4, 2, name="count")(b)
    return keras.Model([a, b], [total, count], name="pair")


class Odd(tf.Module):
    """Signatures that no Keras model has."""

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.float32, "x")])
    def root(self, x):
        return {"y": tf.sqrt(x)}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, "s")])
    def text(self, s):
        return {"same": s, "same_bytes": s}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.half, "h")])
    def half(self, h):
        return {"twice": h * 2}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.uint8, "u")])
    def small(self, u):
        return {"same": tf.identity(u)}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.int64, "n")])
    def long(self, n):
        return {"same": tf.identity(n)}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.bool, "p")])
    def flag(self, p):
        return {"other": tf.logical_not(p)}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.float32, "x")])
    def scalar(self, x):
        return {"sum": tf.reduce_sum(x)}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.float32, "x")])
    def uneven(self, x):
        return {"all": tf.identity(x), "rest": x[1:]}

    @tf.function(input_signature=[tf.TensorSpec((1,), tf.int32, "turns")])
    def slow(self, turns):
        matrix = tf.while_loop(
            lambda i, _: i < turns[0],
            lambda i, m: (i + 1, tf.tanh(tf.matmul(m, m))),
            (0, tf.ones((200, 200))),
        )[1]
        return {"done": matrix[:1, 0]}


@pytest.fixture(scope="session")
def eye(tmp_path_factory):
    """``(model, base path)`` of an image classifier."""
    keras.utils.set_random_seed(0)
    model = image_model()
    base = tmp_path_factory.mktemp("eye")
    export(model, base)
    return model, base


@pytest.fixture(scope="session")
def eye_server(eye):
    with Server(eye[1], "eye") as server:
        yield server


@pytest.fixture(scope="session")
def pair(tmp_path_factory):
    """``(model, server)`` of a model with two inputs and two outputs, as version 3."""
    keras.utils.set_random_seed(0)
    model = pair_model()
    base = tmp_path_factory.mktemp("pair")
    export(model, base, 3)
    with Server(base, "pair") as server:
        yield model, server


@pytest.fixture(scope="session")
def odd_base(tmp_path_factory):
    """Versions 6 and 7 of the odd signatures, among names that are no versions."""
    base = tmp_path_factory.mktemp("odd")
    odd = Odd()
    names = ("text", "half", "small", "long", "flag", "scalar", "uneven", "slow")
    signatures = {"serving_default": odd.root, **{name: getattr(odd, name) for name in names}}
    tf.saved_model.save(odd, str(base / "00000007"), signatures=signatures)
    for name in ("6", "8.partial", ".exporting-9", "latest", "99999999999999999999"):
        (base / name).mkdir()
    return base


@pytest.fixture(scope="session")
def odd_server(odd_base):
    with Server(odd_base, "odd") as server:
        yield server


@pytest.fixture
def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
