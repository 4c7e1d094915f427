"""The one command: ``keras-arch list|info|cite|prepare|train|export|serve|predict``.

What a command needs is imported by it alone: ``--help`` and ``predict`` answer at once.
"""

import argparse
import json
import os
import pathlib
import sys
from collections.abc import Sequence

EXAMPLES = """examples:
  keras-arch list 'DenseNet*'                      what there is
  keras-arch info ResNet50                         paper, size, presets
  keras-arch train vision.classify --model LeNet5  a recipe; without a name, all of them
  keras-arch export model.keras served/mine        a SavedModel for TF-Serving
  keras-arch serve --model_base_path=served/mine --model_name=mine
  keras-arch predict mine digit.png                asks a server, by gRPC or REST
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line; errors of the user's are one line, without a traceback."""
    # TensorFlow greets at length; what goes wrong in it comes as an exception all the same.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(
        prog="keras-arch",
        description="Deep-learning architectures in Keras: find, train, export, serve.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="command", required=True)
    for add in (_list, _info, _cite, _prepare, _train, _export, _serve, _predict):
        add(commands)
    options, rest = parser.parse_known_args(argv)
    if rest and not options.passes_on:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        options.run(options, rest)
    except (ValueError, OSError, ImportError) as error:
        sys.exit(f"keras-arch: {error}")


def _command(commands, name, run, about, passes_on=False):
    parser = commands.add_parser(name, help=about, description=about, add_help=not passes_on)
    parser.set_defaults(run=run, passes_on=passes_on)
    return parser


def _list(commands):
    parser = _command(commands, "list", _run_list, "List models, one a line.")
    parser.add_argument("filter", nargs="?", default="*", help="wildcards, e.g. 'DenseNet*'")
    parser.add_argument("--task", help="e.g. image-classification")
    parser.add_argument("--room", help="e.g. vision")


def _run_list(options, _):
    import keras_arch

    for name in keras_arch.list_models(options.filter, options.task, options.room):
        print(name)


def _info(commands):
    parser = _command(commands, "info", _run_info, "Tell what a model is, without building it.")
    parser.add_argument("name", help="a family or preset, e.g. DenseNet121")
    parser.add_argument("--json", action="store_true", help="for programs")


def _run_info(options, _):
    import keras_arch

    facts = keras_arch.info(options.name)
    if options.json:
        print(json.dumps(facts))
        return
    print(f"{facts['name']}: {facts['paper']}")
    venue = f"{facts['venue']} {facts['year']}".strip()
    print(f"{facts['authors']}. {venue}. {facts['url']}")
    print(f"room: {facts['room']}   tasks: {', '.join(facts['tasks'])}")
    for preset, values in (facts["presets"] or {facts["family"]: {}}).items():
        count = facts["parameters"].get(preset)
        size = f"{count:>12,} parameters" if count else ""
        print(f"  {preset:<24}{size}   {', '.join(f'{k}={v!r}' for k, v in values.items())}")


def _cite(commands):
    parser = _command(commands, "cite", _run_cite, "Print a model's publication as BibTeX.")
    parser.add_argument("name", help="a family or preset")


def _run_cite(options, _):
    import keras_arch

    print(keras_arch.cite(options.name))


def _prepare(commands):
    parser = _command(commands, "prepare", _run_prepare, "Download and prepare a set of TFDS.")
    parser.add_argument("name", help="name of the set: cifar10, glue/cola, mnist:3.0.1, ...")
    parser.add_argument("--data_dir", help="where sets are stored (TFDS_DATA_DIR, else TFDS's own)")


def _run_prepare(options, _):
    from keras_arch import data

    print(data.prepare(options.name, data_dir=options.data_dir))


def _train(commands):
    about = "Run a recipe; its own options follow its name (--help tells them)."
    parser = _command(commands, "train", _run_train, about, passes_on=True)
    parser.add_argument("recipe", nargs="?", help="e.g. vision.classify; none lists all")
    parser.set_defaults(teach=parser.print_help)


