"""A model of ours beside somebody else's of the same architecture."""

import h5py
import keras
import numpy as np
from formula import fill_keras, image
from keras.src.legacy.saving import legacy_h5_format

import keras_arch


def trainable(model):
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


def shapes(model, *taps):
    return [tuple(model.get_layer(tap).output.shape[1:]) for tap in taps]


def first_logits(model, gain=1.0, epsilon=None):
    """Five logits of the image by formula, with weights by formula."""
    fill_keras(model, gain=gain, epsilon=epsilon)
    return np.asarray(model(image(*model.input_shape[1:]), training=False))[0, :5]


def fill_apart(model):
    """Give each weight values of its own, so that one in another's place shows."""
    random = np.random.default_rng(0)
    for variable in model.weights:
        shape = tuple(variable.shape)
        if variable.name.endswith("kernel"):
            inputs = shape[:2] if shape[-1] == 1 else shape[:-1]  # depthwise, or not
            values = random.standard_normal(shape) * np.sqrt(2 / np.prod(inputs))
        elif variable.name == "gamma":  # below one: residuals add up, softmax must not saturate
            values = random.uniform(0.5, 0.9, shape)
        elif variable.name == "moving_variance":
            values = random.uniform(0.5, 1.5, shape)
        else:
            values = 0.1 * random.standard_normal(shape)
        variable.assign(values)
    return model


LAWS = ("momentum", "epsilon", "initializer", "regularizer", "constraint")


def assert_same_training(ours, theirs):
    """What inference does not show: laws of the weights, normalization, dropout."""
    owners = (
        [layer for layer in model._flatten_layers() if layer._trainable_variables]
        for model in (ours, theirs)
    )
    for mine, their in zip(*owners, strict=True):
        expected, found = their.get_config(), mine.get_config()
        for key in expected.keys() & found.keys():
            if key.endswith(LAWS):
                assert found[key] == expected[key], (mine.name, their.name, key)
    rates, expected = (
        [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
        for model in (ours, theirs)
    )
    assert rates == [rate for rate in expected if rate]


def assert_drop_in(ours, theirs, family):
    """Weights of keras.applications copied in, by name and by order, give its outputs."""
    fill_apart(theirs)
    size = [size or 40 for size in theirs.input_shape[1:]]
    x = image(*size)
    expected = np.asarray(theirs(x, training=False))
    scale = np.abs(expected).max()
    assert np.isfinite(scale)
    assert np.median(expected) > 0.01 * scale  # a saturated softmax would hide differences
    assert expected.std(axis=-1).min() > 0.05 * scale
    assert ours.count_params() == theirs.count_params()
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    assert_same_training(ours, theirs)

    report = keras_arch.transfer_weights(theirs, ours, keras_arch.get(family).rename)
    assert len(report.copied) == len(ours.weights)
    assert not report.skipped
    np.testing.assert_allclose(ours(x, training=False), expected, rtol=1e-5, atol=1e-5 * scale)

    ours.set_weights([np.zeros(w.shape) for w in ours.weights])
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(x, training=False), expected, rtol=1e-5, atol=1e-5 * scale)


def assert_same_logits(ours, theirs, family, x):
    """Weights of keras.applications by formula give its logits, for two unlike images."""
    fill_keras(theirs, gain=0.9)
    keras_arch.transfer_weights(theirs, ours, keras_arch.get(family).rename)
    expected, found = (
        np.concatenate([model(one[None], training=False) for one in x])  # half the memory
        for model in (theirs, ours)
    )
    scale = np.linalg.norm(expected)
    assert np.linalg.norm(expected[0] - expected[1]) > 0.01 * scale
    assert np.linalg.norm(found - expected) < 1e-5 * scale


def assert_published_weights(name, arguments, side, top, folder, monkeypatch):
    """What keras.applications saves, in both its formats, and what it would fetch, fits ours.

    Returns the name of the file that was asked for.
    """
    shape = {"input_shape": (side, side, 3), "include_top": top, "classifier_activation": None}
    theirs = getattr(keras.applications, name)(weights=None, **shape, **arguments)
    fill_keras(theirs, gain=0.9)
    legacy, new = folder / "published.h5", folder / "published.weights.h5"
    with h5py.File(legacy, "w") as file:  # as the published files are
        legacy_h5_format.save_weights_to_hdf5_group(file, theirs)
    theirs.save_weights(new)

    asked = []

    def get_file(fname=None, origin=None, **_):
        asked.append(fname)
        return str(legacy)

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)
    x = image(side, side)
    expected = np.asarray(theirs(x, training=False))
    assert not np.allclose(expected[0], expected[1], rtol=1e-3)
    for weights in ("imagenet", new, legacy):
        ours = keras_arch.create(name, weights=weights, **shape, **arguments)
        atol = 1e-5 * np.abs(expected).max()
        np.testing.assert_allclose(ours(x, training=False), expected, rtol=1e-5, atol=atol)
    (fetched,) = asked
    return fetched


def silence(model, layers):
    """Make the named normalizations or convolutions answer zero."""
    for name in layers:
        for variable in model.get_layer(name).trainable_variables:
            variable.assign(keras.ops.zeros_like(variable))


def quick_kernels(monkeypatch):
    """Kernels start as zeros: random numbers take most of the time of a large build."""

    def zeros(self, shape, dtype=None, **kwargs):
        return keras.ops.zeros(shape, dtype)

    monkeypatch.setattr(keras.initializers.VarianceScaling, "__call__", zeros)
