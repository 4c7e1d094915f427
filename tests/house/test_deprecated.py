"""A name that goes away says so, and until when."""

import pytest

from keras_arch.errors import deprecated


def test_it_warns_where_it_was_used():
    def old():
        deprecated("old", use="new", removal="99.0.0")

    with pytest.warns(DeprecationWarning, match=r"removed in keras_arch 99.0.0. Use `new`") as seen:
        old()
    assert seen[0].filename == __file__


def test_a_forgotten_removal_is_noticed():
    with pytest.raises(RuntimeError, match="was to be removed"):
        deprecated("old", use="new", removal="0.0.1")