def _run_train(options, rest):
    import importlib

    from keras_arch import recipes

    if options.recipe is None:
        if rest:
            options.teach()
            print()
        for name in recipes.names():
            print(f"{name:<32}{recipes.summary(name)}")
        if rest:
            sys.exit(0 if {"-h", "--help"} & set(rest) else 2)
        return
    if options.recipe not in recipes.names():
        from keras_arch.errors import invalid

        raise invalid("recipe", f"one of {recipes.names()}", options.recipe)
    recipe = importlib.import_module(f"keras_arch.recipes.{options.recipe}")
    from keras_arch.recipes.experiment import main as run

    run(recipe.run, recipe.TARGETS, getattr(recipe, "options", lambda parser: None), rest)


def _export(commands):
    about = "Export a saved model for serving: a new version directory, never an old one."
    parser = _command(commands, "export", _run_export, about)
    parser.add_argument("model", help="a .keras file, or a name of the catalogue (untrained)")
    parser.add_argument("directory", help="folder of the versions")
    parser.add_argument("--version", type=int, help="by default the next one")
    parser.add_argument("--optimize", default="none", help="none, fold or fold+bf16 (none)")
    parser.add_argument(
        "--calibration", help="for fold+bf16: a .npy file of inputs, to compare the answers on"
    )
    parser.add_argument(
        "--signatures", help="beside serving_default: top_k,classify,... (those that fit)"
    )
    parser.add_argument("--class_names", help="a file with the name of a class on each line")


def _run_export(options, _):
    import keras
    import numpy as np

    import keras_arch

    catalogue = names = calibration = None
    if options.class_names is not None:
        names = pathlib.Path(options.class_names).read_text(encoding="utf-8").splitlines()
    if options.calibration is not None:
        calibration = np.load(options.calibration)
    if pathlib.Path(options.model).suffix == ".keras":
        model = keras.models.load_model(options.model, compile=False)
    else:
        catalogue = options.model
        model = keras_arch.create(catalogue)
        model = getattr(model, keras_arch.get(catalogue).serves or "", model)
    path = keras_arch.export.export(
        model,
        options.directory,
        options.version,
        signatures=None if options.signatures is None else options.signatures.split(","),
        optimize=options.optimize,
        class_names=names,
        calibration=calibration,
        catalogue=catalogue,
    )
    print(path)


def _serve(commands):
    about = "Answer over gRPC and REST as TF-Serving does; takes TF-Serving's flags."
    _command(commands, "serve", _run_serve, about, passes_on=True)


def _run_serve(_, rest):
    from keras_arch.serving.__main__ import main as serve

    sys.exit(serve(rest, prog="keras-arch serve"))


def _predict(commands):
    about = "Ask a server what a model says of images; prints the likeliest classes."
    parser = _command(commands, "predict", _run_predict, about)
    parser.add_argument("model", help="its name on the server")
    parser.add_argument("images", nargs="+", help="PNG or JPEG files")
    parser.add_argument("--server", default="grpc://127.0.0.1:8500", help="grpc:// or http://")
    parser.add_argument("--top", type=int, default=3, help="how many classes (3)")


def _run_predict(options, _):
    import numpy as np

    from keras_arch_client import GrpcClient, RestClient, ServingError

    scheme, _, address = options.server.partition("://")
    if scheme not in ("grpc", "http"):
        sys.exit(
            f"keras-arch: --server takes grpc://host:port or http://host:port, not {options.server}"
        )
    images = np.array([pathlib.Path(path).read_bytes() for path in options.images], object)
    try:
        with GrpcClient(address) if scheme == "grpc" else RestClient(options.server) as client:
            signatures = client.metadata(options.model)
            if "serving_bytes" not in signatures:
                sys.exit(f"keras-arch: {options.model} takes no images: {sorted(signatures)}")
            (name,) = signatures["serving_bytes"]["inputs"]
            answer = client.predict(options.model, {name: images}, "serving_bytes")
    except ServingError as error:
        sys.exit(f"keras-arch: {options.server} says: {error}")
    (scores,) = answer.values()
    for path, row in zip(options.images, scores.reshape(len(images), -1), strict=True):
        best = np.argsort(-row)[: options.top]
        print(f"{path}: " + ", ".join(f"{index} ({row[index]:.3f})" for index in best))
