"""``python -m keras_arch.serving``: the server, under the flags of tensorflow_model_server."""

import argparse
import gc
import logging
import signal
import sys
import threading
from collections.abc import Sequence

from keras_arch.serving.server import Server
from keras_arch.serving.status import StatusError

logger = logging.getLogger("keras_arch.serving")

# Flags of tensorflow_model_server that this server does not have.
_OTHERS = frozenset(
    [
        "allow_version_labels_for_unavailable_models",
        "batching_parameters_file",
        "enable_batching",
        "enable_grpc_healthcheck_service",
        "enable_model_warmup",
        "enable_per_model_batching_parameters",
        "enable_profiler",
        "enable_serialization_as_tensor_content",
        "enable_signature_method_name_check",
        "file_system_poll_wait_seconds",
        "flush_filesystem_caches",
        "grpc_channel_arguments",
        "grpc_max_threads",
        "grpc_socket_path",
        "load_retry_interval_micros",
        "max_num_load_retries",
        "mixed_precision",
        "model_config_file",
        "model_config_file_poll_wait_seconds",
        "monitoring_config_file",
        "num_load_threads",
        "num_request_iterations_for_warmup",
        "num_tflite_interpreters_per_pool",
        "num_tflite_pools",
        "num_unload_threads",
        "per_process_gpu_memory_fraction",
        "platform_config_file",
        "prefer_tflite_model",
        "remove_unused_fields_from_bundle_metagraph",
        "rest_api_enable_cors_support",
        "rest_api_num_threads",
        "rest_api_timeout_in_ms",
        "saved_model_tags",
        "skip_initialize_tpu",
        "ssl_config_file",
        "tensorflow_inter_op_parallelism",
        "tensorflow_intra_op_parallelism",
        "tensorflow_session_config_file",
        "tensorflow_session_parallelism",
        "thread_pool_factory_config_file",
        "use_alts_credentials",
        "version",
        "xla_cpu_compilation_enabled",
        "xla_gpu_compilation_enabled",
    ]
)


def parser(prog: str = "python -m keras_arch.serving") -> argparse.ArgumentParser:
    """Flags of the command, named as tensorflow_model_server's are.

    Args:
        prog: Command that the help shows.
    """
    flags = argparse.ArgumentParser(
        prog=prog,
        description="Serve the highest version of a SavedModel over TF-Serving's gRPC and REST.",
        epilog=(
            "example: %(prog)s --model_base_path=/models/digits --model_name=digits "
            "--port=8500 --rest_api_port=8501"
        ),
        allow_abbrev=False,
    )
    flags.add_argument(
        "--model_base_path", required=True, help="directory of the numbered versions"
    )
    flags.add_argument(
        "--model_name", default="default", help="name that clients use (%(default)s)"
    )
    flags.add_argument(
        "--port", type=_port, default=8500, help="port for gRPC (%(default)s); 0 closes it"
    )
    flags.add_argument(
        "--rest_api_port", type=_port, default=0, help="port for REST; 0, the default, closes it"
    )
    flags.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (%(default)s: only this machine; tensorflow_model_server, "
        "which lacks this flag, listens on all: 0.0.0.0)",
    )
    return flags


def main(argv: Sequence[str] | None = None, prog: str = "python -m keras_arch.serving") -> int:
    """Serve until SIGTERM or SIGINT, then finish the requests under way.

    Args:
        argv: Flags; by default those of the command line.
        prog: Command that the help shows.

    Returns:
        The status to exit with.
    """
    flags = parser(prog)
    options, unknown = flags.parse_known_args(argv)
    for flag in unknown:
        if flag.lstrip("-").partition("=")[0] in _OTHERS:
            flags.error(f"{flag}: a flag of tensorflow_model_server that this server lacks")
    if unknown:
        flags.error(f"unrecognized arguments: {' '.join(unknown)}")
    if not options.port and not options.rest_api_port:
        flags.error("--port and --rest_api_port are both 0: nobody could ask")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")

    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())

    # TensorFlow's 400,000 objects are never garbage: no collection need look at them again.
    gc.collect()
    gc.freeze()
    try:
        server = Server(
            options.model_base_path,
            options.model_name,
            port=options.port or None,
            rest_api_port=options.rest_api_port or None,
            host=options.host,
        )
    except (StatusError, OSError) as error:
        logger.error("%s", error)
        return 1
    with server:
        logger.info(
            "%s is ready on %s: gRPC port %s, REST port %s",
            options.model_name,
            options.host,
            server.grpc_port or "closed",
            server.rest_port or "closed",
        )
        while not stopped.wait(1.0):  # a wait without end would hold signals back on Windows
            pass
        logger.info("stopping")
    return 0


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
