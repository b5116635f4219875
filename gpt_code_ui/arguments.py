"""Reads the code out of a call's arguments, also where they are not the JSON that was asked for.

Only for calls of an answer that ended well: after a cut, a missing brace means missing code. What
is ambiguous is refused with a reason that the model can act on; nothing is guessed.
"""

import ast
import json
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gpt_code_ui.json_stream import whole_characters

FIELD = "code"
OTHER_FIELDS = (
    "python", "python_code", "input", "source", "source_code", "script", "snippet", "program",
    "text", "content", "query",
)  # fmt: skip
WRAPPERS = ("arguments", "parameters", "args", "kwargs")
EXAMPLE = 'Call it again with arguments like {"code": "print(1)"}.'
_FENCE = re.compile(r"(`{3,}|~{3,})[^\n]*\n")
_TAG = re.compile(r"<(\w+)>")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_WHOLE = re.compile(rf'\A\s*\{{\s*"{FIELD}"\s*:\s*"(.*)"\s*\}}\s*\Z', re.DOTALL)
_QUOTE = re.compile(r'\\.|"', re.DOTALL)
_NEXT_OBJECT = re.compile(r"[\s,;]*(?=\{)")
_LONE_WORD = re.compile(r"\A[\s\w.'-]*\Z")
_MAGIC = re.compile(r"^([ \t]*)[%!?].*$", re.MULTILINE)
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True)
class Refused:
    """A call that cannot be run; ``reason`` is told to the model and to the person."""

    reason: str


@dataclass(frozen=True)
class Understood:
    """The code of a call; ``repaired`` where it was not written as asked."""

    code: str
    repaired: bool = False


def read(arguments: str) -> Understood | Refused:
    """The code in the arguments of a finished call, or why there is none."""
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError) as error:
        ways = (_as_objects, _as_literal, _as_bare_code, _as_unquoted, _as_unfinished)
        code = _first(arguments, *ways)
        if code is None:
            return Refused(f"The arguments are not valid JSON: {error}. {EXAMPLE}")
        return Understood(whole_characters(code), repaired=True)
    plain = value.get(FIELD) if isinstance(value, dict) else None
    if isinstance(plain, str) and plain.strip():
        return Understood(whole_characters(plain))
    code = _code_in(value)
    if code is None:
        return Refused(f'The arguments hold no code in a string named "{FIELD}". {EXAMPLE}')
    return Understood(whole_characters(code), repaired=True)


def _first(text: str, *ways: Callable[[str], str | None]) -> str | None:
    for inner in _unwrapped(text):
        for way in ways:
            code = way(inner)
            if code is not None:
                return code
    return None


def _unwrapped(text: str) -> Iterator[str]:
    """The text, and what is inside a code fence or a tag around it."""
    yield text
    bare = text.strip()
    if fence := _FENCE.match(bare):
        yield bare[fence.end() :].removesuffix(fence.group(1)).removesuffix("\n")
    if tag := _TAG.match(bare):
        yield bare[tag.end() :].removesuffix(f"</{tag.group(1)}>").strip()


def _code_in(value: object, depth: int = 0) -> str | None:
    """The code in a value that is not ``{"code": "..."}`` but says clearly what it is."""
    if depth > 2:
        return None
    if isinstance(value, str):
        return _first(value, _as_objects, _as_bare_code) if value.strip() else None
    if isinstance(value, list):
        return _code_in(value[0], depth + 1) if len(value) == 1 else None
    if not isinstance(value, dict):
        return None
    if FIELD in value:
        return _text(value[FIELD])
    inside = [value[name] for name in WRAPPERS if name in value]
    if len(inside) == 1:
        return _code_in(inside[0], depth + 1)
    named = [value[name] for name in OTHER_FIELDS if name in value]
    return _text(named[0]) if len(named) == 1 else None


def _text(value: object) -> str | None:
    """Code as a string, or as a list of lines."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "\n".join(line.removesuffix("\n") for line in value)
    return value if isinstance(value, str) and value.strip() else None


def _as_objects(text: str) -> str | None:
    """Objects one after the other, with raw newlines or stray escapes in strings, then any text.

    The same object again is the same call again; others run one after the other.
    """
    for candidate in (text, _ESCAPE.sub(_mended_escape, text)):
        values = _values(candidate)
        codes = [_code_in(value) for value in values]
        whole = [code for code in dict.fromkeys(codes) if code is not None]
        if codes and None not in codes:
            return "\n".join(whole)
    return None


def _values(text: str) -> list[object]:
    """The objects that ``text`` begins with; none if one of them is broken."""
    values: list[object] = []
    at = 0
    while (start := _NEXT_OBJECT.match(text, at)) is not None:
        try:
            value, at = _DECODER.raw_decode(text, start.end())
        except (ValueError, RecursionError):
            return []
        values.append(value)
    return values


def _mended_escape(found: re.Match[str]) -> str:
    return found.group() if found.group(1) in '"\\/bfnrtu' else "\\" + found.group()


def _as_literal(text: str) -> str | None:
    """A Python dict instead of JSON: single quotes, triple quotes."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _code_in(ast.literal_eval(text.strip()))
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


def _as_bare_code(text: str) -> str | None:
    """Code where JSON should be. What begins like an object is no code, and a word is none."""
    if not text.strip() or text.lstrip()[0] in "{[" or _LONE_WORD.match(text):
        return None
    return text if is_python(text) else None


def _as_unquoted(text: str) -> str | None:
    """An object with bare quotes inside its one string; what it holds must be whole Python."""
    found = _WHOLE.match(text)
    if found is None:
        return None
    quoted = _QUOTE.sub(lambda one: '\\"' if one.group() == '"' else one.group(), found.group(1))
    code = _as_objects(f'{{"{FIELD}": "{quoted}"}}')
    return code if code is not None and is_python(code) else None


def _as_unfinished(text: str) -> str | None:
    """An object whose last quote or brackets are missing; what it holds must be whole Python."""
    for ending in ("}", "]}", '"}', '"]}', "}}", '"}}'):
        code = _as_objects(text.rstrip() + ending)
        if code is not None and ('"' not in ending or is_python(code)):
            return code
    return None


def is_python(code: str) -> bool:
    """Whether it parses, IPython's magics and shell lines left aside."""
    if code.lstrip().startswith("%%"):
        return True
    return any(_parses(one) for one in (code, _MAGIC.sub(r"\1pass", code)))


def _parses(code: str) -> bool:
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "<call>", "exec", flags)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return False
    return True
