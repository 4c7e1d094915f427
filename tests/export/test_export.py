"""A SavedModel on disk: names, numbers, sizes, and what a crash leaves behind."""

import doctest
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from PIL import Image

from keras_arch import registry
from keras_arch.export import export
from tests.export.reading import loaded, names, requests

MANIFEST = "assets.extra/manifest.json"


def image_model(channels=3, size=8, name="eye"):
    image = x = keras.Input((size, size, channels), name="image")
    x = layers.Conv2D(4, 3, name="stem")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Dropout(0.5, name="drop")(layers.Flatten(name="flat")(x))
    return keras.Model(image, layers.Dense(2, name="head")(x), name=name)


def test_the_saved_model_equals_the_model(tmp_path):
    model = image_model()
    path = export(model, tmp_path)
    _, signatures = loaded(path)
    for batch in (1, 5):
        images = np.random.default_rng(0).random((batch, 8, 8, 3), "float32")
        answer = signatures["serving_default"](image=tf.constant(images))["head"]
        np.testing.assert_allclose(answer, model(images), atol=1e-5, rtol=0)
    assert names(path) == {
        "serving_default": ({"image": (None, 8, 8, 3)}, {"head": (None, 2)}),
        "serving_bytes": ({"image_bytes": (None,)}, {"head": (None, 2)}),
    }


def test_versions_count_up_and_are_never_overwritten(tmp_path):
    model = image_model()
    assert export(model, tmp_path) == tmp_path / "1"
    (tmp_path / "00000041").mkdir()
    (tmp_path / "50.partial").mkdir()
    assert export(model, str(tmp_path)) == tmp_path / "42"
    assert export(model, tmp_path, 7) == tmp_path / "7"
    assert export(model, tmp_path / "other" / "place", 0).name == "0"
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "7").rglob("*")}
    for version in (7, 41):
        with pytest.raises(FileExistsError, match=f"Version {version} exists"):
            export(model, tmp_path, version)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "7").rglob("*")} == before
    assert not list(tmp_path.glob(".exporting-*"))


def test_a_version_that_appears_meanwhile_is_not_overwritten(tmp_path, monkeypatch):
    """Two exports at once: the rename decides."""
    model, rename = image_model(), os.rename

    def late(source, target):
        monkeypatch.setattr(os, "rename", rename)
        export(model, tmp_path)
        return rename(source, target)

    monkeypatch.setattr(os, "rename", late)
    assert export(model, tmp_path) == tmp_path / "2"
    assert json.loads((tmp_path / "1" / MANIFEST).read_text())["model"] == "eye"

    def late_seven(source, target):
        monkeypatch.setattr(os, "rename", rename)
        export(model, tmp_path, 7)
        return rename(source, target)

    monkeypatch.setattr(os, "rename", late_seven)
    with pytest.raises(FileExistsError, match="Version 7 exists"):
        export(model, tmp_path, 7)


def test_weights_are_stored_once(tmp_path):
    image = keras.Input((16, 16, 1), name="image")
    hidden = layers.Dense(512, name="hidden")(layers.Flatten(name="flat")(image))
    model = keras.Model(image, layers.Dense(512, name="head")(hidden))
    model.compile("adam", "mse")
    model.fit(np.zeros((4, 16, 16, 1)), np.zeros((4, 512)), verbose=0)  # slots stay behind
    path = export(model, tmp_path)
    stored = (path / "variables" / "variables.data-00000-of-00001").stat().st_size
    assert stored == pytest.approx(4 * model.count_params(), rel=0.02)


