"""The reference's JSON validator, which metadata and custom_json operations must pass.

The reference does not check against RFC 8259 but runs its own lenient parser: commas are optional, a misspelt word is a
string, a number with an exponent is a string, nothing may follow the value. The validity of blocks depends on it, so
this module reproduces the parser character by character, error texts included. Ordinary JSON takes a fast path through
the standard library; a property test compares both.

Source: fc/src/io/json.cpp, json::is_valid and the legacy parser below it; fc/src/string.cpp, to_int64, to_uint64,
to_double.
"""

import json
import re

from protocol.errors import Invalid, known_as, substitute

MAX_RECURSION_DEPTH = 200
_FAST_BRACKETS_MAX = 90
_FAST_DIGITS_MAX = 18

_DIGITS = "0123456789"
# Runs of characters that a loop of the reference skips; none of these patterns backtracks.
_WHITE_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN_CHARACTERS = re.compile(r'[^"\\\x04]*')
_DIGIT_RUN = re.compile(r"[0-9]*")
_TOKEN_RUN = re.compile(r"[0-9A-Za-z_\-.:/]*")
_WORD_RUN = re.compile(r"[nultrefas]*")
_SHORT_NUMBER = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{0,18})?(?![0-9A-Za-z.])")
"""A number short enough to fit its type whatever its digits, up to where the reference's number loop ends."""
_INT64_MIN = -(1 << 63)
_UINT64_MAX = (1 << 64) - 1
# The smallest integer that a double rounds to infinity, and its number of decimal digits.
_DOUBLE_OVERFLOW = (1 << 1024) - (1 << 970)
_DOUBLE_DIGITS_MAX = 309

_EOF_TEXT = "stringstream"


@known_as(4, "parse_error_exception", "Parse Error")
class JsonParseError(Invalid):
    """The text cannot be read as JSON; the format is what the reference's parser says."""


@known_as(11, "eof_exception", "End Of File")
class JsonEndError(JsonParseError):
    """The text ends inside a value."""


class _NotOrdinary(Exception):
    """The fast path cannot decide; the full parser must."""


def is_valid_json(text: str) -> bool:
    """Tells whether `text` is one JSON value and nothing after it; False for an empty text or one with a tail.

    Raises JsonParseError where the reference's parser throws instead of answering.
    """
    return _is_ordinary_json(text) or _is_lenient_json(text)


def _is_lenient_json(text: str) -> bool:
    if not text:
        return False
    reader = _Reader(text)
    reader.value(0)
    return reader.position == len(text)


def _refuse(_: str) -> None:
    raise _NotOrdinary


def _check_float(digits: str) -> None:
    if _SHORT_NUMBER.fullmatch(digits) is None:
        raise _NotOrdinary


def _check_integer(digits: str) -> None:
    if len(digits) > _FAST_DIGITS_MAX:
        raise _NotOrdinary


_fast_decoder = json.JSONDecoder(parse_float=_check_float, parse_int=_check_integer, parse_constant=_refuse)


def _is_ordinary_json(text: str) -> bool:
    """Fast path: True for strict JSON without exponents, long numbers or deep nesting; False means undecided."""
    if not text.startswith(("{", "[", '"')) or text.count("{") + text.count("[") > _FAST_BRACKETS_MAX:
        return False
    try:
        _, end = _fast_decoder.raw_decode(text)
    except (ValueError, _NotOrdinary):
        return False
    return end == len(text)


