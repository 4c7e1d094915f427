"""A tab of TensorBoard: maps of depth by step. Installed as `keras_arch_tensorboard`.

TensorBoard loads it through its entry point. It stands beside the package, since to import
keras_arch is to import Keras and TensorFlow, which would keep TensorBoard waiting.
"""
