"""Hyperparameters: what TensorBoard's tab "HParams" compares runs by.

TensorBoard's own summaries of them bring TensorFlow with them: here they are made by hand.
"""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from keras_arch.callbacks.kernel_layers import kernel_layers

Value = bool | int | float | str


def facts(model: keras.Model) -> dict[str, Value]:
    """Return what of a compiled model makes runs differ, and can be told without its author."""
    layers = kernel_layers(model)
    found: dict[str, Value] = {
        "model": model.name,
        "parameters": sum(math.prod(weight.shape) for weight in model.weights),
        "depth": len(layers),
        "initializer": _initializer(model),
    }
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if optimizer is not None:
        found["optimizer"] = type(optimizer).__name__
        schedule = getattr(optimizer, "_learning_rate", None)
        if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
            found["learning_rate"] = type(schedule).__name__
        elif schedule is not None:
            found["learning_rate"] = f"{float(keras.ops.convert_to_numpy(schedule)):.6g}"
    return found


def session(hparams: Mapping[str, Value], metrics: Sequence[str], name: str) -> list[Any]:
    """Return the summaries that open a run.

    Args:
        hparams: By name.
        metrics: Tags of scalars of the same run.
        name: Of the group of runs.
    """
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    kinds = {bool: api_pb2.DATA_TYPE_BOOL, str: api_pb2.DATA_TYPE_STRING}
    experiment = api_pb2.Experiment(
        time_created_secs=time.time(),
        hparam_infos=[
            api_pb2.HParamInfo(name=key, type=kinds.get(type(value), api_pb2.DATA_TYPE_FLOAT64))
            for key, value in hparams.items()
        ],
        metric_infos=[
            api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag), display_name=tag)
            for tag in metrics
        ],
    )
    start = plugin_data_pb2.SessionStartInfo(group_name=name, start_time_secs=time.time())
    for key, value in hparams.items():
        kind = {bool: "bool_value", str: "string_value"}.get(type(value), "number_value")
        setattr(start.hparams[key], kind, value)
    return [
        _value(metadata.EXPERIMENT_TAG, experiment=experiment),
        _value(metadata.SESSION_START_INFO_TAG, session_start_info=start),
    ]


def end() -> list[Any]:
    """Return the summary that closes a run."""
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    info = plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_SUCCESS, end_time_secs=time.time())
    return [_value(metadata.SESSION_END_INFO_TAG, session_end_info=info)]


def _value(tag, **content):
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    data = plugin_data_pb2.HParamsPluginData(version=metadata.PLUGIN_DATA_VERSION, **content)
    plugin = SummaryMetadata.PluginData(
        plugin_name=metadata.PLUGIN_NAME, content=data.SerializeToString()
    )
    return Summary.Value(
        tag=tag, metadata=SummaryMetadata(plugin_data=plugin), tensor=metadata.NULL_TENSOR
    )


def _initializer(model):
    """Return the law of the first kernel, by name."""
    for layer in model._flatten_layers():
        law = getattr(layer, "kernel_initializer", None)
        if law is not None:
            return type(law).__name__
    return ""
