"""What a model does, seen from outside: each takes any ``keras.Model``."""

__all__: list[str] = []
