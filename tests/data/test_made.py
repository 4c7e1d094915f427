"""Made tasks, derived again in numpy, and through the pipeline."""

import numpy as np
import pytest

from keras_arch import data
from keras_arch.data.made import BLOCK, SPLITS, TASKS


def arrays(examples):
    """All of them, as arrays by name."""
    rows = list(examples)
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


@pytest.mark.parametrize("length", [2, 5, 40])
def test_adding_sums_what_is_marked_in_each_half(length):
    made = arrays(data.adding(examples=2000, length=length, seed=1))
    values, markers = made["sequence"][..., 0], made["sequence"][..., 1]
    assert made["sequence"].dtype == made["total"].dtype == np.float32
    for half in (markers[:, : length // 2], markers[:, length // 2 :]):
        np.testing.assert_array_equal(half.sum(axis=1), np.ones(2000))
        assert (half.sum(axis=0) > 0).all()
    marked = values[markers == 1].reshape(2000, 2)
    np.testing.assert_array_equal(made["total"][:, 0], marked[:, 0] + marked[:, 1])
    assert 0 <= values.min() < values.max() < 1
    assert abs(made["total"].mean() - 1) < 0.03
    assert abs(made["total"].var() - 1 / 6) < 0.02


def test_the_ring_has_its_modes_where_they_belong():
    made = arrays(data.gaussian_ring(examples=8000, seed=1))
    counts = np.bincount(made["mode"], minlength=8)
    assert len(counts) == 8
    assert counts.min() > 850
    for mode in range(8):
        points = made["point"][made["mode"] == mode]
        centre = 2 * np.array([np.cos(mode * np.pi / 4), np.sin(mode * np.pi / 4)])
        np.testing.assert_allclose(points.mean(axis=0), centre, atol=0.01)
        np.testing.assert_allclose(points.std(axis=0), 0.05, atol=0.005)


def test_the_sine_of_an_angle():
    made = arrays(data.sine(examples=4000, seed=1))
    np.testing.assert_allclose(made["sine"], np.sin(made["angle"]), atol=1e-6)
    assert made["sine"].dtype == made["angle"].dtype == np.float32
    assert -np.pi <= made["angle"].min() < -3.1
    assert 3.1 < made["angle"].max() <= np.pi
    assert made["angle"].std() == pytest.approx(np.pi / 3**0.5, rel=0.03)


def test_the_lone_pixel_is_where_the_place_says_and_off_the_edge():
    shown = {}
    for places in ("seen", "unseen"):
        made = arrays(data.lone_pixel(examples=3000, size=12, places=places, margin=2, seed=1))
        example, rows, columns, _ = np.nonzero(made["image"])
        np.testing.assert_array_equal(example, np.arange(3000))
        assert made["image"].sum() == 3000
        found = np.stack([rows, columns], axis=-1)
        np.testing.assert_allclose(made["place"], found / 5.5 - 1, atol=1e-6)
        shown[places] = {*map(tuple, found.tolist())}
    assert not shown["seen"] & shown["unseen"]
    assert shown["seen"] | shown["unseen"] == {(r, c) for r in range(2, 10) for c in range(2, 10)}


@pytest.mark.parametrize("name", sorted(TASKS))
def test_content_depends_on_the_seed_alone(name):
    make = TASKS[name].make
    np.random.seed(0)
    first = arrays(make(examples=5, seed=3))
    np.random.seed(1)
    again, other = arrays(make(examples=5, seed=3)), arrays(make(examples=5, seed=4))
    assert first.keys() == {*TASKS[name].supervised}
    for key in first:
        np.testing.assert_array_equal(first[key], again[key])
        assert len(first[key]) == 5
    assert any(not np.array_equal(first[key], other[key]) for key in first)
    assert getattr(data, name) is make


@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_task_is_drawn_while_it_is_read(name):
    made = TASKS[name].make(examples=10**12)
    assert len(made) == 10**12
    assert len(data.load(name, batch_size=8, examples=10**9)) == 10**9 // 8
    first, again = next(iter(made)), next(iter(made))
    assert all(np.array_equal(first[key], again[key]) for key in first)
    beyond_a_block = list(TASKS[name].make(examples=BLOCK + 3))
    assert len(beyond_a_block) == BLOCK + 3
    assert not np.array_equal(*(next(iter(beyond_a_block[at].values())) for at in (0, BLOCK)))
    batches = list(data.load(name, batch_size=BLOCK, examples=BLOCK + 3, as_supervised=False))
    key = next(iter(first))
    np.testing.assert_array_equal(batches[1][key][2], beyond_a_block[-1][key])


@pytest.mark.parametrize("name", sorted(TASKS))
def test_load_gives_the_task(name):
    loaded = {}
    for split in SPLITS:
        (batch,) = data.load(name, split, batch_size=7, as_supervised=False, examples=7)
        expected = arrays(TASKS[name].make(examples=7, seed=(0, SPLITS.index(split))))
        for key in expected:
            np.testing.assert_array_equal(batch[key], expected[key])
        loaded[split] = np.concatenate([batch[key].numpy().ravel() for key in sorted(batch)])
    assert len({array.tobytes() for array in loaded.values()}) == 3
    (other,) = data.load(name, batch_size=7, examples=7, task_seed=1)
    (same,) = data.load(name, batch_size=7, examples=7)
    assert not np.array_equal(other[0], same[0])


def test_the_order_and_the_content_have_seeds_of_their_own():
    stored = data.load("adding", examples=20, length=4)
    shuffled = data.load("adding", examples=20, length=4, seed=1, epochs=2)
    stored = [total.numpy().item() for _, total in stored]
    shuffled = [total.numpy().item() for _, total in shuffled]
    assert sorted(shuffled[:20]) == sorted(shuffled[20:]) == sorted(stored)
    assert shuffled[:20] != shuffled[20:]
    assert shuffled[:20] != stored


def test_info_of_a_task():
    about = data.info("adding", examples=6, length=9)
    assert about.splits == {"train": 6, "validation": 6, "test": 6}
    assert about.features["sequence"].shape == (9, 2)
    assert about.classes is None


@pytest.mark.parametrize(
    ("name", "argument", "options"),
    [
        ("adding", "examples", {"examples": 0}),
        ("adding", "length", {"length": 1}),
        ("gaussian_ring", "modes", {"modes": 0}),
        ("gaussian_ring", "deviation", {"deviation": -1}),
        ("lone_pixel", "places", {"places": "half"}),
        ("lone_pixel", "margin", {"size": 8, "margin": 4}),
        ("adding", "split", {"split": "train[:50%]"}),
        ("adding", "image_size", {"image_size": 8}),
    ],
)
def test_a_bad_option_is_named(name, argument, options):
    with pytest.raises(ValueError, match=f"Invalid value for argument `{argument}`"):
        data.load(name, **options)


def test_an_unknown_option_is_a_type_error():
    with pytest.raises(TypeError, match="lenght"):
        data.load("adding", lenght=3)
