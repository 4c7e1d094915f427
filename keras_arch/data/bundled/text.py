"""Text: Python's own documentation, character by character.

``pydoc_data.topics``, what ``help("for")`` prints; it ships with Python, and differs from
one Python to the next: so its version is Python's.

    topics in alphabetical order -> one text -> 80 % train, 10 % validation, 10 % test
      -> windows of ``length`` characters, and the same windows one character later

The windows of a split stand in reading order and do not overlap; the characters left at
the end of a split, fewer than fill a window, are dropped.
"""

import functools
import sys
from typing import Any

import numpy as np

from keras_arch.errors import invalid

PARTS = {"train": (0.0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0)}


def documentation() -> str:
    """Return the topics of Python's documentation as one text."""
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in sorted(topics))


@functools.cache
def builder_class(length: int) -> type:
    """Return the TFDS builder of the text, in windows of ``length`` characters."""
    import tensorflow_datasets as tfds

    class Text(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
        VERSION = tfds.core.Version(".".join(map(str, sys.version_info[:3])))
        BUILDER_CONFIGS = [tfds.core.BuilderConfig(name=f"length{length}")]  # noqa: RUF012

        def _info(self):
            window = tfds.features.Tensor(shape=(length,), dtype=np.int32)
            return tfds.core.DatasetInfo(
                builder=self,
                description="Python's documentation, as shipped with Python.",
                features=tfds.features.FeaturesDict({"tokens": window, "next_tokens": window}),
                supervised_keys=("tokens", "next_tokens"),
                homepage="https://docs.python.org/3/reference/",
                metadata=tfds.core.MetadataDict(vocabulary="".join(sorted(set(documentation())))),
                disable_shuffling=True,
            )

        def _split_generators(self, dl_manager):
            characters = np.array(list(documentation()))
            tokens = np.unique(characters, return_inverse=True)[1].astype(np.int32)
            return {
                split: self._generate_examples(
                    tokens[round(first * len(tokens)) : round(last * len(tokens))]
                )
                for split, (first, last) in PARTS.items()
            }

        def _generate_examples(self, tokens):
            for index in range((len(tokens) - 1) // length):
                window = tokens[index * length : (index + 1) * length + 1]
                yield index, {"tokens": window[:-1], "next_tokens": window[1:]}

    return Text


def text(data_dir: str | None = None, length: int = 128) -> Any:
    """Return a ``tfds.core.DatasetBuilder`` of the text, in windows of ``length``."""
    if not 1 <= length <= 10_000:
        raise invalid("length", "1 to 10,000 characters", length)
    return builder_class(length)(data_dir=data_dir)
