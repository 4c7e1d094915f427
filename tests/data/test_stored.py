"""Sets of TFDS: prepared ones are read, others are refused at once, with the cure."""

import importlib.util
import os
import re
import shlex
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras_arch import data

BUILDER = '''
import numpy as np
import tensorflow_datasets as tfds


class NumberedRows(tfds.core.GeneratorBasedBuilder):
    """A set that needs no network, as a user would write one."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = tfds.features.FeaturesDict(
            {
                "row": tfds.features.Tensor(shape=(None,), dtype=np.float32),
                "picture": tfds.features.Image(shape=(None, None, 3)),
            }
        )
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(12)}

    def _generate_examples(self, examples):
        for n in range(examples):
            picture = np.full((n + 1, 4, 3), n, np.uint8)
            yield n, {"row": np.full(n, n, np.float32), "picture": picture}
'''


@pytest.fixture(scope="module")
def numbered_rows(tmp_path_factory):
    """A set that TFDS knows by name, as it knows its own."""
    path = tmp_path_factory.mktemp("script") / "numbered_rows.py"
    path.write_text(BUILDER)
    spec = importlib.util.spec_from_file_location("numbered_rows", path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*arguments, **keywords):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("name", ["cifar10", "mnist:3.0.1", "glue/cola", "imagenet2012"])
def test_an_unprepared_set_fails_at_once_with_the_command(name, no_network, tmp_path):
    began = time.monotonic()
    expected = f"-m keras_arch prepare {name} --data_dir {tmp_path}`"
    with pytest.raises(ValueError, match=re.escape(expected)):
        data.load(name, data_dir=tmp_path)
    with pytest.raises(ValueError, match=re.escape(expected)):
        data.info(name, data_dir=tmp_path)
    assert time.monotonic() - began < 10
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["huggingface:mnist", "kaggle:digits"])
def test_a_namespace_is_refused_at_once(name, no_network):
    with pytest.raises(ValueError, match="without a namespace"):
        data.load(name)


@pytest.mark.parametrize(
    ("name", "meant"), [("cifra10", "cifar10"), ("digit", "digits"), ("ading", "adding")]
)
def test_a_misspelt_name_brings_the_nearest(name, meant, no_network):
    with pytest.raises(ValueError, match=f"such as .*'{meant}'"):
        data.load(name)


def test_names_of_no_stored_set_are_refused():
    with pytest.raises(ValueError, match="`name`"):
        data.load(None)
    with pytest.raises(ValueError, match="`name`"):
        data.prepare("adding")
    with pytest.raises(ValueError, match="`options`"):
        data.load("cifar10", length=3)


def test_the_command_of_the_error_prepares_a_set(tmp_path):
    with pytest.raises(ValueError, match="`name`") as caught:
        data.load("cifar10", data_dir=tmp_path)
    command = re.search(r"prepares it: `(.*)`\)", str(caught.value)).group(1)
    offline = shlex.split(command.replace("cifar10", "karate"))
    assert offline[0] == sys.executable
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(offline, env=environment, check=True, capture_output=True)
    assert len(tfds.load("karate", split="train", data_dir=tmp_path)) == 1


def test_a_prepared_set_is_read_and_its_order_is_pure(numbered_rows, tmp_path):
    data.prepare("numbered_rows", data_dir=tmp_path)
    arguments = {"as_supervised": False, "seed": 2, "data_dir": tmp_path}
    whole = [len(e["row"]) for e in data.load("numbered_rows", epochs=2, **arguments)]
    assert sorted(whole[:12]) == sorted(whole[12:]) == list(range(12))
    assert whole[:12] != whole[12:]
    tail = data.load("numbered_rows", epochs=2, start=(1, 3), **arguments)
    assert [len(e["row"]) for e in tail] == whole[15:]
    half = data.load("numbered_rows", "train[50%:]", **arguments)
    assert len(half) == len(list(half)) == 6


def test_what_has_no_target_or_no_common_shape_says_so(numbered_rows, tmp_path):
    data.prepare("numbered_rows", data_dir=tmp_path)
    with pytest.raises(ValueError, match="`as_supervised`"):
        data.load("numbered_rows", data_dir=tmp_path)
    with pytest.raises(ValueError, match=r"`batch_size`.*differ in shape"):
        data.load("numbered_rows", data_dir=tmp_path, as_supervised=False, batch_size=2)


def test_every_set_of_tfds_goes_the_same_way():
    arguments = {"batch_size": 4, "seed": 1, "image_size": 16}
    with tfds.testing.mock_data(num_examples=10):
        batches = list(data.load("cifar10", **arguments))
        tail = list(data.load("cifar10", start=(0, 2), **arguments))
    assert [images.shape for images, _ in batches] == [
        (4, 16, 16, 3),
        (4, 16, 16, 3),
        (2, 16, 16, 3),
    ]
    images, labels = batches[-1]
    assert images.dtype == np.float32
    assert 0 <= images.numpy().min() < images.numpy().max() <= 1
    assert abs(images.numpy().mean() - 0.5) < 0.05  # uniform grey levels, of 0 ... 255
    assert len(tail) == 1
    np.testing.assert_array_equal(tail[0][0], images)
    np.testing.assert_array_equal(tail[0][1], labels)


def test_images_of_many_sizes_are_batched_once_resized():
    with tfds.testing.mock_data(num_examples=3):
        with pytest.raises(ValueError, match="`image_size`"):
            data.load("food101", batch_size=3)
        ((images, _),) = data.load("food101", batch_size=3, image_size=(9, 7))
    assert images.shape == (3, 9, 7, 3)


def test_sets_without_images_are_read_as_they_are():
    with tfds.testing.mock_data(num_examples=3):
        ((texts, labels),) = data.load("imdb_reviews", batch_size=3)
    assert texts.dtype == "string"
    assert labels.shape == (3,)
