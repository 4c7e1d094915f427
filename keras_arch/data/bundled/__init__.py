"""Real sets that ship with the dependencies, as TFDS builders that need no network.

Each file has one function ``set(data_dir, ...) -> builder`` around one builder class. The
classes stay out of the registry of TFDS, which refuses a second class of one name and so
would break a reload; once prepared, ``tfds.load`` finds the sets by their files.
"""

from keras_arch.data.bundled.digits import digits
from keras_arch.data.bundled.faces import faces
from keras_arch.data.bundled.karate import karate
from keras_arch.data.bundled.text import text

SETS = {function.__name__: function for function in (digits, faces, karate, text)}
