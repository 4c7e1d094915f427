"""Order: which example stands where, as a pure function of (seed, epoch, step).

    records -> shuffle by (seed, epoch) -> skip to the step -> finish -> vary -> batch -> next epoch

``shuffle(reshuffle_each_iteration=True)`` depends on how often it was started, and any
shuffle on the global seed; here neither counts. To start at (epoch, step), no earlier
epoch is read, and the records of earlier steps are dropped before they are decoded.
"""

import numbers
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from keras_arch.errors import invalid

if TYPE_CHECKING:
    import tensorflow as tf


def ordered(
    records: "tf.data.Dataset",
    finish: Callable[[Any], Any],
    *,
    batch_size: int | None,
    seed: int | None,
    epochs: int,
    start: tuple[int, int],
    drop_remainder: bool,
    buffer: int,
    vary: Callable[[Any, Any], Any] | None = None,
) -> "tf.data.Dataset":
    """Return epoch after epoch of finished examples, from ``start`` on.

    Args:
        records: Examples in stored order, of known cardinality.
        finish: What makes an example of a record.
        batch_size: Examples of a batch, or ``None`` for single examples.
        seed: Which permutations, or ``None`` for the stored order.
        epochs: Passes over the records, those before ``start`` included.
        start: ``(epoch, step)`` to begin at.
        drop_remainder: Whether to drop a last batch that is not full.
        buffer: Most records to shuffle among.
        vary: What changes an example by chance, ``vary(example, key)``; the key, a pair of
            integers, is a function of seed, epoch and place.
    """
    import tensorflow as tf

    examples = int(records.cardinality())
    if examples < 1:
        raise invalid("split", "a split that has examples, and a known number of them", examples)
    steps = steps_of(examples, batch_size, drop_remainder)
    remaining = steps_left(steps, epochs, start)
    if seed is not None:
        whole("seed", seed, 0)
    if batch_size is not None:
        check_shapes(records.map(finish).element_spec)
    first, passed = start

    def epoch_from(epoch):
        one = records
        pair = tf.stack([tf.constant(seed or 0, tf.int64), epoch])
        if seed is not None:
            # A shuffle mixes its seed with that of its graph, which is a copy of the global
            # one. This is the graph of this function alone.
            tf.compat.v1.get_default_graph().seed = 1
            folded = tf.random.stateless_uniform((), pair, None, None, tf.int64, alg="philox")
            one = one.shuffle(min(buffer, examples), folded, reshuffle_each_iteration=False)
        skipped = tf.constant(passed * (batch_size or 1), tf.int64)
        skipped = tf.where(epoch == first, skipped, 0)
        one = one.skip(skipped)
        if vary is None:
            one = one.map(finish, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        else:

            def varied(place, record):
                key = tf.random.experimental.stateless_fold_in(pair, place, alg="philox")
                return vary(finish(record), key)

            one = one.enumerate(skipped)
            one = one.map(varied, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        return one if batch_size is None else one.batch(batch_size, drop_remainder)

    dataset = tf.data.Dataset.range(first, epochs).flat_map(epoch_from)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(remaining))
    options = tf.data.Options()
    options.deterministic = True
    return dataset.with_options(options).prefetch(tf.data.AUTOTUNE)


def whole(argument: str, value: Any, least: int) -> None:
    """Refuse what is no whole number, or too small."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
        raise invalid(argument, f"a whole number of at least {least}", value)


def steps_of(examples: int, batch_size: int | None, drop_remainder: bool) -> int:
    """Return the steps of an epoch."""
    if batch_size is None:
        return examples
    whole("batch_size", batch_size, 1)
    steps = examples // batch_size if drop_remainder else -(-examples // batch_size)
    if not steps:
        raise invalid("batch_size", f"at most the {examples} examples of the split", batch_size)
    return steps


def steps_left(steps: int, epochs: int, start: tuple[int, int]) -> int:
    """Return the steps from ``start`` to the end of the last epoch."""
    whole("epochs", epochs, 1)
    expected = f"(epoch, step) within {epochs} epochs of {steps} steps"
    try:
        first, passed = start
        whole("start", first, 0)
        whole("start", passed, 0)
    except (TypeError, ValueError) as error:
        raise invalid("start", expected, start) from error
    remaining = (epochs - first) * steps - passed
    if passed > steps or remaining < 0:
        raise invalid("start", expected, start)
    return remaining


def check_shapes(spec: Any) -> None:
    """Refuse to batch examples that differ in shape."""
    import tensorflow as tf

    for feature in tf.nest.flatten(spec):
        if not feature.shape.is_fully_defined():
            raise invalid(
                "batch_size",
                "None, since examples differ in shape (for images, `image_size` makes them equal)",
                feature.shape,
            )
