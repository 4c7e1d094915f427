"""What a model does, seen from outside: each takes any ``keras.Model``."""

from keras_arch.analysis.lesion import (
    lesion_study,
    path_lengths,
    residual_blocks,
    swapped_blocks,
    without_block,
)
from keras_arch.analysis.unrolled_estimation import unrolled_estimation

__all__ = [
    "lesion_study",
    "path_lengths",
    "residual_blocks",
    "swapped_blocks",
    "unrolled_estimation",
    "without_block",
]
