"""One loss a file; those of a game have one method a player."""

from keras_arch.losses.minimax import Minimax
from keras_arch.losses.nonsaturating import NonSaturating

__all__ = ["Minimax", "NonSaturating"]
