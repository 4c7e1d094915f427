"""The sets that ship with dependencies, against the arrays of those dependencies."""

import hashlib
import os
import random
import subprocess
import sys
import time
from pydoc_data.topics import topics

import networkx as nx
import numpy as np
import pytest
import tensorflow_datasets as tfds
from sklearn.datasets import load_digits

from keras_arch import data


def arrays(name, split, data_dir, **options):
    """All examples of a split, each feature as one array."""
    examples = list(data.load(name, split, as_supervised=False, data_dir=data_dir, **options))
    return {key: np.stack([example[key] for example in examples]) for key in examples[0]}


def rows(images, labels):
    """A set of images with their labels, whatever their order."""
    flat = np.concatenate([labels[:, None], images.reshape(len(images), -1)], axis=1)
    return flat[np.lexsort(flat.T[::-1])]


def test_digits_are_those_of_scikit_learn_pixel_by_pixel(data_dir):
    train, test = (arrays("digits", split, data_dir) for split in ("train", "test"))
    assert (len(train["label"]), len(test["label"])) == (1437, 360)
    images = np.concatenate([train["image"], test["image"]])
    labels = np.concatenate([train["label"], test["label"]])
    assert images.dtype == np.float32
    assert images.shape == (1797, 8, 8, 1)
    assert (images.min(), images.max()) == (0, 1)
    stored = load_digits()
    np.testing.assert_array_equal(
        rows(np.round(16 * images), labels), rows(stored.images, stored.target)
    )


def test_digits_splits_are_stratified_and_stay_what_they_are(data_dir):
    train, test = (arrays("digits", split, data_dir) for split in ("train", "test"))
    share = np.bincount(test["label"]) / np.bincount(load_digits().target)
    np.testing.assert_allclose(share, 360 / 1797, atol=0.003)
    both = {*map(bytes, train["image"])} & {*map(bytes, test["image"])}
    assert not both  # no two of the 1,797 images are equal, so the splits are disjoint
    members = rows(np.round(16 * test["image"]), test["label"]).astype(np.uint8)
    digest = hashlib.sha256(members.tobytes()).hexdigest()
    assert digest.startswith("15e2320b2d1151c7")  # published numbers are on these 360


def test_slices_divide_a_split(data_dir):
    parts = [arrays("digits", split, data_dir) for split in ("train[:80%]", "train[80%:]")]
    assert [len(part["label"]) for part in parts] == [1150, 287]
    whole = arrays("digits", "train", data_dir)
    np.testing.assert_array_equal(np.concatenate([p["image"] for p in parts]), whole["image"])


