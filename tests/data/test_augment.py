"""Augmentation: what it does to an image, and that (seed, epoch, step) alone decide."""

import numpy as np
import pytest
import tensorflow as tf

from keras_arch import data

IMAGE = np.arange(1.0, 1 + 6 * 5 * 2, dtype="float32").reshape(6, 5, 2)


def moved(image, down, right, mirrored):
    """By numpy: zeros come in where it leaves."""
    padded = np.pad(image, [(9, 9), (9, 9), (0, 0)])
    window = padded[9 - down : 15 - down, 9 - right : 14 - right]
    return window[:, ::-1] if mirrored else window


def variants(shift, mirror, keys=400):
    change = tf.function(data.shift_and_mirror(shift, mirror))
    return [change(IMAGE, tf.constant([7, key])).numpy() for key in range(keys)]


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("shift", [0, 2])
def test_every_shift_and_nothing_else(shift, mirror):
    shifts = range(-shift, shift + 1)
    expected = {
        moved(IMAGE, down, right, mirrored).tobytes()
        for down in shifts
        for right in shifts
        for mirrored in {False, mirror}
    }
    found = {variant.tobytes() for variant in variants(shift, mirror)}
    assert found == expected


def test_half_are_mirrored():
    share = np.mean([(variant == IMAGE).all() for variant in variants(0, True)])
    assert abs(share - 0.5) < 0.1  # four standard deviations of 400


def images(data_dir, start=(0, 0), seed=3, **arguments):
    dataset = data.load(
        "digits",
        seed=seed,
        epochs=2,
        start=start,
        batch_size=100,
        augment=data.shift_and_mirror(2, mirror=False),
        data_dir=data_dir,
        **arguments,
    )
    return [(x.numpy(), y.numpy()) for x, y in dataset]


class TestLoad:
    def test_a_start_gives_the_tail(self, data_dir):
        every = images(data_dir)
        for start in [(0, 4), (1, 0), (1, 13)]:
            tail = images(data_dir, start)
            for one, other in zip(tail, every[start[0] * 15 + start[1] :], strict=True):
                np.testing.assert_array_equal(one[0], other[0])
                np.testing.assert_array_equal(one[1], other[1])

    def test_neither_the_past_nor_the_global_seed_counts(self, data_dir):
        first = images(data_dir)
        tf.random.set_seed(99)
        for one, other in zip(images(data_dir), first, strict=True):
            np.testing.assert_array_equal(one[0], other[0])

    def test_each_epoch_and_seed_moves_in_its_own_way(self, data_dir):
        every = images(data_dir)
        epochs = [np.concatenate([x for x, _ in every[e * 15 : e * 15 + 15]]) for e in (0, 1)]
        plain = {
            image.tobytes()
            for x, _ in data.load("digits", batch_size=100, data_dir=data_dir)
            for image in x.numpy()
        }
        stay = [np.mean([image.tobytes() in plain for image in epoch]) for epoch in epochs]
        assert all(0.01 < share < 0.12 for share in stay)  # one shift of 25
        sets = [{image.tobytes() for image in epoch} for epoch in epochs]
        assert len(sets[0] & sets[1]) < 0.2 * len(sets[0])

    def test_without_a_target(self, data_dir):
        (batch,) = data.load(
            "digits",
            "train[:5]",
            seed=1,
            batch_size=5,
            as_supervised=False,
            augment=lambda image, key: 0 * image,
            data_dir=data_dir,
        )
        assert float(tf.reduce_max(batch["image"])) == 0

    def test_bad_arguments(self, data_dir):
        change = data.shift_and_mirror()
        with pytest.raises(ValueError, match=r"`seed`.*which decides what `augment` does"):
            data.load("digits", augment=change, data_dir=data_dir)
        with pytest.raises(ValueError, match=r"`augment`.*is no image"):
            data.load("adding", seed=1, augment=change)
        with pytest.raises(ValueError, match="`shift`"):
            data.shift_and_mirror(-1)
