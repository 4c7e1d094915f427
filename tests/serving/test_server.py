"""Loading, warming up, and stopping: in this process and in one of its own."""

import concurrent.futures
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from keras_arch.serving import Server, StatusError
from keras_arch.serving.__main__ import main
from tests.serving.test_grpc import predict_request
from tests.serving.wire import rest, stubs

WARMUP = "assets.extra/tf_serving_warmup_requests"


@pytest.fixture
def copy(eye, tmp_path):
    """A servable of its own, to spoil."""
    shutil.copytree(eye[1], tmp_path / "models")
    return tmp_path / "models"


def refused(base):
    with pytest.raises(StatusError) as caught:
        Server(base, "eye")
    return caught.value.code.name, caught.value.message


def test_what_cannot_be_loaded(tmp_path, copy):
    missing = tmp_path / "missing"
    assert refused(missing) == ("NOT_FOUND", f"Could not find base path {missing} for servable")
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path / "empty")[1].startswith("No versions of servable found under")
    (copy / "2").mkdir()
    assert refused(copy)[0] == "NOT_FOUND"  # the highest version counts, even if it is broken
    (copy / "2").rmdir()
    os.truncate(copy / "1" / "variables" / "variables.data-00000-of-00001", 100)
    assert refused(copy)[0] in ("DATA_LOSS", "OUT_OF_RANGE")
    os.truncate(copy / "1" / "saved_model.pb", 1000)
    assert refused(copy)[0] == "NOT_FOUND"


def write_warmup(copy, *records):
    with tf.io.TFRecordWriter(str(copy / "1" / WARMUP)) as writer:
        for record in records:
            writer.write(record)


def test_a_warm_up_that_fails_refuses_the_version(copy):
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.CopyFrom(predict_request("any", {"image": np.zeros((1, 8, 8, 2))}))
    write_warmup(copy, log.SerializeToString())
    assert refused(copy)[1] == "Type mismatch: actual double vs. expect float"
    log.predict_log.request.model_spec.signature_name = "s"
    write_warmup(copy, log.SerializeToString())
    assert refused(copy)[1] == 'Serving signature key "s" not found.'
    write_warmup(copy, b"\xff\xff")
    assert refused(copy)[1].startswith("Failed to parse warmup record")
    log.session_run_log.request.model_spec.name = "any"
    write_warmup(copy, log.SerializeToString())
    assert refused(copy) == ("UNIMPLEMENTED", "Unsupported log_type for warmup: session_run_log")
    log.regress_log.request.model_spec.name = "any"
    write_warmup(copy, log.SerializeToString())
    assert refused(copy) == ("INVALID_ARGUMENT", "Input is empty.")
    (copy / "1" / WARMUP).write_bytes(b"not a record of TensorFlow" * 9)
    code, text = refused(copy)
    assert code == "DATA_LOSS"
    assert text.endswith("Please verify your warmup data is in TFRecord format.")


def test_too_many_warm_up_records(copy):
    log = prediction_log_pb2.PredictionLog()
    log.predict_log.request.CopyFrom(
        predict_request("any", {"image": np.zeros((1, 8, 8, 3), "float32")})
    )
    write_warmup(copy, *[log.SerializeToString()] * 1001)
    assert refused(copy)[1].startswith("Number of warmup records exceeds the maximum (1000)")
    (copy / "1" / WARMUP).unlink()
    Server(copy, "eye").stop()  # a warm-up may be missing


def test_ports_may_be_closed_and_must_be_free(eye):
    with Server(eye[1], "eye", rest_api_port=None) as server:
        assert server.rest_port is None
        with pytest.raises(OSError, match="cannot listen on"):
            Server(eye[1], "eye", port=server.grpc_port)
    with Server(eye[1], "eye", port=None) as server:
        assert server.grpc_port is None
        with pytest.raises(OSError, match="cannot listen on"):
            Server(eye[1], "eye", rest_api_port=server.rest_port)


def test_only_this_machine_is_served_unless_told_otherwise(eye_server):
    for port in (eye_server.grpc_port, eye_server.rest_port):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        with pytest.raises((ConnectionRefusedError, TimeoutError)):  # another of this machine
            socket.create_connection(("127.0.0.2", port), timeout=2)


def test_requests_under_way_are_finished(odd_base):
    request = predict_request("odd", {"turns": np.int32([4000])}, "slow")
    with (
        Server(odd_base, "odd") as server,
        stubs(server) as (service, _),
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        over_grpc = pool.submit(service.Predict, request, timeout=60)
        body = {"signature_name": "slow", "inputs": [4000]}
        over_rest = pool.submit(rest, server, "/v1/models/odd:predict", body)
        time.sleep(0.3)
        under_way = not over_grpc.done() and not over_rest.done()
        server.stop()
        answers = over_grpc.result(10), over_rest.result(10)  # sent; read when they are read
        with pytest.raises(grpc.RpcError):
            service.Predict(request, timeout=5)
    assert under_way
    assert answers[0].outputs["done"].float_val == [1.0]
    assert answers[1] == (200, {"outputs": [1.0]})


def free_ports(count):
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def until_ready(process, port):
    while process.poll() is None:
        with contextlib.suppress(OSError):
            address = f"http://127.0.0.1:{port}/v1/models/eye"
            with urllib.request.urlopen(address, timeout=5) as response:
                return json.load(response)
        time.sleep(0.1)
    raise AssertionError(process.communicate()[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_stop(eye, number):
    grpc_port, rest_port = free_ports(2)
    command = [sys.executable, "-m", "keras_arch.serving", f"--model_base_path={eye[1]}"]
    command += ["--model_name=eye", f"--port={grpc_port}", f"--rest_api_port={rest_port}"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        (version,) = until_ready(process, rest_port)["model_version_status"]
        assert version["state"] == "AVAILABLE"
        images = np.random.default_rng(0).random((2, 8, 8, 3), "float32")
        with grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
            call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
            assert call(predict_request("eye", {"image": images}).SerializeToString())
        process.send_signal(number)
        log = process.communicate(timeout=30)[1]
    finally:
        process.kill()
    assert process.returncode == 0
    assert "eye is ready on 127.0.0.1" in log
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["--enable_batching=true"], "--enable_batching=true: a flag of tensorflow_model_server"),
        (["--enable_batchin"], "unrecognized arguments: --enable_batchin"),
        (["--port=70000"], "a port is a number from 0 to 65535, not '70000'"),
        (["--port=0"], "--port and --rest_api_port are both 0"),
    ],
)
def test_flags_that_are_refused(capsys, flags, text):
    with pytest.raises(SystemExit) as caught:
        main(["--model_base_path=nowhere", *flags])
    assert caught.value.code == 2
    assert text in capsys.readouterr().err


def test_the_flags_we_lack_are_the_rest_of_tf_servings():
    """48 flags of tensorflow_model_server, less the four that are here."""
    from keras_arch.serving import __main__ as command

    names = {name for action in command.parser()._actions for name in action.option_strings}
    assert not {f"--{name}" for name in command._OTHERS} & names
    assert len(command._OTHERS) == 48 - 4
