"""One loss a file; those of a game have one method a player."""

from keras_arch.losses.contrastive import Contrastive
from keras_arch.losses.maximum_a_posteriori import MaximumAPosteriori
from keras_arch.losses.minimax import Minimax
from keras_arch.losses.nonsaturating import NonSaturating

__all__ = ["Contrastive", "MaximumAPosteriori", "Minimax", "NonSaturating"]
