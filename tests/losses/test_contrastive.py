import keras
import numpy as np
import pytest

from keras_arch.losses import Contrastive


def test_the_formula_of_the_paper():
    rng = np.random.default_rng(0)
    distance, differs = rng.uniform(0, 3, (20, 1)), rng.integers(0, 2, (20, 1))
    expected = (1 - differs) * distance**2 / 2 + differs * np.maximum(0, 1.5 - distance) ** 2 / 2
    found = Contrastive(margin=1.5)(differs, distance.astype("float32"))
    np.testing.assert_allclose(found, expected.mean(), rtol=1e-6)


def test_labels_of_any_shape_and_weights():
    distance = keras.ops.array([[1.0], [2.0]])
    assert float(Contrastive()([0, 0], distance)) == pytest.approx((1 + 4) / 4)
    weighted = Contrastive(reduction="sum")([0, 0], distance, sample_weight=[0.0, 1.0])
    assert float(weighted) == pytest.approx(2.0)


def test_pairs_that_differ_are_left_alone_beyond_the_margin():
    distance = keras.ops.array([[2.5]])
    assert float(Contrastive(margin=2.0)([[1.0]], distance)) == 0
    assert float(Contrastive(margin=3.0)([[1.0]], distance)) == pytest.approx(0.125)


def test_the_margin_is_positive():
    with pytest.raises(ValueError, match=r"`margin`.*Received: margin=0"):
        Contrastive(margin=0)
