import itertools

import numpy as np
import pytest

from keras_arch.analysis import equal_width
from keras_arch.models import MLP


def reciprocals(widths):
    return sum(1 / width for width in widths)


def test_the_lecture_s_example():
    assert reciprocals(equal_width(100, 5)) == pytest.approx(0.25)
    assert reciprocals((5, 35, 5, 35, 20)) == pytest.approx(0.507, abs=5e-4)


@pytest.mark.parametrize(("budget", "depth"), [(12, 3), (13, 3), (14, 4), (5, 5), (9, 1)])
def test_no_other_widths_have_a_smaller_sum(budget, depth):
    found = equal_width(budget, depth)
    assert sum(found) == budget
    assert len(found) == depth
    others = [
        widths
        for widths in itertools.product(range(1, budget + 1), repeat=depth)
        if sum(widths) == budget
    ]
    assert reciprocals(found) == pytest.approx(min(map(reciprocals, others)))


def fourth_moment(widths):
    """Of an input-output derivative, He's law and ReLU, in units of (3 / inputs)^2 * 2 / 3."""
    return 6 * np.prod([1 + 5 / width for width in widths])


def test_gradients_vary_less():
    assert fourth_moment(equal_width(100, 5)) == pytest.approx(18.31, abs=0.005)
    assert fourth_moment((5, 35, 5, 35, 20)) == pytest.approx(39.18, abs=0.005)


def test_they_are_the_units_of_an_mlp():
    model = MLP(features=10, units=equal_width(103, 5), classes=2)
    widths = [model.get_layer(f"block{block}").units for block in range(1, 6)]
    assert widths == [21, 21, 21, 20, 20]


@pytest.mark.parametrize(("budget", "depth", "argument"), [(3, 4, "budget"), (3, 0, "depth")])
def test_every_layer_has_a_unit(budget, depth, argument):
    with pytest.raises(ValueError, match=f"`{argument}`"):
        equal_width(budget, depth)
