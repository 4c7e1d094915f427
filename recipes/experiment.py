"""What every recipe needs: options, a folder of its own, an exact restart, its numbers.

A recipe is a module with a header, ``TARGETS`` and ``run(experiment) -> numbers``, that ends

    if __name__ == "__main__":
        main(run, TARGETS)

Its folder holds ``run.json`` (command, seed, versions, numbers), TensorBoard's logs, the
model as ``model.keras``, and its SavedModel below ``serving``. A run that was interrupted
goes on, exactly, when it is started again with ``--output`` and its folder.
"""

import argparse
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

import keras_arch
from keras_arch.recipes.machine import commit, device

Interval = tuple[float | None, float | None]  # the least and the largest value that will do
PACKAGES = ("keras-arch", "keras", "tensorflow", "numpy")


class Experiment:
    """One run of a recipe: its options and its folder.

    Attributes:
        options: What the command line said.
        directory: Folder of the run.
        seed: Of everything random.
        quick: Whether to run in well under a minute, missing the target.
        steps: The most training steps, or ``None``.
        model: The trained model, once it is saved.
        served: Folder of its SavedModels, once it is saved.
        record: What ``run.json`` holds.
        targets: The least and the largest value of each number; a recipe may set others.
    """

    model: keras.Model
    served: pathlib.Path

    def __init__(
        self, name: str, options: argparse.Namespace, targets: Mapping[str, Interval]
    ) -> None:
        self.name = name
        self.targets = targets
        self.options = options
        self.seed: int = options.seed
        self.quick: bool = options.quick
        self.steps: int | None = options.steps
        self.directory = pathlib.Path(options.output or _next(pathlib.Path("runs") / name))
        self.record: dict[str, Any] = {
            "recipe": name,
            "options": {k: v for k, v in vars(options).items() if k != "output"},
            "status": "running",
        }
        self._check_folder()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.write(
            command=shlex.join(sys.orig_argv),
            started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            versions={package: importlib.metadata.version(package) for package in PACKAGES},
            python=platform.python_version(),
            commit=commit(),
            seed=self.seed,
            cores=os.cpu_count(),
            device=device(),
        )

    def _check_folder(self) -> None:
        """An unfinished run of the same options goes on; nothing else is written over."""
        path = self.directory / "run.json"
        if not path.exists():
            if self.directory.is_dir() and any(self.directory.iterdir()):
                sys.exit(f"{self.directory} holds other files: give --output a new folder")
            return
        before = json.loads(path.read_text(encoding="utf-8"))
        now = json.loads(json.dumps(self.record["options"]))
        if before["status"] == "finished":
            sys.exit(f"{self.directory} holds a finished run: give --output a new folder")
        if (before["recipe"], before["options"]) != (self.name, now):
            sys.exit(
                f"{self.directory} holds a run of {before['recipe']} with {before['options']}: "
                "give the same options to go on with it, or --output a new folder"
            )

    def write(self, **facts: Any) -> None:
        """Add facts to ``run.json``, so that it is whole at any moment."""
        self.record.update(facts)
        aside = self.directory / "run.json.new"
        aside.write_text(json.dumps(self.record, indent=1) + "\n", encoding="utf-8")
        os.replace(aside, self.directory / "run.json")

    def discard(self) -> None:
        """Remove the folder of a run that failed before it left anything but its record."""
        if [path.name for path in self.directory.iterdir()] == ["run.json"]:
            shutil.rmtree(self.directory)

    @property
    def verbose(self) -> int:
        """Of ``fit``: a progress bar on a terminal, else a line an epoch."""
        return 1 if sys.stdout.isatty() and "NO_COLOR" not in os.environ else 2

    def fit(
        self,
        model: keras.Model,
        load: Callable[..., Any],
        epochs: int,
        part: str = "",
        callbacks: Sequence[keras.callbacks.Callback] = (),
        **arguments: Any,
    ) -> dict[str, list[float]]:
        """Train with logs and exact restart; returns the history.

        Args:
            model: A compiled model.
            load: ``load(epochs=, start=, seed=)`` gives the training data, as a partial of
                ``keras_arch.data.load`` does.
            epochs: Passes over the data.
            part: Name of this training, where a recipe has several.
            callbacks: Further ones.
            **arguments: Of ``fit``, such as ``validation_data``.
        """
        logs = self.directory / "logs" / part
        resume = keras_arch.callbacks.ExactResume(
            self.directory / "checkpoints" / part, every_steps=100
        )
        steps = int(load(seed=self.seed).cardinality())
        if self.steps is not None:
            epochs, steps = 1, min(steps, self.steps)
        start = (resume.epoch, 0)
        history = model.fit(
            load(epochs=epochs, start=start, seed=self.seed),
            epochs=epochs,
            steps_per_epoch=steps,
            shuffle=False,  # the pipeline did
            verbose=self.verbose,
            callbacks=[
                *callbacks,
                keras.callbacks.TensorBoard(logs, write_graph=False),
                keras_arch.callbacks.GradientFlow(logs),
                resume,
            ],
            **arguments,
        )
        return history.history

    def save(self, model: keras.Model, **arguments: Any) -> None:
        """Write ``model.keras`` and a servable SavedModel; keeps both as attributes."""
        model.save(self.directory / "model.keras")
        self.model, self.served = model, self.directory / "serving" / model.name
        keras_arch.export.export(model, self.served, **arguments)

    def picture(self, figure: Any, name: str, alt: str) -> None:
        """Write a matplotlib figure as ``<name>.png``; ``alt`` says what it shows."""
        figure.savefig(self.directory / f"{name}.png", metadata={"Description": alt}, dpi=120)
        self.write(pictures={**self.record.get("pictures", {}), f"{name}.png": alt})