def test_dictionaries_keep_their_keys(tmp_path):
    a, b = keras.Input((2,), name="a"), keras.Input((None,), dtype="int32", name="b")
    total = layers.Dense(3, name="total")(a)
    model = keras.Model({"b": b, "a": a}, {"sum": total, "ids": layers.Identity(name="i")(b)})
    path = export(model, tmp_path)
    assert names(path) == {
        "serving_default": (
            {"a": (None, 2), "b": (None, None)},
            {"ids": (None, None), "sum": (None, 3)},
        )
    }
    values = {"a": np.float32([[1, 2]]), "b": np.int32([[5, 6, 7]])}
    found, signatures = loaded(path)
    answer = signatures["serving_default"](**{k: tf.constant(v) for k, v in values.items()})
    np.testing.assert_allclose(answer["sum"], model(values)["sum"], atol=1e-5)
    assert answer["ids"].numpy().tolist() == [[5, 6, 7]]
    assert found is not None


def test_made_up_names_are_not_served(tmp_path):
    plain = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    a, b = keras.Input((2,)), keras.Input((2,))
    two = keras.Model([a, b], [layers.Dense(1)(a), layers.Add(name="both")([a, b]), a * b])
    strange = keras.Input((2,), name="my-image")
    cell = layers.LSTM(4, return_state=True, name="memory")
    states = keras.Model(strange, cell(layers.Reshape((2, 1), name="steps")(strange)))
    clone = keras.models.clone_model(image_model())
    served = [
        names(export(model, tmp_path))["serving_default"] for model in (plain, two, states, clone)
    ]
    assert [(set(inputs), set(outputs)) for inputs, outputs in served] == [
        ({"inputs"}, {"outputs"}),
        ({"inputs_0", "inputs_1"}, {"outputs_0", "both", "outputs_2"}),
        ({"my_image"}, {"outputs_0", "outputs_1", "outputs_2"}),
        ({"image"}, {"head"}),
    ]


SERVED_NAMES = """
import keras, tensorflow as tf
from keras_arch.export import export

def served_names(directory, others):
    for _ in range(others):
        keras.layers.Dense(1)(keras.Input((1,)))  # moves the counters of automatic names
    image = keras.Input((4, 4, 1), name="image")
    flat = keras.layers.Flatten()(image)
    outputs = [keras.layers.Dense(2, name="head")(flat), keras.layers.Dense(2)(flat)]
    found = tf.saved_model.load(str(export(keras.Model(image, outputs), directory)))
    return {
        name: [sorted(function.structured_input_signature[1]), sorted(function.structured_outputs)]
        for name, function in found.signatures.items()
    }
"""


def test_names_do_not_depend_on_the_process(tmp_path):
    code = f"{SERVED_NAMES}\nimport json; print(json.dumps(served_names({str(tmp_path)!r}, 0)))"
    fresh = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    here: dict = {}
    exec(SERVED_NAMES, here)
    assert json.loads(fresh.stdout) == here["served_names"](tmp_path, 5)
    assert here["served_names"](tmp_path, 0) == {
        "serving_default": [["image"], ["head", "outputs_1"]],
        "serving_bytes": [["image_bytes"], ["head", "outputs_1"]],
    }


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_encoded_images(tmp_path, channels, mode):
    model = image_model(channels)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, channels), "uint8")
    files = []
    for image in pixels:
        file = io.BytesIO()
        Image.fromarray(image.squeeze(), mode if channels == 1 else None).save(file, "PNG")
        files.append(file.getvalue())
    kept, signatures = loaded(export(model, tmp_path))
    answer = signatures["serving_bytes"](image_bytes=tf.constant(files))["head"]
    np.testing.assert_allclose(answer, model(pixels / np.float32(255)), atol=1e-5, rtol=0)
    assert kept is not None


def test_images_are_shrunk_without_aliasing(tmp_path):
    image = keras.Input((8, 8, 1), name="image")
    model = keras.Model(image, layers.Activation("linear", name="head")(image))
    y, x = np.ogrid[:40, :40]
    checkerboard = np.uint8((x + y) % 2 * 255)
    noise = np.random.default_rng(0).integers(0, 256, (40, 24), "uint8")
    files, expected = [], []
    for pixels in (checkerboard, noise):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        files.append(file.getvalue())
        pixels = Image.fromarray(pixels.astype("float32"))
        expected.append(pixels.resize((8, 8), Image.Resampling.BILINEAR))
    kept, signatures = loaded(export(model, tmp_path))
    answer = signatures["serving_bytes"](image_bytes=tf.constant(files))["head"][..., 0]
    np.testing.assert_allclose(answer, np.stack(expected) / 255, atol=1e-4)
    np.testing.assert_allclose(answer[0, 1:-1, 1:-1], 0.5, atol=0.01)  # as from afar
    assert kept is not None


