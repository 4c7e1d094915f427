"""What a batch of pairs is made of."""

import numpy as np
import pytest

from keras_arch.recipes.vision import siamese


@pytest.mark.parametrize("batch", [8, 9])
def test_pairs_know_whether_they_differ(batch):
    labels = np.random.default_rng(0).integers(0, 3, batch)
    images = (10 * labels + np.arange(batch))[:, None].astype("float32")
    pair, differs = siamese.paired(images, labels)
    a, b = (np.asarray(x) for x in pair)
    assert len(a) == len(b) == len(differs) == 2 * (batch // 2)
    np.testing.assert_array_equal(a // 10 != b // 10, differs)
    assert (a != b).all()  # no digit is compared with itself


def test_half_of_a_large_batch_is_of_a_kind():
    labels = np.random.default_rng(0).integers(0, 10, 128)
    _, differs = siamese.paired(labels[:, None].astype("float32"), labels)
    assert np.mean(differs[:64]) < 0.15
    assert np.mean(differs[64:]) > 0.8
