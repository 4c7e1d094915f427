"""A layer that looks at the part of an image that matters, upright and in full size.

Jaderberg, Simonyan, Zisserman, Kavukcuoglu. Spatial Transformer Networks. NIPS 2015.
https://arxiv.org/abs/1506.02025

    image -> localization network -> features -> theta -> grid -+
      |                                                         v
      +---------------------------------------------------> sampler -> output
"""

from collections.abc import Callable, Sequence
from typing import Any

from keras import initializers, layers, ops, regularizers

from keras_arch.errors import invalid
from keras_arch.layers.affine_sampling import affine_grid, bilinear_sampler
from keras_arch.registry import register

# Of a transform's parameters p: theta = p @ basis + offset, where the identity is p = identity.
TRANSFORMS: dict[str, dict[str, Any]] = {
    "affine": {"basis": None, "identity": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)},
    "attention": {  # one scale and a translation
        "basis": (
            (1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
            (0.0, 0.0, 1.0, 0.0, 0.0, 0.0),
            (0.0,) * 5 + (1.0,),
        ),
        "identity": (1.0, 0.0, 0.0),
    },
}


@register(
    paper="Spatial Transformer Networks",
    authors="Jaderberg, Simonyan, Zisserman, Kavukcuoglu",
    year=2015,
    url="https://arxiv.org/abs/1506.02025",
    venue="NIPS",
    tiny={"affine": {}, "attention": {"transform": "attention", "size": (3, 4)}},
    inputs=(layers.InputSpec(shape=(None, 6, 5, 3)), layers.InputSpec(shape=(None, 7))),
)
class SpatialTransformer(layers.Layer):
    """Transforms an image as features of it say, ``theta = features @ kernel + bias``.

    The layer is the end of the localization network (the regression of ``theta``, which
    starts as the identity: ``kernel`` of zeros), grid and sampler; the rest of that network
    is any graph from the image to features. Grid and sampling are computed in float32.

    Args:
        size: Height and width of the output; ``None`` for those of the image.
        transform: ``"affine"`` (six parameters) or ``"attention"`` (a scale and a
            translation).
        kernel_initializer: Initializer of ``kernel``.
        kernel_regularizer: Regularizer of ``kernel``.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Pair ``(image, features)`` of shapes ``(B, H, W, C)`` and ``(B, F)``.

    Returns:
        The image as it is seen, ``(B, *size, C)``.

    Raises:
        ValueError: If ``transform`` is neither of the two, or ``size`` no size.

    Example:

    >>> image = keras.random.normal((2, 8, 8, 1), seed=0)
    >>> seen = SpatialTransformer()((image, keras.ops.ones((2, 5))))
    >>> bool(keras.ops.max(keras.ops.abs(seen - image)) < 1e-5)
    True
    """

    def __init__(
        self,
        size: Sequence[int] | None = None,
        transform: str = "affine",
        kernel_initializer: str | Callable | None = "zeros",
        kernel_regularizer: str | Callable | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if transform not in TRANSFORMS:
            raise invalid("transform", f"one of {set(TRANSFORMS)}", transform)
        if size is not None and (len(size) != 2 or min(size) < 1):
            raise invalid("size", "(height, width), or `None`", size)
        self.size = None if size is None else tuple(size)
        self.transform = transform
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        _, features = input_shape
        identity = TRANSFORMS[self.transform]["identity"]
        self.kernel = self.add_weight(
            shape=(features[-1], len(identity)),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(len(identity),),
            initializer=lambda shape, dtype=None: ops.cast(identity, dtype),
            name="bias",
        )

    def theta(self, features: Any) -> Any:
        """Regress the transform of each image: ``(B, F) -> (B, 2, 3)``, float32."""
        theta = ops.cast(ops.matmul(features, self.kernel), "float32")
        theta = theta + ops.cast(self.bias, "float32")
        basis = TRANSFORMS[self.transform]["basis"]
        if basis is not None:
            theta = ops.matmul(theta, ops.convert_to_tensor(basis, "float32"))
        return ops.reshape(theta, (-1, 2, 3))

    def call(self, inputs):
        image, features = inputs
        height, width = self.size or ops.shape(image)[1:3]
        grid = affine_grid(self.theta(features), height, width)
        seen = bilinear_sampler(ops.cast(image, "float32"), grid)
        return ops.cast(seen, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        image, _ = input_shape
        return (image[0], *(self.size or image[1:3]), image[3])

    def get_config(self):
        return {
            **super().get_config(),
            "size": self.size,
            "transform": self.transform,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
        }
