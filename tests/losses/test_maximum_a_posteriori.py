import keras
import numpy as np
import pytest

from keras_arch.losses import MaximumAPosteriori

PENALTIES = np.random.default_rng(0).uniform(0, 30, (8, 4))
LABELS = np.arange(8) % 4


def loss(rubbish):
    return float(MaximumAPosteriori(rubbish)(LABELS, -PENALTIES.astype("float32")))


def test_equation_9_of_the_paper():
    right = PENALTIES[np.arange(8), LABELS]
    competition = np.log(np.exp(-5.0) + np.exp(-PENALTIES).sum(1))
    assert loss(5.0) == pytest.approx((right + competition).mean(), rel=1e-5)


def test_equation_8_of_the_paper():
    assert loss(None) == pytest.approx(PENALTIES[np.arange(8), LABELS].mean(), rel=1e-6)


def test_without_rubbish_it_is_cross_entropy():
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    expected = float(entropy(LABELS, -PENALTIES.astype("float32")))
    assert loss(1e4) == pytest.approx(expected, rel=1e-5)
    assert loss(5.0) > 1.01 * expected


def test_labels_may_have_an_axis_of_their_own():
    scores = -PENALTIES.astype("float32")
    assert float(MaximumAPosteriori()(LABELS[:, None], scores)) == pytest.approx(loss(2.0))


def test_a_penalty_is_positive():
    with pytest.raises(ValueError, match=r"`rubbish`.*Received: rubbish=-1"):
        MaximumAPosteriori(rubbish=-1)
