"""What a model does, seen from outside: each takes any ``keras.Model``."""

from keras_arch.analysis.count_macs import Macs, count_macs
from keras_arch.analysis.receptive_field import ReceptiveField, receptive_field
from keras_arch.analysis.resolution_profile import resolution_profile

__all__ = ["Macs", "ReceptiveField", "count_macs", "receptive_field", "resolution_profile"]
