"""Max pooling with windows that overlap: 3x3, two pixels apart.

Krizhevsky, Sutskever, Hinton. ImageNet Classification with Deep Convolutional Neural Networks.
NeurIPS 2012. https://proceedings.neurips.cc/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html
"""

import keras
from keras import layers

from keras_arch.errors import invalid
from keras_arch.layers.local_response_normalization import LocalResponseNormalization


def overlapping_pool(
    x: keras.KerasTensor, edge: str = "inside", name: str = "pool"
) -> keras.KerasTensor:
    """3x3 max pooling with stride 2: ``(B, H, W, C) -> (B, H/2, W/2, C)``.

    Args:
        x: The features.
        edge: ``"inside"``, all windows in the image, or ``"across"``: one more where a row
            would be left over, as Caffe rounds. It then sees zeros: for features >= 0 only.
        name: Name of the layer.

    Raises:
        ValueError: If ``edge`` is neither of the two.
    """
    if edge not in ("inside", "across"):
        raise invalid("edge", 'one of {"inside", "across"}', edge)
    if edge == "across":  # of an odd size the added row is in no window
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"{name}_edge")(x)
    return layers.MaxPooling2D(3, strides=2, name=name)(x)


def normalized_pool(
    x: keras.KerasTensor,
    lrn: str | None,
    edge: str = "inside",
    alpha: float = 1e-4,
    name: str = "pool",
) -> keras.KerasTensor:
    """Overlapping pooling and local response normalization: ``-> (B, H/2, W/2, C)``.

    Args:
        x: The features.
        lrn: Where the normalization stands: ``"before_pool"``, ``"after_pool"`` or
            ``None``, nowhere.
        edge: Of the pooling, see ``overlapping_pool``.
        alpha: Of the normalization.
        name: Name of the last layer.

    Raises:
        ValueError: If ``lrn`` or ``edge`` is none of the above.
    """
    if lrn not in (None, "before_pool", "after_pool"):
        raise invalid("lrn", 'one of {None, "before_pool", "after_pool"}', lrn)
    if lrn == "after_pool":
        x = overlapping_pool(x, edge, name=f"{name}_pool")
        return LocalResponseNormalization(alpha=alpha, name=name)(x)
    if lrn == "before_pool":
        x = LocalResponseNormalization(alpha=alpha, name=f"{name}_lrn")(x)
    return overlapping_pool(x, edge, name=name)
