"""A stack of layers counts as its layers, in GradientFlow."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from keras_arch.callbacks import GradientFlow
from keras_arch.callbacks.kernel_layers import SHOWN, kernel_layers
from keras_arch.layers import StackedConv2D


def network(depth):
    keras.utils.set_random_seed(0)
    image = keras.Input((4, 4, 2), name="image")
    x = keras.layers.Conv2D(2, 3, name="stem")(image)
    x = StackedConv2D(depth, 3, activation="tanh", name="deep")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    model = keras.Model(image, keras.layers.Dense(1, name="head")(x))
    model.compile("sgd", "mse", jit_compile=False)
    return model


def test_names():
    names = [layer.name for layer in kernel_layers(network(3))]
    assert names == ["000_stem", "001_deep/0", "002_deep/1", "003_deep/2", "004_head"]
    names = [layer.name for layer in kernel_layers(network(2000))]
    assert len(names) == SHOWN + 2
    assert names[1] == "0001_deep/0000"
    assert names[-2:] == ["2000_deep/1999", "2001_head"]
    assert names == sorted(names)


@pytest.mark.parametrize("depth", [3, 70])
def test_norms_are_those_of_each_layer(depth, tmp_path):
    model = network(depth)
    x, y = np.ones((8, 4, 4, 2), "float32"), np.zeros((8, 1), "float32")
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, y, model(x, training=True))
    variables = model.trainable_variables
    gradients = dict(zip((v.path for v in variables), tape.gradient(loss, variables), strict=True))
    before = {v.path: v.numpy() for v in variables}
    model.fit(x, y, batch_size=8, epochs=1, callbacks=[GradientFlow(tmp_path)], verbose=0)
    after = {v.path: v.numpy() for v in variables}
    events = EventAccumulator(str(tmp_path / "gradient_flow"), {"scalars": 0}).Reload()

    def logged(tag):
        return 10 ** events.Scalars(f"log10_{tag}")[0].value

    kernel = "deep/stacked_kernel"
    for layer in kernel_layers(model)[1:-1]:
        slope, old, new = (of[kernel][layer.place] for of in (gradients, before, after))
        norm = np.linalg.norm
        assert logged(f"gradient_norm/{layer.name}") == pytest.approx(norm(slope), rel=1e-4)
        assert logged(f"weight_norm/{layer.name}") == pytest.approx(norm(old), rel=1e-5)
        ratio = norm(new - old) / norm(old)
        assert logged(f"update_ratio/{layer.name}") == pytest.approx(ratio, rel=1e-3)
    total = np.sqrt(sum(np.sum(np.square(slope)) for slope in gradients.values()))
    assert logged("global_gradient_norm/optimizer") == pytest.approx(total, rel=1e-4)
