"""Data: real sets that ship with dependencies, made tasks, and any TFDS set, by name.

    name -> stored records -> permutation of (seed, epoch) -> decode, resize, augment -> batches

Nothing here loads TensorFlow before it is asked for data, and nothing touches the network
unless ``prepare`` is called with the name of a set that has to be downloaded.
"""

from keras_arch.data.augment import shift_and_mirror
from keras_arch.data.loading import Info, info, load
from keras_arch.data.made.adding import adding
from keras_arch.data.made.gaussian_ring import gaussian_ring
from keras_arch.data.made.lone_pixel import lone_pixel
from keras_arch.data.made.sine import sine
from keras_arch.data.stored import prepare

__all__ = [
    "Info",
    "adding",
    "gaussian_ring",
    "info",
    "load",
    "lone_pixel",
    "prepare",
    "shift_and_mirror",
    "sine",
]
