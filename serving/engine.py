"""Runs the signatures of a SavedModel, through a session, as TF-Serving does.

A session's callable costs a twentieth of a call of the loaded signature, and its errors are
the texts that TF-Serving gives. It is made through a method of TensorFlow that is not public:
it is tried once on a tiny graph, and for each model, and the public one stands in for it.
"""

import contextlib
import functools
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2

from keras_arch.serving.status import StatusError, invalid_argument
from keras_arch_client import tensors

logger = logging.getLogger(__name__)

_Callable = Callable[..., Sequence[np.ndarray]]


class SessionEngine:
    """The signatures of one SavedModel.

    Args:
        path: Directory of the SavedModel.

    Attributes:
        signatures: ``SignatureDef`` by name, as the SavedModel holds them.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.signatures: Mapping[str, meta_graph_pb2.SignatureDef]
        if _fast_callables_work():
            try:
                self._open(path, "SINGLE_THREADED_EXECUTOR", _fast_callable)
                return
            except tf.errors.UnimplementedError as error:  # that executor lacks some operations
                logger.info("%s runs on the default executor: %s", path, error.message)
        self._open(path, "", _public_callable)

    def _open(self, path, executor, make):
        config = tf.compat.v1.ConfigProto()
        config.experimental.executor_type = executor
        config.gpu_options.allow_growth = True
        self._session = tf.compat.v1.Session(graph=tf.Graph(), config=config)
        try:
            with self._session.graph.as_default(), _without_deprecation():
                loaded = tf.compat.v1.saved_model.load(self._session, ["serve"], os.fspath(path))
            self.signatures = dict(loaded.signature_def)
            self._callables = {
                name: make(
                    self._session,
                    [signature.inputs[alias].name for alias in sorted(signature.inputs)],
                    [signature.outputs[alias].name for alias in sorted(signature.outputs)],
                )
                for name, signature in self.signatures.items()
                if signature.inputs and _can_be_sent(signature)
            }
        except BaseException:
            self._session.close()
            raise

    def run(self, signature_name: str, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run a signature.

        The type and the rank of every feed are checked before TensorFlow sees it: a kernel
        that gets a wrong one may end the process, not the request. Sizes are left to the
        kernels, as in TF-Serving.

        Args:
            signature_name: One of the signatures.
            feeds: An array for every input.

        Returns:
            An array for every output.

        Raises:
            StatusError: If the model refuses the feeds.
        """
        signature = self.signatures[signature_name]
        if signature_name not in self._callables:
            raise invalid_argument(f'Signature "{signature_name}" cannot be run.')
        ordered = [
            _checked(alias, signature.inputs[alias], feeds[alias])
            for alias in sorted(signature.inputs)
        ]
        try:
            outputs = self._callables[signature_name](*ordered)
        except tf.errors.OpError as error:
            raise StatusError(error.error_code, error.message) from error
        return dict(zip(sorted(signature.outputs), outputs, strict=True))

    def close(self) -> None:
        """Free the model. No run may be under way."""
        self._session.close()


def _can_be_sent(signature):
    infos = [*signature.inputs.values(), *signature.outputs.values()]
    return all(info.WhichOneof("encoding") == "name" for info in infos) and all(
        tensors.is_sendable(info.dtype) for info in infos
    )


def _checked(name, info, array):
    expected = tensors.dtype_of(info.dtype)
    if array.dtype != expected:
        actual = tensors.name_of(tensors.enum_of(array.dtype))
        raise invalid_argument(
            f"Type mismatch: actual {actual} vs. expect {tensors.name_of(info.dtype)}"
        )
    shape = info.tensor_shape
    if not shape.unknown_rank and array.ndim != len(shape.dim):
        sizes = ",".join(str(dim.size) for dim in shape.dim)
        received = ",".join(map(str, array.shape))
        raise invalid_argument(
            f"Input {name} has shape [{received}], but the signature takes [{sizes}]"
        )
    return array


def _fast_callable(session, feeds, fetches) -> _Callable:
    options = config_pb2.CallableOptions(feed=feeds, fetch=fetches)
    return session._make_callable_from_options(options)


def _public_callable(session, feeds, fetches) -> _Callable:
    tensor = session.graph.get_tensor_by_name
    run = session.make_callable([tensor(name) for name in fetches], [tensor(f) for f in feeds])

    def call(*arrays):
        try:
            return run(*arrays)
        except ValueError as error:  # a shape that the placeholder rules out
            raise tf.errors.InvalidArgumentError(None, None, str(error)) from error

    return call


@functools.cache
def _fast_callables_work() -> bool:
    """Whether TensorFlow's private method is there, and does what it did."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        number = tf.compat.v1.placeholder(tf.float32, (None,), name="number")
        text = tf.compat.v1.placeholder(tf.string, (None,), name="text")
        tf.identity(2.0 * number, name="twice")
        tf.identity(text, name="same")
        try:
            call = _fast_callable(session, ["number:0", "text:0"], ["twice:0", "same:0"])
            twice, same = call(np.array([1.5], np.float32), np.array([b"a"], object))
            works = twice.tolist() == [3.0] and same.tolist() == [b"a"]
        except (AttributeError, TypeError, ValueError, tf.errors.OpError) as error:
            works, reason = False, error
        else:
            reason = None
    if not works:
        logger.warning("TensorFlow's fast session callables do not work here: %s", reason)
    return works


@contextlib.contextmanager
def _without_deprecation() -> Iterator[None]:
    """The loader of sessions warns that it may go one day; who starts a server can do nothing."""
    tf_logger = tf.get_logger()
    level = tf_logger.level
    tf_logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        tf_logger.setLevel(level)
