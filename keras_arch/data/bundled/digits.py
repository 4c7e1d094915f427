"""Digits: 1,797 handwritten digits of 8x8 pixels, from scikit-learn.

Alpaydin, Kaynak. Optical Recognition of Handwritten Digits. UCI 1998.
https://doi.org/10.24432/C50P49

    1,797 images -> 1,437 train + 360 test, the same share of every digit in both

scikit-learn has the 17 grey levels 0 ... 16; they are stored as the nearest of 0 ... 255,
so an image loads in [0, 1] and ``round(16 * image)`` is scikit-learn's array again.
"""

import functools
from typing import Any

import numpy as np

TEST_EXAMPLES = 360
LEVELS = 16  # grey levels of scikit-learn's arrays, beside 0


@functools.cache
def builder_class() -> type:
    """Return the TFDS builder of the digits."""
    import tensorflow_datasets as tfds
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    class Digits(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return tfds.core.DatasetInfo(
                builder=self,
                description="Handwritten digits of 8x8 pixels, as shipped with scikit-learn.",
                features=tfds.features.FeaturesDict(
                    {
                        "image": tfds.features.Image(shape=(8, 8, 1)),
                        "label": tfds.features.ClassLabel(num_classes=10),
                    }
                ),
                supervised_keys=("image", "label"),
                homepage="https://doi.org/10.24432/C50P49",
            )

        def _split_generators(self, dl_manager):
            labels = load_digits().target
            train, test = train_test_split(
                np.arange(len(labels)), test_size=TEST_EXAMPLES, stratify=labels, random_state=0
            )
            return {
                "train": self._generate_examples(train),
                "test": self._generate_examples(test),
            }

        def _generate_examples(self, indices):
            stored = load_digits()
            pixels = np.round(stored.images[..., None] * (255 / LEVELS)).astype(np.uint8)
            for index in indices.tolist():
                yield index, {"image": pixels[index], "label": int(stored.target[index])}

    return Digits


def digits(data_dir: str | None = None) -> Any:
    """Return a ``tfds.core.DatasetBuilder`` of the digits."""
    return builder_class()(data_dir=data_dir)
