"""Signatures for classes, values and examples; static batches; text; what is refused."""

import io
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from PIL import Image

from keras_arch.export import export
from keras_arch.serving.engine import SessionEngine
from tests.export.reading import ask, example, logs, manifest, names, requests, signature_defs

CLASSES = ["cat", "dog", "emu", "fox"]
RNG = np.random.default_rng(0)


def eye(classes=4, size=8):
    image = keras.Input((size, size, 3), name="image")
    x = layers.Flatten(name="flat")(layers.Conv2D(4, 3, name="stem")(image))
    return keras.Model(image, layers.Dense(classes, "softmax", name="head")(x), name="eye")


def table():
    """A model of numbers of two kinds, which no image is."""
    a = keras.Input((3,), name="a")
    b = keras.Input((2, 2), dtype="int32", name="b")
    x = layers.Concatenate(name="both")([a, layers.Flatten(name="flat")(b)])
    return keras.Model([a, b], layers.Dense(1, name="head")(x), name="table")


def pngs(pixels):
    files = [io.BytesIO() for _ in pixels]
    for image, file in zip(pixels, files, strict=True):
        Image.fromarray(image).save(file, "PNG")
    return [file.getvalue() for file in files]


def best(scores, count):
    """Names and scores of the best, in numpy."""
    order = np.argsort(-np.array(scores), axis=1)[:, :count]
    return np.array(CLASSES)[order], np.take_along_axis(np.array(scores), order, axis=1)


def assert_best(answer, scores, count):
    expected = best(scores, count)
    assert answer.keys() == {"classes", "scores"}
    assert [[name.decode() for name in row] for row in answer["classes"]] == expected[0].tolist()
    np.testing.assert_allclose(answer["scores"], expected[1], atol=1e-5)


def test_class_names_bring_the_signatures_that_use_them(tmp_path):
    path = export(eye(), tmp_path, class_names=CLASSES, top=3)
    assert {name: (*map(set, sides),) for name, sides in names(path).items()} == {
        "serving_default": ({"image"}, {"head"}),
        "serving_bytes": ({"image_bytes"}, {"head"}),
        "top_k": ({"image"}, {"classes", "scores"}),
        "top_k_bytes": ({"image_bytes"}, {"classes", "scores"}),
        "classify": ({"inputs"}, {"classes", "scores"}),
    }
    assert manifest(path)["signatures"] == sorted(names(path))


def test_the_likeliest_classes(tmp_path):
    model = eye()
    path = export(model, tmp_path, class_names=CLASSES, top=3)
    pixels = RNG.integers(0, 256, (5, 8, 8, 3), "uint8")
    images = pixels.astype("float32") / 255
    scores = model(images)
    assert_best(ask(path, "top_k", image=images), scores, 3)
    assert_best(ask(path, "top_k_bytes", image_bytes=pngs(pixels)), scores, 3)
    examples = [example(image_bytes=file) for file in pngs(pixels)]
    assert_best(ask(path, "classify", inputs=examples), scores, 3)


def test_classes_without_names_are_numbered(tmp_path):
    model = eye(3)
    path = export(model, tmp_path, signatures=["top_k"])
    assert set(names(path)) == {"serving_default", "top_k"}
    images = RNG.random((2, 8, 8, 3), "float32")
    answer = ask(path, "top_k", image=images)
    assert answer["classes"].astype(int).tolist() == np.argsort(-model(images).numpy()).tolist()


def test_the_protos_are_what_tf_serving_asks_of_its_methods(tmp_path):
    classify = signature_defs(export(eye(), tmp_path, class_names=CLASSES))["classify"]
    assert classify.method_name == "tensorflow/serving/classify"
    assert classify.inputs["inputs"].dtype == tf.string.as_datatype_enum
    assert classify.outputs["classes"].dtype == tf.string.as_datatype_enum
    assert classify.outputs["scores"].dtype == tf.float32.as_datatype_enum
    path = export(table(), tmp_path, signatures=["regress"])
    regress = signature_defs(path)["regress"]
    assert regress.method_name == "tensorflow/serving/regress"
    assert [*regress.inputs] == ["inputs"]
    assert [*regress.outputs] == ["outputs"]
    assert signature_defs(path)["serving_default"].method_name == "tensorflow/serving/predict"
    written = tf.saved_model.experimental.read_fingerprint(str(path))
    tf.io.gfile.remove(str(path / "fingerprint.pb"))
    from tensorflow.python.saved_model import fingerprinting_utils

    fingerprinting_utils.write_fingerprint(str(path))
    assert written == tf.saved_model.experimental.read_fingerprint(str(path))


