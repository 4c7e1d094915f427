"""Time things beside each other: in turn, in one process, so that a busy machine hits all alike."""

import statistics
import time


def in_turn(functions, rounds, warmup=3):
    """Time each function once a round, the order turning; returns seconds by name, a list each.

    Args:
        functions: What to time, by name; each waits for its own result.
        rounds: How often.
        warmup: Calls before, which are not timed: the first ones trace and allocate.
    """
    names = list(functions)
    for function in functions.values():
        for _ in range(warmup):
            function()
    seconds = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            began = time.perf_counter()
            functions[name]()
            seconds[name].append(time.perf_counter() - began)
    return seconds


def ratio(seconds, name, reference):
    """The median, over the rounds, of one time by another of the same round."""
    pairs = zip(seconds[name], seconds[reference], strict=True)
    return statistics.median(one / other for one, other in pairs)


def training_step(model, x, y):
    """A function that trains a compiled model for a step, as ``fit`` does, and waits for it."""
    import tensorflow as tf

    batches = iter(tf.data.Dataset.from_tensors((x, y)).repeat())
    model.make_train_function()
    return lambda: float(model.train_function(batches)["loss"])


def inference(model, x):
    """A function that answers a batch as ``predict`` does, and waits for it."""
    import tensorflow as tf

    steps = [(tf.constant(x),)]
    model.make_predict_function()
    return lambda: model.predict_function(steps).numpy()
