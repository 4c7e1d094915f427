"""Weights go by the names of layers, whatever the order and the file."""

import zipfile

import h5py
import keras
import numpy as np
import pytest
from keras import layers
from keras.src.legacy.saving import legacy_h5_format

import keras_arch
from keras_arch.weights import by_layer, read


def network(channels=3, filters=4, classes=2, extra=False, prefix=""):
    x = inputs = keras.Input((6, 6, channels), name="image")
    x = layers.Conv2D(filters, 3, name=f"{prefix}stem")(x)
    if extra:
        x = layers.Conv2D(filters, 1, name="extra")(x)
    x = layers.BatchNormalization(name=f"{prefix}bn")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(classes, name="head")(x), name="network")


def numbered(model, first=1.0):
    """Each weight its own numbers."""
    for index, weight in enumerate(model.weights):
        size = int(np.prod(weight.shape))
        weight.assign(first + index + np.arange(size).reshape(weight.shape) / size)
    return model


def numbers(model):
    return {w.path: w.numpy().copy() for w in model.weights}


def saved(model, kind, tmp_path):
    """The model, or one of the files that it can be kept in."""
    if kind == "model":
        return model
    path = tmp_path / f"kept{kind.removeprefix('legacy')}"
    if kind == ".weights.h5":
        model.save_weights(path)
    elif kind == "legacy.h5":
        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, model)
    else:
        model.save(path)
    return path


KINDS = ["model", ".keras", ".weights.h5", "legacy.h5", ".h5"]


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_copied_by_name(kind, tmp_path):
    source = numbered(network(extra=True))
    model = network()
    report = keras_arch.transfer_weights(saved(source, kind, tmp_path), model)
    expected = numbers(source)
    for path, value in numbers(model).items():
        np.testing.assert_array_equal(value, expected[path])
    assert report.copied == list(numbers(model))
    assert report.skipped == {"extra": "2 weights, no such layer"}
    assert not report.adapted
    assert not report.untouched


