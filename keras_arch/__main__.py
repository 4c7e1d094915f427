"""``python -m keras_arch`` is ``keras-arch``."""

from keras_arch.cli import main

if __name__ == "__main__":
    main()