def test_own_preprocessing(tmp_path):
    model = image_model()
    normal = layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 5.0, 6.0], name="normal")
    pixels = np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), "uint8")
    file = io.BytesIO()
    Image.fromarray(pixels[0]).save(file, "PNG")
    kept, signatures = loaded(export(model, tmp_path, preprocess=normal))
    answer = signatures["serving_bytes"](image_bytes=tf.constant([file.getvalue()]))["head"]
    expected = (pixels - np.float32([1, 2, 3])) / np.sqrt(np.float32([4, 5, 6]))
    np.testing.assert_allclose(answer, model(expected), atol=1e-3, rtol=1e-5)
    images = expected.astype("float32")  # tensors come as the model takes them
    answer = signatures["serving_default"](image=tf.constant(images))["head"]
    np.testing.assert_allclose(answer, model(images), atol=1e-5, rtol=1e-5)
    assert kept is not None


@pytest.mark.parametrize("shape", [(8, 8, 2), (None, None, 3), (8, 3), (4, 8, 8, 3)])
def test_other_models_take_no_encoded_images(tmp_path, shape):
    values = keras.Input(shape, name="values")
    model = keras.Model(values, layers.Activation("relu", name="head")(values))
    assert set(names(export(model, tmp_path))) == {"serving_default"}
    with pytest.raises(ValueError, match="Invalid value for argument `preprocess`"):
        export(model, tmp_path, preprocess=layers.Rescaling(2.0))


def test_the_part_of_an_algorithm_is_exported(tmp_path):
    entry = registry.get("GAN")
    gan = entry.target(**next(iter(entry.tiny.values())))
    with pytest.raises(ValueError, match="Invalid value for argument `model`"):
        export(gan, tmp_path)
    path = export(getattr(gan, entry.serves), tmp_path)
    assert set(names(path)["serving_default"][0]) == {"latent"}


def test_the_example_runs():
    assert doctest.testmod(sys.modules[export.__module__]) == (0, 4)


def test_every_signature_has_a_warm_up(tmp_path):
    default, images = requests(export(image_model(), tmp_path))
    assert default.model_spec.name == images.model_spec.name == "eye"
    assert default.model_spec.signature_name == "serving_default"
    assert tf.make_ndarray(default.inputs["image"]).shape == (1, 8, 8, 3)
    assert images.model_spec.signature_name == "serving_bytes"
    (encoded,) = tf.make_ndarray(images.inputs["image_bytes"])
    assert Image.open(io.BytesIO(encoded)).size == (8, 8)


def test_own_warm_up(tmp_path):
    a, b = keras.Input((None,), name="a"), keras.Input((4,), name="b")
    model = keras.Model([a, b], layers.Add(name="head")([a, b]))  # 32 + 4 do not add up
    with pytest.raises(ValueError, match="Invalid value for argument `warmup`"):
        export(model, tmp_path)
    with pytest.raises(ValueError, match="Invalid value for argument `warmup`"):
        export(model, tmp_path, warmup=np.ones((2, 4)))
    assert not list(tmp_path.iterdir())
    path = export(model, tmp_path, warmup=[np.ones((2, 4)), np.zeros((2, 4))])
    (request,) = requests(path)
    assert tf.make_ndarray(request.inputs["a"]).tolist() == [[1.0] * 4] * 2


