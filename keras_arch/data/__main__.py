"""Prepare a set from the command line: ``python -m keras_arch.data cifar10``."""

import argparse

from keras_arch.data import prepare

parser = argparse.ArgumentParser(
    prog="python -m keras_arch.data", description="Download and prepare a set of TFDS."
)
parser.add_argument("name", help="name of the set: cifar10, glue/cola, mnist:3.0.1, ...")
parser.add_argument("--data_dir", help="where sets are stored (TFDS_DATA_DIR, else TFDS's own)")

if __name__ == "__main__":
    prepare(**vars(parser.parse_args()))
