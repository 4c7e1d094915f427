"""Unrolled iterative estimation: within a stage, each block refines one estimate.

Greff, Srivastava, Schmidhuber. Highway and Residual Networks Learn Unrolled Iterative
Estimation. ICLR 2017. https://arxiv.org/abs/1612.07771

If every block of a stage estimates what the last one hands on, its error ``a_l - a_end`` has
mean zero, and a spread that falls with ``l``.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_arch.analysis.lesion import residual_blocks
from keras_arch.errors import invalid
from keras_arch.taps import feature_extractor


def unrolled_estimation(
    model: keras.Model, inputs: Any, blocks: Sequence[str] | None = None, batch_size: int = 64
) -> list[dict[str, tuple[float, float]]]:
    """Measure, in each stage, how far each block is from the features of the last.

    Args:
        model: A functional model; it stays as it is.
        inputs: What it takes, as an array.
        blocks: Names of layers, one a block, in the order of the data flow; by default
            every addition. Neighbours with outputs of one shape are a stage.
        batch_size: Inputs at a time.

    Returns:
        For each stage, by block, mean and standard deviation of ``a_l - a_end``, in units
        of the standard deviation of ``a_end``.

    Raises:
        ValueError: If there are no blocks, or a layer does not exist.

    Example:

    >>> model = keras_arch.models.ResNet20CIFAR(depths=(2, 1, 1))
    >>> stages = unrolled_estimation(model, np.ones((1, 32, 32, 3)))
    >>> [list(stage) for stage in stages][1:]
    [['stage2_block1_add'], ['stage3_block1_add']]
    """
    blocks = residual_blocks(model) if blocks is None else list(blocks)
    if not blocks:
        raise invalid("blocks", "at least one block; this model has no additions", blocks)
    features = feature_extractor(model, blocks).predict(inputs, batch_size, verbose=0)
    stages: list[list[str]] = []
    for block in blocks:
        if not stages or features[stages[-1][-1]].shape != features[block].shape:
            stages.append([])
        stages[-1].append(block)
    found = []
    for stage in stages:
        end = features[stage[-1]].astype("float64")
        errors = {block: (features[block] - end) / np.std(end) for block in stage}
        found.append({block: (float(e.mean()), float(e.std())) for block, e in errors.items()})
    return found
