"""Augmentation: what an image still shows when it is moved a little, or mirrored.

    image -> a border of zeros -> a random window of the old size -> mirrored, or not

Four pixels and the mirror are the augmentation of residual and dense networks on CIFAR
(He, Zhang, Ren, Sun. Deep Residual Learning for Image Recognition. CVPR 2016); characters
are not mirrored.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from keras_arch.data.order import whole

if TYPE_CHECKING:
    import tensorflow as tf

Augmentation = Callable[["tf.Tensor", "tf.Tensor"], "tf.Tensor"]


def shift_and_mirror(shift: int = 4, mirror: bool = True) -> Augmentation:
    """Return what moves an image at random, and mirrors every second one, for ``load``.

    Args:
        shift: The most pixels up, down, left or right; what comes in is black.
        mirror: Whether left and right may change places.

    Returns:
        A function ``(image, key) -> image`` for images ``(H, W, C)``. The key, a pair of
        integers, decides; equal keys give equal images.

    Raises:
        ValueError: If ``shift`` is no whole number, or negative.

    Example:

    >>> change = shift_and_mirror(shift=2)
    >>> change(keras.ops.ones((8, 8, 1)), (3, 4)).shape
    TensorShape([8, 8, 1])
    """
    whole("shift", shift, 0)

    def change(image, key):
        import tensorflow as tf

        border = [[shift, shift], [shift, shift], [0, 0]]
        moved = tf.image.stateless_random_crop(tf.pad(image, border), tf.shape(image), key)
        moved = tf.ensure_shape(moved, image.shape)
        if not mirror:
            return moved
        other = tf.random.experimental.stateless_fold_in(key, 1, alg="philox")
        return tf.image.stateless_random_flip_left_right(moved, other)

    return change
