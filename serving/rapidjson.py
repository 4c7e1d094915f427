"""JSON as the parser of TF-Serving reads it, with that parser's messages.

It takes NaN and Infinity, stops at the end of the first document, and says what is wrong in
its own words; clients match on them.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import orjson

from keras_arch.serving.status import StatusError, invalid_argument

_BLANK = re.compile(r"[ \t\n\r]*")
_NEST = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_LONGEST_INTEGER = 20  # digits and sign of what fits 64 bits; longer ones are doubles
_EXCERPT_BYTES = 256

# What Python's parser says -> what TF-Serving's says
_MESSAGES = {
    "Expecting value": "Invalid value.",
    "Expecting property name enclosed in double quotes": "Missing a name for object member.",
    "Illegal trailing comma before end of object": "Missing a name for object member.",
    "Illegal trailing comma before end of array": "Invalid value.",
    "Expecting ':' delimiter": "Missing a colon after a name of object member.",
    "Unterminated string starting at": "Missing a closing quotation mark in string.",
    "Invalid control character at": "Invalid encoding in string.",
    "Invalid \\escape": "Invalid escape character in string.",
    "Invalid \\uXXXX escape": "Incorrect hex digit after \\u escape in string.",
}


def parse(body: bytes) -> dict[str, Any]:
    """Read the object that a body begins with.

    Args:
        body: The request's body.

    Raises:
        StatusError: If it does not begin with a JSON object.
    """
    if not body:
        raise invalid_argument("JSON Parse error: The document is empty")
    try:
        document = orjson.loads(body)
    except ValueError:  # or NaN, or something behind the document
        document = _parse_leniently(body)
    if not isinstance(document, dict):
        raise invalid_argument(f"JSON Value: {excerpt(document)} Is not object")
    return document


def _parse_leniently(body: bytes) -> Any:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _broken("Invalid encoding in string.", error.start) from error
    begin = _BLANK.match(text).end()  # type: ignore[union-attr]
    if begin == len(text):
        raise _broken("The document is empty.", begin)
    try:
        return json.JSONDecoder(parse_int=_integer).raw_decode(text, begin)[0]
    except RecursionError as error:
        raise invalid_argument("JSON Parse error: The document is nested too deeply.") from error
    except json.JSONDecodeError as error:
        message = _MESSAGES.get(error.msg.rstrip(" :"))
        if message is None:  # a comma is missing: in what?
            inside = _innermost(text[: error.pos])
            message = {
                "{": "Missing a comma or } after an object member.",
                "[": "Missing a comma or ] after an array element.",
            }.get(inside, "Invalid value.")
        raise _broken(message, len(text[: error.pos].encode())) from error


def _broken(message: str, offset: int) -> StatusError:
    return invalid_argument(f"JSON Parse error: {message} at offset: {offset}")


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


def _innermost(text: str) -> str:
    """The bracket that is open at the end of a text."""
    stack: list[str] = []
    for match in _NEST.finditer(text):
        token = match[0]
        if token in "[{":
            stack.append(token)
        elif token in "]}" and stack:
            stack.pop()
    return stack[-1] if stack else ""


def excerpt(value: Any) -> str:
    """Write a value as TF-Serving's messages do, broken off near 256 bytes."""
    written, size = [], 0
    for token in _tokens(value, 0):
        written.append(token)
        size += len(token.encode(errors="replace"))
        if size >= _EXCERPT_BYTES:
            break
    return "".join(written)


def _tokens(value: Any, depth: int) -> Iterator[str]:
    """Tokens with the white space before them: objects spread over lines, arrays on one."""
    if isinstance(value, dict):
        yield "{"
        indent = "\n" + "    " * (depth + 1)
        for index, (key, item) in enumerate(value.items()):
            yield f"{',' if index else ''}{indent}{json.dumps(key, ensure_ascii=False)}: "
            yield from _tokens(item, depth + 1)
        yield "\n" + "    " * depth + "}" if value else "}"
    elif isinstance(value, list):
        yield "["
        for index, item in enumerate(value):
            if index:
                yield ", "
            yield from _tokens(item, depth + 1)
        yield "]"
    elif isinstance(value, float) and not math.isfinite(value):
        yield ""  # that writer cannot write them
    else:
        yield json.dumps(value, ensure_ascii=False)