@pytest.mark.parametrize("image_size", [32, (20, 12), (5, 3)])
def test_images_are_resized_as_pillow_does(data_dir, image_size):
    from PIL import Image

    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    small = next(iter(data.load("digits", data_dir=data_dir)))[0].numpy()[..., 0]
    image = next(iter(data.load("digits", data_dir=data_dir, image_size=image_size)))[0].numpy()
    assert image.shape == (height, width, 1)
    expected = Image.fromarray(small).resize((width, height), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(image[..., 0], np.asarray(expected), atol=1e-6)


def test_faces_are_those_of_scikit_image(data_dir):
    lfw_subset = pytest.importorskip("skimage.data").lfw_subset()
    train, test = (arrays("faces", split, data_dir) for split in ("train", "test"))
    assert (np.bincount(train["label"]).tolist(), np.bincount(test["label"]).tolist()) == (
        [80, 80],
        [20, 20],
    )
    images = np.concatenate([train["image"], test["image"]])
    labels = np.concatenate([train["label"], test["label"]])
    np.testing.assert_array_equal(
        rows(images, labels), rows(lfw_subset.astype(np.float32), np.arange(200) < 100)
    )
    assert data.info("faces", data_dir=data_dir).classes == ("background", "face")


def test_faces_without_scikit_image_name_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.data", None)
    with pytest.raises(ImportError, match=r'pip install "keras-arch\[faces\]"'):
        data.load("faces", data_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_karate_is_the_graph_of_networkx(data_dir):
    (inputs, labels, weights), *more = data.load("karate", data_dir=data_dir)
    assert not more
    graph = nx.karate_club_graph()
    edges = inputs["edges"].numpy()
    assert edges.shape == (2 * 78, 2)
    assert edges.dtype == np.int32
    adjacency = np.zeros((34, 34), int)
    np.add.at(adjacency, tuple(edges.T), 1)
    np.testing.assert_array_equal(adjacency, nx.to_numpy_array(graph, weight=None))
    weighted = np.zeros((34, 34))
    features = arrays("karate", "train", data_dir)
    weighted[tuple(edges.T)] = features["edge_features"][0, :, 0]
    np.testing.assert_array_equal(weighted, nx.to_numpy_array(graph))
    np.testing.assert_array_equal(inputs["node_features"], np.eye(34))
    clubs = data.info("karate", data_dir=data_dir).classes
    assert [clubs[label] for label in labels] == [graph.nodes[n]["club"] for n in graph]
    assert np.flatnonzero(weights).tolist() == [0, 33]
    hidden = arrays("karate", "test", data_dir)["label_weight"][0]
    np.testing.assert_array_equal(hidden + weights, np.ones(34))


@pytest.mark.parametrize("length", [50, 128])
def test_text_is_the_documentation_of_python(data_dir, length):
    whole = "\n".join(topics[name] for name in sorted(topics))
    vocabulary = data.info("text", data_dir=data_dir, length=length).vocabulary
    assert vocabulary == "".join(sorted(set(whole)))
    place = 0
    for split, part in (("train", 0.8), ("validation", 0.9), ("test", 1.0)):
        windows = arrays("text", split, data_dir, length=length)
        end = round(part * len(whole))
        for feature, shift in (("tokens", 0), ("next_tokens", 1)):
            read = "".join(vocabulary[token] for token in windows[feature].ravel())
            assert end - place - length <= len(read) < end - place
            assert read == whole[place + shift : place + shift + len(read)]
        place = end


def test_a_prepared_set_is_a_set_of_tfds(data_dir):
    ours = arrays("digits", "test", data_dir)
    theirs = tfds.load("digits", split="test", data_dir=data_dir)
    images = np.stack([example["image"] for example in theirs.as_numpy_iterator()])
    assert images.dtype == np.uint8
    np.testing.assert_allclose(ours["image"], images / 255, atol=1e-7)


def test_preparing_prints_nothing_and_draws_nothing(tmp_path, capfd):
    random.seed(0)
    state = random.getstate()
    data.load("karate", data_dir=tmp_path)
    assert random.getstate() == state
    assert capfd.readouterr().out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["karate"]


def test_a_set_is_prepared_once(tmp_path):
    directory = data.prepare("karate", data_dir=tmp_path)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert data.prepare("karate", data_dir=tmp_path) == directory
    data.load("karate", data_dir=tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == written


PROGRAM = """
import random, sys, time
from keras_arch import data
import tensorflow_datasets, sklearn.datasets, tensorflow
random.seed(0)
tensorflow.random.uniform((1,))
open(sys.argv[1], "w").close()
time.sleep(max(0, float(sys.stdin.readline()) - time.time()))
print(len(data.load("digits")), len(data.load("text", "test", length=64)))
"""


def test_processes_that_prepare_at_once_agree_on_the_default_directory(tmp_path):
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TFDS_DATA_DIR": str(tmp_path / "sets"),
    }
    started = [tmp_path / "a", tmp_path / "b"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(path)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for path in started
    ]
    while not all(path.exists() for path in started):
        assert all(process.poll() is None for process in processes)
        time.sleep(0.05)
    characters = len("\n".join(topics.values()))  # another text in each Python
    windows = (characters - round(0.9 * characters) - 1) // 64
    together = f"{time.time() + 0.5}\n"
    for process in processes:
        process.stdin.write(together)
        process.stdin.flush()
    for process in processes:
        printed, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert printed.split() == ["1437", str(windows)]
    assert sorted(path.name for path in (tmp_path / "sets").iterdir()) == ["digits", "text"]


def test_unknown_options_are_refused(data_dir):
    with pytest.raises(TypeError, match="length"):
        data.load("digits", length=3, data_dir=data_dir)
    with pytest.raises(ValueError, match="`length`"):
        data.load("text", length=0, data_dir=data_dir)
    with pytest.raises(ValueError, match="`image_size`"):
        data.load("text", image_size=8, data_dir=data_dir)
    with pytest.raises(ValueError, match="`image_size`"):
        data.load("digits", image_size=(8, 8, 1), data_dir=data_dir)
    with pytest.raises(ValueError, match="Unknown split 'valid'"):
        data.load("digits", "valid", data_dir=data_dir)
    with pytest.raises(ValueError, match="`split`"):
        data.load("digits", None, data_dir=data_dir)
