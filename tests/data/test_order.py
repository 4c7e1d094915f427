"""What stands where depends on (seed, epoch, step), and on nothing else."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_arch import data
from keras_arch.data.order import ordered

EXAMPLES = 23


def numbers(seed=7, epochs=1, start=(0, 0), batch_size=None, drop_remainder=False, buffer=1000):
    return ordered(
        tf.data.Dataset.range(EXAMPLES),
        lambda record: record,
        batch_size=batch_size,
        seed=seed,
        epochs=epochs,
        start=start,
        drop_remainder=drop_remainder,
        buffer=buffer,
    )


def listed(dataset):
    return [np.asarray(step).tolist() for step in dataset]


@pytest.mark.parametrize("case", range(30))
def test_a_start_gives_the_tail(case):
    rng = np.random.default_rng(case)
    shape = {
        "seed": [None, int(rng.integers(2**62))][rng.integers(2)],
        "epochs": int(rng.integers(1, 5)),
        "batch_size": [None, int(rng.integers(1, EXAMPLES + 5))][rng.integers(2)],
        "buffer": [5, 1000][rng.integers(2)],
    }
    whole = listed(numbers(**shape))
    steps = len(whole) // shape["epochs"]
    start = int(rng.integers(shape["epochs"])), int(rng.integers(steps + 1))
    tail = numbers(**shape, start=start)
    assert listed(tail) == whole[start[0] * steps + start[1] :]
    assert len(tail) == len(whole) - start[0] * steps - start[1]


@pytest.mark.parametrize("buffer", [5, 1000])
def test_every_epoch_is_a_permutation_of_its_own(buffer):
    steps = listed(numbers(epochs=4, buffer=buffer))
    epochs = [tuple(steps[e * EXAMPLES : (e + 1) * EXAMPLES]) for e in range(4)]
    assert all(sorted(epoch) == list(range(EXAMPLES)) for epoch in epochs)
    assert len({*epochs, tuple(range(EXAMPLES))}) == 5


def test_seeds_differ_and_none_is_the_stored_order():
    orders = {tuple(listed(numbers(seed=seed))) for seed in (0, 1, 2, 2**31 - 1, 2**32)}
    assert len(orders) == 5
    assert listed(numbers(seed=None, epochs=2)) == [*range(EXAMPLES)] * 2


def test_neither_the_past_nor_the_global_seed_counts():
    expected = listed(numbers(epochs=3))
    dataset = numbers(epochs=3)
    next(iter(dataset))
    assert listed(dataset) == listed(dataset) == expected
    for global_seed in (1, 2):
        keras.utils.set_random_seed(global_seed)
        assert listed(numbers(epochs=3)) == expected
        assert listed(dataset) == expected


def test_the_global_random_states_stay_as_they_are():
    keras.utils.set_random_seed(3)
    expected = tf.random.uniform((4,)).numpy()
    keras.utils.set_random_seed(3)
    listed(numbers(epochs=2))
    np.testing.assert_array_equal(tf.random.uniform((4,)).numpy(), expected)


PROGRAM = """
import json, sys
import tensorflow as tf
tf.config.threading.set_inter_op_parallelism_threads(1)
from keras_arch import data
steps = data.load("digits", seed=5, epochs=3, start=(1, 2), batch_size=100, data_dir=sys.argv[1])
print(json.dumps([[y.numpy().tolist(), float(tf.reduce_sum(x))] for x, y in steps]))
"""


def test_another_process_with_one_thread_agrees(data_dir):
    here = data.load("digits", seed=5, epochs=3, batch_size=100, data_dir=data_dir)
    here = [[y.numpy().tolist(), float(tf.reduce_sum(x))] for x, y in here]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "1"}
    command = [sys.executable, "-c", PROGRAM, str(data_dir)]
    there = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    assert json.loads(there.stdout.splitlines()[-1]) == here[15 + 2 :]


@pytest.mark.parametrize(
    ("batch_size", "drop_remainder", "steps"),
    [(None, False, 23), (1, False, 23), (5, False, 5), (5, True, 4), (23, True, 1), (50, False, 1)],
)
def test_the_cardinality_is_known(batch_size, drop_remainder, steps):
    dataset = numbers(epochs=3, batch_size=batch_size, drop_remainder=drop_remainder)
    assert len(dataset) == len(listed(dataset)) == 3 * steps
    at_the_end = numbers(
        epochs=3, start=(3, 0), batch_size=batch_size, drop_remainder=drop_remainder
    )
    assert len(at_the_end) == len(listed(at_the_end)) == 0


def test_batches_do_not_cross_epochs():
    sizes = [len(batch) for batch in listed(numbers(epochs=2, batch_size=10))]
    assert sizes == [10, 10, 3, 10, 10, 3]


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("start", (2, 1)),
        ("start", (3, 0)),
        ("start", (0, 24)),
        ("start", (-1, 0)),
        ("start", (0, -1)),
        ("start", (0, 0.5)),
        ("start", 3),
        ("epochs", 0),
        ("epochs", 1.5),
        ("batch_size", 0),
        ("batch_size", True),
        ("batch_size", "8"),
        ("seed", -1),
        ("seed", 0.5),
    ],
)
def test_a_bad_argument_is_named(argument, value):
    with pytest.raises(ValueError, match=f"Invalid value for argument `{argument}`"):
        numbers(**{"epochs": 2, argument: value})


def test_a_batch_larger_than_the_split_is_refused_where_the_rest_is_dropped():
    with pytest.raises(ValueError, match=r"`batch_size`.*at most the 23 examples"):
        numbers(batch_size=24, drop_remainder=True)


def test_records_of_unknown_number_are_refused():
    records = tf.data.Dataset.range(9).filter(lambda n: n > 3)
    with pytest.raises(ValueError, match="`split`"):
        ordered(
            records,
            lambda record: record,
            batch_size=None,
            seed=0,
            epochs=1,
            start=(0, 0),
            drop_remainder=False,
            buffer=10,
        )