@pytest.mark.parametrize("kind", KINDS)
def test_parts_of_layers_go_to_the_same_parts(kind, tmp_path):
    def nested():
        x = inputs = keras.Input((5, 4), name="tokens")
        for index in (1, 2):  # the cells have one name, and once loaded one path
            x = layers.LSTM(3, return_sequences=True, name=f"lstm{index}")(x)
        x = layers.Bidirectional(layers.GRU(2, return_sequences=True, name="gru"), name="both")(x)
        x = layers.MultiHeadAttention(2, 3, name="attention")(x, x)
        inner = keras.Sequential([keras.Input((5, 4)), layers.Dense(2, name="d")], name="inner")
        return keras.Model(inputs, inner(x))

    source = numbered(nested())
    places = list(by_layer(source))
    assert "lstm1/lstm_cell" in places
    assert "both/forward_gru/gru_cell" in places
    assert "attention/query" in places
    assert "inner/d" in places
    source.save(tmp_path / "source.keras")
    model = keras.models.load_model(tmp_path / "source.keras")  # other paths, same places
    assert list(by_layer(model)) == places
    numbered(model, first=-50.0)
    report = keras_arch.transfer_weights(saved(source, kind, tmp_path), model)
    assert len(report.copied) == len(model.weights)
    for mine, theirs in zip(model.weights, source.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_head_of_other_classes_is_left_and_reported():
    source, model = numbered(network(classes=5)), network(classes=2)
    before = numbers(model)
    report = keras_arch.transfer_weights(source, model)
    assert report.untouched == ["head/kernel", "head/bias"]
    assert report.skipped == {
        "head/kernel": "shape (4, 5), (4, 2) there",
        "head/bias": "shape (5,), (2,) there",
    }
    for path in report.untouched:
        np.testing.assert_array_equal(numbers(model)[path], before[path])
    text = str(report)
    assert text.startswith("6 copied, 0 adapted, 2 skipped, 2 untouched")
    assert "head/kernel: shape (4, 5), (4, 2) there" in text


@pytest.mark.parametrize("channels", [1, 2, 4, 6])
def test_the_first_kernel_answers_alike_for_other_channels(channels):
    source, model = numbered(network()), network(channels=channels)
    report = keras_arch.transfer_weights(source, model)
    assert report.adapted == {"stem/kernel": f"3 to {channels} channels"}
    kernel, old = model.get_layer("stem").kernel.numpy(), source.get_layer("stem").kernel.numpy()
    if channels == 1:  # a grey image is the same in every channel
        np.testing.assert_allclose(kernel[:, :, 0], old.sum(axis=2), rtol=1e-6)
    else:
        expected = [old[:, :, channel % 3] * 3 / channels for channel in range(channels)]
        np.testing.assert_allclose(kernel, np.stack(expected, axis=2), rtol=1e-6)


def test_only_the_first_kernel_is_adapted():
    def deep(width):
        x = inputs = keras.Input((6, 6, 3))
        x = layers.Conv2D(width, 3, name="first")(x)
        return keras.Model(inputs, layers.Conv2D(2, 3, name="second")(x))

    report = keras_arch.transfer_weights(deep(4), deep(5))
    assert report.copied == ["second/bias"]
    assert "second/kernel" in report.skipped


def test_names_are_translated_in_order():
    source, model = numbered(network(prefix="block1_")), network()
    rename = {r"^block(\d)_": r"part\1_", r"^part1_": ""}
    report = keras_arch.transfer_weights(source, model, rename)
    assert not report.untouched
    np.testing.assert_array_equal(
        model.get_layer("stem").kernel, source.get_layer("block1_stem").kernel
    )
    assert keras_arch.transfer_weights(source, network()).copied == ["head/kernel", "head/bias"]


def test_a_name_that_the_model_has_is_not_translated():
    source, model = numbered(network()), network()
    assert not keras_arch.transfer_weights(source, model, {"^stem$": "bn"}).untouched


def test_a_layer_with_other_weights_is_skipped_whole():
    inputs = keras.Input((4,))
    source = keras.Model(inputs, layers.Dense(2, use_bias=False, name="head")(inputs))
    model = keras.Model(inputs, layers.Dense(2, name="head")(inputs))
    report = keras_arch.transfer_weights(source, model)
    assert report.skipped == {"head": "1 weights, 2 weights there"}
    assert report.untouched == ["head/kernel", "head/bias"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("missing.weights.h5", None, "that exists"),
        ("broken.weights.h5", b"not hdf5", "reading it failed"),
        ("broken.keras", b"not a zip", "reading it failed"),
        ("empty.h5", "empty", "holds no weights"),
    ],
)
def test_a_file_without_weights_is_refused_and_nothing_changes(name, content, reason, tmp_path):
    path = tmp_path / name
    if content == "empty":
        h5py.File(path, "w").close()
    elif content:
        path.write_bytes(content)
    model = network()
    before = numbers(model)
    with pytest.raises(ValueError, match=f"`weights`.*{reason}.*Received"):
        keras_arch.transfer_weights(path, model)
    for key, value in numbers(model).items():
        np.testing.assert_array_equal(value, before[key])


def soft_link(group, path):
    group["0"] = h5py.SoftLink("/elsewhere")


def external_link(group, path):
    group["0"] = h5py.ExternalLink(str(path / "other.h5"), "/secret")


def external_storage(group, path):
    (path / "secret").write_bytes(bytes(16))
    group.create_dataset("0", (4,), "float32", external=[(str(path / "secret"), 0, 16)])


def virtual_dataset(group, path):
    layout = h5py.VirtualLayout((4,), "float32")
    layout[:] = h5py.VirtualSource(str(path / "other.h5"), "secret", (4,), "float32")
    group.create_virtual_dataset("0", layout)


def one_bomb(group, path):
    group.create_dataset("0", (1 << 45,), "float32", chunks=(1 << 10,))


def many_bombs(group, path):
    first = group.create_dataset("0", (1 << 14,), "float32", chunks=(1 << 10,), compression=9)
    for index in range(1, 100):  # none too large by itself, all of them are
        group[str(index)] = first


def no_array(group, path):
    group.create_group("0")