def test_the_manifest(tmp_path):
    model = image_model()
    path = export(model, tmp_path, catalogue="DenseNet121")
    manifest = json.loads((path / MANIFEST).read_text())
    assert manifest["model"] == "eye"
    assert manifest["catalogue"] == "DenseNet121"
    assert manifest["parameters"] == model.count_params()
    assert manifest["producer"]["tensorflow"] == tf.__version__
    assert verified(path) == len(manifest["sha256"]) >= 5
    with pytest.raises(ValueError, match="DenseNet"):
        export(model, tmp_path, catalogue="DenseNet120")


def verified(path):
    """Number of files of a version, all of which are what the manifest says."""
    sums = json.loads((path / MANIFEST).read_text())["sha256"]
    for name, expected in sums.items():
        assert hashlib.sha256((path / name).read_bytes()).hexdigest() == expected
    there = {p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()}
    assert there == {MANIFEST, *sums}
    return len(sums)


@pytest.mark.parametrize("version", [-1, 1.0, "1", True, 2**63])
def test_versions_that_no_server_takes(tmp_path, version):
    with pytest.raises(ValueError, match="Invalid value for argument `version`"):
        export(image_model(), tmp_path, version)


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        export(image_model(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_was_left_behind_long_ago_is_removed(tmp_path):
    for name, age in (("old", 3 * 86_400), ("new", 60)):
        left = tmp_path / f".exporting-{name}"
        (left / "variables").mkdir(parents=True)
        os.utime(left, (time.time() - age,) * 2)
    export(image_model(), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".exporting-new", "1"]


EXPORT_FOR_EVER = """
import sys, keras
from keras_arch.export import export
image = keras.Input((64, 64, 1), name="image")
head = keras.layers.Dense(512, name="head")(keras.layers.Flatten(name="flat")(image))
model = keras.Model(image, head)
while True:
    export(model, sys.argv[1])
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_a_killed_export_leaves_no_half_version(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", EXPORT_FOR_EVER, str(tmp_path)])
    try:
        deadline = time.time() + 120
        while not (tmp_path / "1").exists() and time.time() < deadline:
            time.sleep(0.05)
        # Half-way: the weights are being written, or just were.
        while not list(tmp_path.glob(".exporting-*/variables/*")) and time.time() < deadline:
            time.sleep(0.001)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    visible = [path for path in tmp_path.iterdir() if path.name.isdecimal()]
    assert list(tmp_path.glob(".exporting-*"))  # it was killed at work
    assert visible
    for path in visible:
        verified(path)
    assert export(image_model(), tmp_path).name == str(len(visible) + 1)


def test_other_backends_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match="KERAS_BACKEND=jax"):
        export(image_model(), tmp_path)


def test_auxiliary_heads_stay_behind(tmp_path):
    image = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(4, 3, name="stem")(image)
    x = layers.Flatten(name="flat")(x)
    outputs = {name: layers.Dense(2, name=name)(x) for name in ("head", "aux1", "aux2")}
    model = keras.Model(image, outputs, name="taught")
    path = export(model, tmp_path)
    found, signatures = loaded(path)
    assert {key: set(value[1]) for key, value in names(path).items()} == {
        "serving_default": {"head"},
        "serving_bytes": {"head"},
    }
    pixels = np.random.default_rng(0).random((2, 8, 8, 1), "float32")
    answer = signatures["serving_default"](image=tf.constant(pixels))["head"]
    np.testing.assert_allclose(answer, model(pixels)["head"], atol=1e-6)
    manifest = json.loads((path / MANIFEST).read_text())
    dropped = model.get_layer("aux1").count_params() + model.get_layer("aux2").count_params()
    assert manifest["parameters"] == model.count_params() - dropped
    assert manifest["model"] == "taught"
    assert found is not None


def test_other_outputs_are_served_beside_a_head(tmp_path):
    image = keras.Input((4,), name="features")
    outputs = {name: layers.Dense(2, name=name)(image) for name in ("head", "aux1", "box")}
    path = export(keras.Model(image, outputs), tmp_path)
    assert set(names(path)["serving_default"][1]) == {"head", "aux1", "box"}
