"""Faster exports: equal answers, one copy of the weights, and the gate of bfloat16."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_arch.export import export
from keras_arch.export.copying import plain
from keras_arch.export.precision import lowered
from keras_arch.serving.engine import SessionEngine
from tests.export.reading import ask, manifest, names, signature_defs, weight_bytes
from tests.export.test_folding import randomized

RNG = np.random.default_rng(0)


def classifier(size=12, width=32):
    """With a norm after each convolution; its classes are told apart clearly."""
    image = keras.Input((size, size, 3), name="image")
    x = image
    for stage in range(2):
        x = layers.Conv2D(width, 3, use_bias=False, name=f"conv{stage}")(x)
        x = layers.ReLU(name=f"relu{stage}")(layers.BatchNormalization(name=f"norm{stage}")(x))
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(5, name="logits")(x)
    return randomized(keras.Model(image, layers.Softmax(name="head")(x), name="picture"))


def images(count=64, size=12):
    return RNG.random((count, size, size, 3)).astype("float32")


@pytest.mark.parametrize("optimize", ["fold", "fold+bf16"])
def test_an_optimized_export(tmp_path, optimize):
    model, x = classifier(), images()
    calibration = x if optimize == "fold+bf16" else None
    expected = model(x).numpy()
    path = export(
        model,
        tmp_path,
        optimize=optimize,
        calibration=calibration,
        class_names=list("abcde"),
        batch_sizes=[4],
    )
    for batch in (1, 7):
        answer = ask(path, "serving_default", image=x[:batch])["head"]
        assert answer.dtype == np.float32
        tolerance = 1e-5 if optimize == "fold" else 0.1
        np.testing.assert_allclose(answer, expected[:batch], atol=tolerance)
    inputs, outputs = names(path)["serving_default"]
    assert (inputs, outputs) == ({"image": (None, 12, 12, 3)}, {"head": (None, 5)})
    assert signature_defs(path)["serving_default"].inputs["image"].dtype == 1  # DT_FLOAT
    assert manifest(path)["optimize"] == optimize
    engine = SessionEngine(path)
    found = engine.run("serving_default_batch_4", {"image": x[:4]})["head"]
    np.testing.assert_allclose(found, expected[:4], atol=tolerance)
    engine.close()
    np.testing.assert_array_equal(model(x), expected)


def test_weights_are_written_once_for_all_signatures(tmp_path):
    model = classifier(size=24, width=160)
    options = {"class_names": list("abcde"), "batch_sizes": [4]}
    whole = weight_bytes(export(model, tmp_path, **options))
    folded = weight_bytes(export(model, tmp_path, optimize="fold", **options))
    x = images(size=24)
    halved = export(model, tmp_path, optimize="fold+bf16", calibration=x, **options)
    weights = 4 * model.count_params()
    assert weights < whole < 1.15 * weights
    assert weights * 0.99 < folded < 1.15 * weights
    head = 4 * model.get_layer("logits").count_params()
    assert weight_bytes(halved) < (weights - head) / 2 + head + 0.15 * weights


def test_constants_and_variables(tmp_path, monkeypatch):
    """A graph holds at most 2 GiB; what is larger keeps its variables."""
    model, x = classifier(), images(3)
    path = export(model, tmp_path, optimize="fold")
    assert (path / "variables" / "variables.index").stat().st_size < 500
    monkeypatch.setattr("keras_arch.export.running.LARGEST", 1000)
    path = export(model, tmp_path, optimize="fold")
    stored = (path / "variables" / "variables.data-00000-of-00001").stat().st_size
    assert stored > 3.9 * model.count_params()
    np.testing.assert_allclose(ask(path, "serving_default", image=x)["head"], model(x), atol=1e-5)


def test_the_gate_is_measured(tmp_path):
    model, x = classifier(), images(200)
    path = export(model, tmp_path, optimize="fold+bf16", calibration=x)
    answers = ask(path, "serving_default", image=x)["head"]
    share = np.mean(answers.argmax(-1) == model(x).numpy().argmax(-1))
    assert manifest(path)["agreement"] == pytest.approx(share)
    assert "agreement" not in manifest(export(model, tmp_path, optimize="fold"))


def spoiled(x):
    """What tells the classes apart is rounded beside a thousand: bfloat16 counts there by four."""
    x = layers.Rescaling(1.0, 1000.0, name="far")(x)
    x = layers.Flatten(name="flat")(x)
    head = layers.Dense(3, use_bias=False, name="head")
    y = head(x)
    kernel = RNG.normal(size=head.kernel.shape)
    head.set_weights([kernel - kernel.mean(0)])  # the thousand itself says nothing
    return y


def test_a_model_that_bfloat16_spoils_is_refused(tmp_path):
    image = keras.Input((12, 12, 3), name="image")
    model = keras.Model(image, spoiled(image))
    x = 10 * images(200)
    with pytest.raises(ValueError, match="calibration batch, and 98% are asked") as caught:
        export(model, tmp_path / "served", optimize="fold+bf16", calibration=x)
    share = float(re.search(r"in (\d+\.\d+)% of", str(caught.value)).group(1)) / 100
    rounded = (tf.cast(x, "bfloat16") + 1000).numpy().astype("float64")
    (kernel,) = model.get_layer("head").get_weights()
    pair = [y.reshape(200, -1) @ kernel for y in (x, rounded)]
    assert share == pytest.approx(np.mean(pair[0].argmax(-1) == pair[1].argmax(-1)), abs=0.011)
    assert not list(tmp_path.iterdir())


def test_the_worst_output_counts(tmp_path):
    image = keras.Input((12, 12, 3), name="image")
    well = layers.Dense(3, name="well")(layers.Flatten(name="pixels")(image))
    model = keras.Model(image, [well, spoiled(image)])
    with pytest.raises(ValueError, match="98% are asked"):
        export(model, tmp_path, optimize="fold+bf16", calibration=10 * images(200))
    alone = keras.Model(image, well)
    path = export(alone, tmp_path, optimize="fold+bf16", calibration=10 * images(200))
    assert manifest(path)["agreement"] > 0.98


def test_what_is_not_finite_is_no_agreement(tmp_path):
    image = keras.Input((12, 12, 3), name="image")
    x = layers.Activation("exponential", name="large")(image)
    x = layers.Flatten(name="flat")(x)
    model = keras.Model(image, layers.Dense(3, name="head")(x))
    x = images(60)
    x[:30] += 100  # no number, in float32 as in bfloat16
    with pytest.raises(ValueError, match=r"in 50\.00% of the calibration batch"):
        export(model, tmp_path / "served", optimize="fold+bf16", calibration=x)


@pytest.mark.parametrize("count", [1, 49])
def test_a_calibration_that_tells_nothing(tmp_path, count):
    with pytest.raises(ValueError, match="at least 50 answers"):
        export(classifier(), tmp_path / "a", optimize="fold+bf16", calibration=images(count))
    assert not list(tmp_path.iterdir())


def test_what_has_no_classes_cannot_pass_the_gate(tmp_path):
    values = keras.Input((3,), name="values")
    model = keras.Model(values, layers.Dense(1, name="head")(values))
    with pytest.raises(ValueError, match="no classes"):
        export(model, tmp_path, optimize="fold+bf16", calibration=np.ones((60, 3)))


def test_models_that_share_weights_are_not_optimized(tmp_path):
    model = classifier()
    with pytest.raises(ValueError, match="`optimize`"):
        export(model, tmp_path, optimize="fold", signatures={"again": model})


def test_inputs_and_outputs_keep_their_places(tmp_path):
    """Names in another order than the tensors: nothing is mixed up by the constants."""
    z, a = keras.Input((2,), name="z"), keras.Input((3,), dtype="int32", name="a")
    outputs = {
        "second": layers.Dense(2, name="one")(z),
        "first": layers.Dense(3, name="two")(keras.ops.cast(a, "float32")),
    }
    model = keras.Model([z, a], outputs)
    path = export(model, tmp_path, optimize="fold")
    given = {"z": RNG.random((2, 2)).astype("float32"), "a": np.int32([[1, 2, 3], [4, 5, 6]])}
    expected = model([given["z"], given["a"]])
    for name, value in ask(path, "serving_default", **given).items():
        np.testing.assert_allclose(value, expected[name], atol=1e-5)


def test_a_model_without_weights(tmp_path):
    values = keras.Input((3,), name="values")
    model = keras.Model(values, layers.ReLU(name="head")(values))
    path = export(model, tmp_path, optimize="fold")
    found = ask(path, "serving_default", values=np.float32([[-1, 0, 1]]))["head"]
    assert found.tolist() == [[0, 0, 1]]


def test_only_the_last_layers_stay_in_float32():
    model = lowered(plain(classifier()))
    types = {layer.name: layer.compute_dtype for layer in model.layers}
    assert [name for name, dtype in types.items() if dtype == "float32"] == [
        "image",
        "logits",
        "head",
    ]
    assert str(model.get_layer("conv0").kernel.dtype) == "bfloat16"
    assert str(model.get_layer("norm0").gamma.dtype) == "float32"


def test_a_model_that_bfloat16_cannot_run(tmp_path):
    @keras.saving.register_keras_serializable("tests")
    class Narrow(layers.Layer):
        def call(self, x):
            return tf.linalg.qr(x)[0]  # has no bfloat16

    matrix = keras.Input((4, 4), name="matrix")
    x = Narrow(name="narrow")(matrix)
    model = keras.Model(matrix, layers.Dense(3, name="head")(layers.Flatten(name="flat")(x)))
    x = RNG.random((60, 4, 4)).astype("float32")
    export(model, tmp_path / "fine", optimize="fold")
    with pytest.raises(ValueError, match="bfloat16 fails in this model"):
        export(model, tmp_path / "served", optimize="fold+bf16", calibration=x)
    assert not (tmp_path / "served").exists()
