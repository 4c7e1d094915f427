"""Faces: 100 faces and 100 backgrounds of 25x25 pixels, from scikit-image.

Huang, Ramesh, Berg, Learned-Miller. Labeled Faces in the Wild. University of Massachusetts,
Amherst 2007. http://vis-www.cs.umass.edu/lfw/

    200 images -> 160 train + 40 test, the last fifth of either class

The grey levels are floats of scikit-image's own resizing, and are stored as they are.
"""

import functools
from typing import Any

import numpy as np

PER_CLASS = 100
TRAIN_PER_CLASS = 80


def images() -> np.ndarray:
    """Return scikit-image's array, ``(200, 25, 25)``, faces first."""
    try:
        from skimage.data import lfw_subset
    except ImportError as error:
        raise ImportError(
            "The set `faces` ships with scikit-image, which is not installed. "
            'Install it with: pip install "keras-arch[faces]"'
        ) from error
    return lfw_subset()


@functools.cache
def builder_class() -> type:
    """Return the TFDS builder of the faces."""
    import tensorflow_datasets as tfds

    class Faces(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return tfds.core.DatasetInfo(
                builder=self,
                description="Faces and backgrounds of LFW, as shipped with scikit-image.",
                features=tfds.features.FeaturesDict(
                    {
                        "image": tfds.features.Image(shape=(25, 25, 1), dtype=np.float32),
                        "label": tfds.features.ClassLabel(names=["background", "face"]),
                    }
                ),
                supervised_keys=("image", "label"),
                homepage="http://vis-www.cs.umass.edu/lfw/",
            )

        def _split_generators(self, dl_manager):
            place = np.arange(2 * PER_CLASS) % PER_CLASS
            return {
                "train": self._generate_examples(np.flatnonzero(place < TRAIN_PER_CLASS)),
                "test": self._generate_examples(np.flatnonzero(place >= TRAIN_PER_CLASS)),
            }

        def _generate_examples(self, indices):
            pixels = images().astype(np.float32)[..., None]
            for index in indices.tolist():
                yield index, {"image": pixels[index], "label": int(index < PER_CLASS)}

    return Faces


def faces(data_dir: str | None = None) -> Any:
    """Return a ``tfds.core.DatasetBuilder`` of the faces."""
    return builder_class()(data_dir=data_dir)
