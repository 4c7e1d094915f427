"""The engine's two ways to call a session, and what it does where the fast one is missing."""

import numpy as np
import pytest
import tensorflow as tf

from keras_arch.serving import engine
from keras_arch.serving.engine import SessionEngine
from keras_arch.serving.status import StatusError


@pytest.fixture
def without_fast_callables(monkeypatch):
    def gone(*_):
        raise AttributeError("_make_callable_from_options")

    monkeypatch.setattr(engine, "_fast_callable", gone)
    engine._fast_callables_work.cache_clear()
    yield
    engine._fast_callables_work.cache_clear()


def test_the_fast_way_works_with_this_tensorflow():
    assert engine._fast_callables_work()


def test_the_public_way_gives_the_same(eye, without_fast_callables):
    model, base = eye
    images = np.random.default_rng(0).random((2, 8, 8, 3), "float32")
    slow = SessionEngine(base / "1")
    answer = slow.run("serving_default", {"image": images})
    np.testing.assert_allclose(answer["head"], model(images), atol=1e-5, rtol=0)
    for wrong in (images[0], images.astype("float64"), images[:, :2]):
        with pytest.raises(StatusError, match="INVALID_ARGUMENT"):
            slow.run("serving_default", {"image": wrong})
    slow.close()


def test_an_executor_that_lacks_an_operation_is_given_up(eye, monkeypatch):
    make, tried = engine._fast_callable, []

    def refuse(session, feeds, fetches):
        tried.append(session._config.experimental.executor_type)
        raise tf.errors.UnimplementedError(None, None, "no such operation here")

    engine._fast_callables_work()
    monkeypatch.setattr(engine, "_fast_callable", refuse)
    found = SessionEngine(eye[1] / "1")
    assert tried == ["SINGLE_THREADED_EXECUTOR"]
    assert make is not refuse
    assert found.run("serving_default", {"image": np.zeros((1, 8, 8, 3), "float32")})
    found.close()


def test_loops_run(odd_base):
    odd = SessionEngine(odd_base / "00000007")
    assert odd.run("slow", {"turns": np.int32([3])})["done"].tolist() == [1.0]
    odd.close()


def test_signatures_that_cannot_be_sent(odd_base):
    odd = SessionEngine(odd_base / "00000007")
    with pytest.raises(StatusError, match="cannot be run"):
        odd.run("__saved_model_init_op", {})
    odd.close()