TRAPS = [
    (soft_link, "SoftLink 'layers/stem/vars/0'"),
    (external_link, "ExternalLink 'layers/stem/vars/0'"),
    (external_storage, "'/layers/stem/vars/0' has external storage.*secret"),
    (virtual_dataset, "'/layers/stem/vars/0' is a virtual dataset"),
    (one_bomb, rf"declares {1 << 47} bytes of weights, in a file of \d"),
    (many_bombs, r"declares 6553600 bytes of weights, in a file of \d"),
    (no_array, "'/layers/stem/vars/0' is a group"),
]


@pytest.mark.parametrize("zipped", [False, True], ids=["weights.h5", "keras"])
@pytest.mark.parametrize(("trap", "reason"), TRAPS, ids=[trap.__name__ for trap, _ in TRAPS])
def test_traps_are_refused(trap, reason, zipped, tmp_path):
    path = tmp_path / "trap.weights.h5"
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret"] = np.ones(4, "float32")
    with h5py.File(path, "w") as file:
        group = file.create_group("layers/stem/vars")
        group.attrs["name"] = "stem"
        file["elsewhere"] = np.ones(4, "float32")
        trap(group, tmp_path)
    if zipped:
        path = tmp_path / "trap.keras"
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(tmp_path / "trap.weights.h5", "model.weights.h5")
    with pytest.raises(ValueError, match=f"`weights`.*{reason}.*Received"):
        read(path)


def test_a_link_to_the_weights_of_an_old_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network())
    with h5py.File(tmp_path / "trap.h5", "w") as file:
        file["model_weights"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/")
    with pytest.raises(ValueError, match=r"`weights`.*ExternalLink 'model_weights'"):
        read(tmp_path / "trap.h5")


def test_an_archive_that_declares_too_much_is_refused_unread(tmp_path, monkeypatch):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(10**6))
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("it was read"))
    with pytest.raises(ValueError, match=r"`weights`.*declares 1000000 bytes.*file of \d+\."):
        read(path)


@pytest.mark.parametrize("source", ["https://example.com/a.weights.h5", 3, None])
def test_what_is_no_file_is_refused(source):
    with pytest.raises(ValueError, match="Invalid value for argument `weights`"):
        keras_arch.transfer_weights(source, network())


def test_names_of_old_files(tmp_path):
    """Bytes, `:0`, slashes in layers' names, and lists that were too long for one attribute."""
    path = tmp_path / "old.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names0"] = np.array([b"conv1/conv", b"pool"])
        file.attrs["layer_names1"] = np.array([b"head"])
        file.create_group("pool").attrs["weight_names"] = np.array([], "S1")
        for layer in ("conv1/conv", "head"):
            group = file.create_group(layer)
            names = [f"{layer}/{weight}:0" for weight in ("kernel", "bias")]
            group.attrs["weight_names"] = np.array([name.encode() for name in names])
            for index, name in enumerate(names):
                group[name] = np.full(3, index)
    found = read(path)
    assert list(found) == ["conv1/conv", "head"]
    assert [array[0] for array in found["head"]] == [0, 1]


def test_numbers_of_the_process_are_taken_for_numbers_of_the_model(tmp_path):
    def unnamed():
        inputs = keras.Input((6, 6, 3), name="image")
        x = layers.BatchNormalization()(layers.Conv2D(4, 3)(inputs))
        return keras.Model(inputs, layers.BatchNormalization()(layers.Conv2D(4, 1)(x)))

    inputs = keras.Input((6, 6, 3), name="image")
    x = layers.BatchNormalization(name="bn1")(layers.Conv2D(4, 3, name="conv1")(inputs))
    x = layers.BatchNormalization(name="bn2")(layers.Conv2D(4, 1, name="conv2")(x))
    model = keras.Model(inputs, x)
    rename = {
        r"^conv2d_0$": "conv1",
        r"^conv2d_1$": "conv2",
        r"^batch_normalization_0$": "bn1",
        r"^batch_normalization_1$": "bn2",
    }
    for _ in range(6):  # past conv2d_9, whose order is not that of letters
        source = numbered(unnamed())
        for kind in KINDS:
            numbered(model, first=0.0)
            report = keras_arch.transfer_weights(saved(source, kind, tmp_path), model, rename)
            assert not report.skipped
            assert not report.untouched
            for ours, theirs in zip(model.weights, source.weights, strict=True):
                np.testing.assert_array_equal(ours, theirs)