def parser(name: str, header: str) -> argparse.ArgumentParser:
    """The options that every recipe takes."""
    found = argparse.ArgumentParser(
        prog=f"keras-arch train {name}",
        description=header,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--seed", type=int, default=0, help="of everything random (0)")
    found.add_argument("--deterministic", action="store_true", help="the same bits every time")
    found.add_argument(
        "--quick", action="store_true", help="well under a minute, misses the target"
    )
    found.add_argument("--steps", type=int, help="at most so many training steps")
    found.add_argument("--output", help="folder of the run (a new one below runs/)")
    return found


def main(
    run: Callable[[Experiment], Mapping[str, float]],
    targets: Mapping[str, Interval],
    options: Callable[[argparse.ArgumentParser], None] = lambda parser: None,
    argv: Sequence[str] | None = None,
) -> Experiment:
    """Run a recipe from the command line; exits with 1 where a target is missed.

    Args:
        run: Trains, and returns its numbers.
        targets: The least and the largest value of each number.
        options: Adds the recipe's own options.
        argv: The command line, by default this process's.
    """
    module = sys.modules[run.__module__]  # `__main__` under `python -m`: hence the file's name
    path = pathlib.Path(str(module.__file__)).resolve()
    name = f"{path.parent.name}.{path.stem}"
    command = parser(name, module.__doc__ or "")
    options(command)
    parsed = command.parse_args(argv)
    if parsed.steps is not None and parsed.steps < 1:
        command.error(f"--steps: expected 1 or more, received {parsed.steps}")
    keras.utils.set_random_seed(parsed.seed)
    if parsed.deterministic:
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    experiment = Experiment(name, parsed, targets)
    print(f"Run in {experiment.directory}", flush=True)
    began = time.perf_counter()
    try:
        numbers = {key: float(value) for key, value in run(experiment).items()}
    except (TypeError, ValueError):
        experiment.discard()
        raise
    except KeyboardInterrupt:
        print(f"Interrupted. To go on: the same command with --output {experiment.directory}")
        sys.exit(130)
    experiment.write(
        status="finished",
        numbers=numbers,
        targets=experiment.targets,
        seconds=round(time.perf_counter() - began, 1),
    )
    reached = _report(numbers, experiment.targets)
    print(f"TensorBoard: tensorboard --logdir {experiment.directory / 'logs'}")
    if not (reached or parsed.quick or parsed.steps):
        sys.exit(1)
    return experiment


def target(interval: Interval) -> str:
    """A target in words: ``"at least 0.985"``."""
    low, high = interval
    said = [f"at least {low:.4g}"] if low is not None else []
    return " and ".join(said + ([f"at most {high:.4g}"] if high is not None else []))


def _report(numbers, targets):
    """Print each number beside its target; returns whether all are reached."""
    missed = set(targets) - set(numbers)
    for key, value in numbers.items():
        line = f"{key:<24} {value:10.4g}"
        if key in targets:
            low, high = targets[key]
            good = (low is None or value >= low) and (high is None or value <= high)
            line += f"   target: {target(targets[key])}   {'reached' if good else 'missed'}"
            missed |= set() if good else {key}
        print(line)
    return not missed


def _next(folder):
    taken = [int(path.name) for path in folder.glob("*") if path.name.isdigit()]
    return folder / str(max(taken, default=0) + 1)