def test_regression_of_examples(tmp_path):
    model = table()
    path = export(model, tmp_path, signatures=["regress"])
    a = RNG.normal(size=(4, 3)).astype("float32")
    b = RNG.integers(-5, 5, (4, 2, 2)).astype("int32")
    examples = [example(a=x, b=y) for x, y in zip(a, b, strict=True)]
    answer = ask(path, "regress", inputs=examples)
    np.testing.assert_allclose(answer["outputs"], model([a, b]), atol=1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Feature: b"):
        ask(path, "regress", inputs=[example(a=a[0])])


def test_the_session_that_serves_runs_them_all(tmp_path):
    model = eye()
    engine = SessionEngine(export(model, tmp_path, class_names=CLASSES, batch_sizes=[2]))
    pixels = RNG.integers(0, 256, (2, 8, 8, 3), "uint8")
    examples = np.array([example(image_bytes=file) for file in pngs(pixels)], object)
    assert_best(engine.run("classify", {"inputs": examples}), model(pixels / np.float32(255)), 4)
    engine.close()


def test_static_batches(tmp_path):
    model = eye()
    path = export(model, tmp_path, signatures=[], batch_sizes=[1, 4])
    assert names(path) == {
        "serving_default": ({"image": (None, 8, 8, 3)}, {"head": (None, 4)}),
        "serving_default_batch_1": ({"image": (1, 8, 8, 3)}, {"head": (1, 4)}),
        "serving_default_batch_4": ({"image": (4, 8, 8, 3)}, {"head": (4, 4)}),
    }
    images = RNG.random((4, 8, 8, 3), "float32")
    answer = ask(path, "serving_default_batch_4", image=images)
    np.testing.assert_allclose(answer["head"], model(images), atol=1e-5)
    warm = [
        (each.model_spec.signature_name, tf.make_ndarray(each.inputs["image"]).shape[0])
        for each in requests(path)
    ]
    assert warm == [
        *[("serving_default", size) for size in (1, 1, 4)],
        *[(f"serving_default_batch_{size}", size) for size in (1, 4)],
    ]


def test_every_signature_is_warmed_up_by_its_own_method(tmp_path):
    warmup = [np.float32([[1, 2, 3], [4, 5, 6]]), np.int32([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])]
    path = export(table(), tmp_path, signatures=["regress"], warmup=warmup)
    default, regress = logs(path)
    assert default.WhichOneof("log_type") == "predict_log"
    assert regress.WhichOneof("log_type") == "regress_log"
    asked = regress.regress_log.request
    assert (asked.model_spec.name, asked.model_spec.signature_name) == ("table", "regress")
    first, second = asked.input.example_list.examples
    assert list(first.features.feature["a"].float_list.value) == [1, 2, 3]
    assert list(second.features.feature["b"].int64_list.value) == [5, 6, 7, 8]
    *_, classify = logs(export(eye(), tmp_path / "eye", class_names=CLASSES))
    asked = classify.classify_log.request
    assert asked.model_spec.signature_name == "classify"
    (only,) = asked.input.example_list.examples
    (file,) = only.features.feature["image_bytes"].bytes_list.value
    assert Image.open(io.BytesIO(file)).size == (8, 8)


def test_a_warm_up_of_zeros_takes_no_room(tmp_path):
    path = export(eye(size=64), tmp_path, signatures=[], batch_sizes=[32])
    assert (path / "assets.extra" / "tf_serving_warmup_requests").stat().st_size < 1000
    assert [tf.make_ndarray(r.inputs["image"]).shape for r in requests(path)][1] == (32, 64, 64, 3)


def text_model(length=5):
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    x = layers.GlobalAveragePooling1D(name="mean")(layers.Embedding(6, 4, name="embed")(tokens))
    return keras.Model(tokens, layers.Dense(4, "softmax", name="head")(x), name="reader")


def test_text(tmp_path):
    model = text_model()
    words = layers.TextVectorization(
        vocabulary=["red", "green", "blue"], output_sequence_length=5, name="words"
    )
    path = export(model, tmp_path, preprocess=words, class_names=CLASSES)
    tokens = np.int32([[2, 4, 0, 0, 0], [1, 3, 2, 0, 0]])  # 0 pads, 1 is any other word
    expected = model(tokens)
    texts = ["red blue", "violet green red"]
    np.testing.assert_allclose(ask(path, "serving_bytes", text=texts)["head"], expected, atol=1e-5)
    examples = [example(text=text.encode()) for text in texts]
    assert_best(ask(path, "classify", inputs=examples), expected, 4)


def test_a_preprocess_that_does_not_fit(tmp_path):
    def flat(text):
        return tf.zeros((tf.shape(text)[0], 7), tf.int32)

    with pytest.raises(ValueError, match=re.escape("shape (5,) and type int32")):
        export(text_model(), tmp_path, preprocess=flat)
    with pytest.raises(ValueError, match="Invalid value for argument `preprocess`"):
        export(table(), tmp_path, preprocess=flat)
    assert not list(tmp_path.iterdir())


def test_a_further_model_shares_the_weights(tmp_path):
    """As a decoder's step would, with its cache: tensors in, tensors out, weights written once."""
    model = eye()
    cache = keras.Input((5,), name="cache")
    x = layers.Add(name="next_cache")([cache, layers.Dense(5, name="to_cache")(model.output)])
    step = keras.Model([model.input, cache], {"head": model.output, "cache": x}, name="step")
    path = export(model, tmp_path, signatures={"decode": step, "top_k": None})
    assert set(names(path)) == {"serving_default", "top_k", "decode"}
    values = {"image": RNG.random((2, 8, 8, 3), "float32"), "cache": RNG.random((2, 5), "float32")}
    answer = ask(path, "decode", **values)
    expected = step([values["image"], values["cache"]])
    np.testing.assert_allclose(answer["cache"], expected["cache"], atol=1e-5)
    np.testing.assert_allclose(answer["head"], model(values["image"]), atol=1e-5)
    stored = (path / "variables" / "variables.data-00000-of-00001").stat().st_size
    assert stored < 4 * step.count_params() + 1500


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"signatures": "top_k"}, "`signatures`"),
        ({"signatures": ["top_kk"]}, "top_kk"),
        ({"signatures": {"top_kk": None}}, "top_kk"),
        ({"signatures": {"no name": eye}}, "no name"),
        ({"signatures": {"classify": eye}}, "classify"),
        ({"signatures": {"serving_default_batch_2": eye}}, "serving_default_batch_2"),
        ({"signatures": ["regress"]}, "(B, 1)"),
        ({"signatures": ["stateful"]}, "recurrent"),
        ({"signatures": ["top_k"], "class_names": ["one"]}, "4 strings"),
        ({"signatures": ["top_k"], "class_names": [1, 2, 3, 4]}, "4 strings"),
        ({"signatures": [], "class_names": CLASSES}, "`class_names`"),
        ({"top": 0}, "`top`"),
        ({"batch_sizes": [0]}, "`batch_sizes`"),
        ({"batch_sizes": [2, 2]}, "`batch_sizes`"),
        ({"batch_sizes": [2.0]}, "`batch_sizes`"),
        ({"warmup": np.zeros((8, 8, 3))}, "`warmup`"),
        ({"optimize": "fast"}, "`optimize`"),
        ({"calibration": np.zeros((64, 8, 8, 3))}, "`calibration`"),
        ({"optimize": "fold+bf16"}, "`calibration`"),
    ],
)
def test_what_is_refused_before_anything_is_written(tmp_path, arguments, words):
    if isinstance(arguments.get("signatures"), dict):
        found = {name: each and each() for name, each in arguments["signatures"].items()}
        arguments = {**arguments, "signatures": found}
    with pytest.raises(ValueError, match=re.escape(words)):
        export(eye(), tmp_path / "served", **arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("signature", ["top_k", "classify", "serving_bytes", "top_k_bytes"])
def test_models_that_a_signature_does_not_fit(tmp_path, signature):
    with pytest.raises(ValueError, match="Invalid value for argument `signatures`"):
        export(table(), tmp_path, signatures=[signature])
    assert not list(tmp_path.iterdir())


def test_examples_need_features_of_known_size(tmp_path):
    values = keras.Input((None, 4), name="values")
    x = layers.GlobalAveragePooling1D(name="mean")(values)
    model = keras.Model(values, layers.Dense(3, "softmax", name="head")(x))
    with pytest.raises(ValueError, match="fixed size"):
        export(model, tmp_path, signatures=["classify"])