class _Reader:
    """The reference's recursive descent over one text."""

    __slots__ = ("position", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def peek(self) -> str:
        if self.position >= len(self.text):
            raise JsonEndError("", _EOF_TEXT)
        return self.text[self.position]

    def skip(self, run: re.Pattern[str]) -> bool:
        """Passes over a run of characters; returns whether there was one."""
        start = self.position
        found = run.match(self.text, start)
        assert found is not None
        self.position = found.end()
        return self.position > start

    def skip_white_space(self) -> bool:
        was_there = self.skip(_WHITE_SPACE)
        self.peek()
        return was_there

    def value(self, depth: int) -> None:
        depth += 1
        if depth > MAX_RECURSION_DEPTH:
            raise Invalid("depth <= JSON_MAX_RECURSION_DEPTH")
        self.skip_white_space()
        char = self.peek()
        if char == '"':
            self.string()
        elif char == "{":
            self.object(depth)
        elif char == "[":
            self.array(depth)
        elif char in "-." or char in _DIGITS:
            self.number()
        elif char in "ntf":
            self.word()
        elif char in "\x04\x00":
            raise JsonEndError("", "unexpected end of file")
        else:
            raise JsonParseError("", "Unexpected char '${c}' in \"${s}\"", c=_signed_byte(char), s=self.token())

    def string(self) -> None:
        start = self.position + 1
        try:
            self._string()
        except JsonParseError as error:
            error.add_context("while parsing token '${token}'", token=self.text[start : self.position])
            raise

    def _string(self) -> None:
        char = self.peek()
        if char != '"':
            raise JsonParseError("", "Expected '\"' but read '${char}'", char=char)
        self.position += 1
        start = self.position
        self.skip(_PLAIN_CHARACTERS)
        while (char := self.peek()) != '"':
            if char == "\\":
                self.escape()
            elif char == "\x04":
                token = self.text[start : self.position]
                raise JsonParseError("", "EOF before closing '\"' in string '${token}'", token=token)
            self.skip(_PLAIN_CHARACTERS)
        self.position += 1

    def escape(self) -> None:
        self.position += 1
        self.peek()
        self.position += 1

    def token(self) -> str:
        """Reads an unquoted word up to a character that cannot belong to it; the end of the text ends it too."""
        start = self.position
        while self.position < len(self.text):
            if self.skip(_TOKEN_RUN):
                continue
            char = self.text[self.position]
            if char == "\\":
                self.position = min(self.position + 2, len(self.text))
            elif char in "\t \x00\n":
                word = self.text[start : self.position]
                self.position += 1
                return word
            else:
                break
        return self.text[start : self.position]

    def object(self, depth: int) -> None:
        depth += 1
        if depth > MAX_RECURSION_DEPTH:
            raise Invalid("depth <= JSON_MAX_RECURSION_DEPTH")
        try:
            self._members(depth)
        except JsonEndError as error:
            raise JsonParseError("", "Unexpected EOF: ${e}", e=_end_detail(error)) from None
        except JsonParseError as error:
            error.add_context("Error parsing object")
            raise

    def _members(self, depth: int) -> None:
        self.position += 1
        self.skip_white_space()
        while self.peek() != "}":
            if self.peek() == ",":
                self.position += 1
                continue
            if self.skip_white_space():
                continue
            start = self.position
            self.string()
            key = self.text[start + 1 : self.position - 1]
            self.skip_white_space()
            if self.peek() != ":":
                raise JsonParseError("", "Expected ':' after key \"${key}\"", key=key)
            self.position += 1
            self.value(depth)
            self.skip_white_space()
        self.position += 1

    def array(self, depth: int) -> None:
        depth += 1
        if depth > MAX_RECURSION_DEPTH:
            raise Invalid("depth <= JSON_MAX_RECURSION_DEPTH")
        self.position += 1
        self.skip_white_space()
        while self.peek() != "]":
            if self.peek() == ",":
                self.position += 1
                continue
            if self.skip_white_space():
                continue
            self.value(depth)
            self.skip_white_space()
        self.position += 1

    def skip_short_number(self) -> bool:
        found = _SHORT_NUMBER.match(self.text, self.position)
        if found is not None:
            self.position = found.end()
        return found is not None

    def number(self) -> None:
        if self.skip_short_number():
            return
        start = self.position
        if self.text[start] == "-":
            self.position += 1
        dot = False
        while self.position < len(self.text) and self.text[self.position] != "\x00":
            if self.skip(_DIGIT_RUN):
                continue
            char = self.text[self.position]
            if char == ".":
                if dot:
                    raise JsonParseError("", "Can't parse a number with two decimal places")
                dot = True
            else:
                if char.isascii() and char.isalnum():
                    self.token()
                    return
                break
            self.position += 1
        _check_number(self.text[start : self.position], dot)

    def word(self) -> None:
        """null, true, false, or anything else that begins like them: the reference takes it as a string."""
        start = self.position
        self.skip(_WORD_RUN)
        if self.position < len(self.text) and self.text[start : self.position] not in ("null", "true", "false"):
            self.token()


def _check_number(digits: str, dot: bool) -> None:
    if digits in ("-.", "."):
        raise JsonParseError("", 'Can\'t parse token "${token}" as a JSON numeric constant', token=digits)
    if dot:
        if _overflows_double(digits):
            raise JsonParseError("", "Couldn't parse double${i} => double", i=digits)
    elif digits.startswith("-"):
        if not _fits(digits, _INT64_MIN, 0):
            raise JsonParseError("", "Couldn't parse int64_t${i} => int64_t", i=digits)
    elif not _fits(digits, 0, _UINT64_MAX):
        raise JsonParseError("", "Couldn't parse uint64_t${i} => uint64_t", i=digits)


def _fits(digits: str, low: int, high: int) -> bool:
    significant = re.sub(r"^(-?)0+(?=\d)", r"\1", digits)
    return 0 < len(significant.lstrip("-")) <= len(str(_UINT64_MAX)) and low <= int(significant) <= high


def _overflows_double(digits: str) -> bool:
    whole = digits.lstrip("-").split(".")[0].lstrip("0")
    if len(whole) != _DOUBLE_DIGITS_MAX:
        return len(whole) > _DOUBLE_DIGITS_MAX
    return int(whole) >= _DOUBLE_OVERFLOW


def _signed_byte(char: str) -> int:
    byte = char.encode("utf-8", "surrogateescape")[0]
    return byte - 256 if byte > 127 else byte


def _end_detail(error: JsonEndError) -> str:
    """Prints an end-of-text error as the reference prints one inside another error."""
    detail = "11 eof_exception: End Of File\nstringstream\n    {}\n    sstream.cpp:109 peek"
    for text, data in error.context:
        values = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
        detail += f"\n{substitute(text, data)}\n    {values}\n    json.cpp:122 stringFromStream"
    return detail
