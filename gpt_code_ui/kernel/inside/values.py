"""Any value as one short line, its shape and its size, without calling what its class defines.

A class of the person's may do anything in ``__repr__``, ``__len__`` or a property. Builtins are
read by their own methods, classes of well-known libraries by theirs, all else by what it holds.
"""

from __future__ import annotations

import sys
import types
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any

TEXT = 200  # characters of a line
ITEMS = 8
DEPTH = 3
LONG_INT_BITS = 512
SAMPLE = 100
LENGTHS: tuple[type, ...] = (
    list, tuple, dict, set, frozenset, deque, str, bytes, bytearray, range, memoryview,
)  # fmt: skip
PLAIN: tuple[type, ...] = (type(None), bool, float, complex, range, type(...), type(NotImplemented))
# Their classes print themselves shortly and do nothing else.
PRINT_THEMSELVES = (
    "datetime", "decimal", "fractions", "uuid", "pathlib", "ipaddress", "zoneinfo", "numpy",
    "pandas", "shapely",
)  # fmt: skip
LIBRARIES = (
    "numpy", "pandas", "polars", "pyarrow", "scipy", "torch", "tensorflow", "jax", "jaxlib",
    "xarray", "cupy", "geopandas", "sklearn",
)  # fmt: skip


def mro_of(kind: type) -> tuple[type, ...]:
    """The bases of a class, whatever its metaclass says."""
    found: tuple[type, ...] = type.__dict__["__mro__"].__get__(kind)
    return found


def name_of(kind: type) -> str:
    """The name of a class, whatever its metaclass says."""
    return str.__str__(type.__dict__["__qualname__"].__get__(kind))[:TEXT]


def module_of(kind: type) -> str:
    """The module that a class says it is of."""
    found = type.__dict__["__module__"].__get__(kind)
    return found if type(found) is str else ""


def genuine(kind: type, roots: tuple[str, ...]) -> bool:
    """Whether a class is a library's own, and not one that only says so."""
    module = module_of(kind)
    if module.partition(".")[0] not in roots:
        return False
    there: Any = sys.modules.get(module)
    for step in name_of(kind).split("."):
        there = getattr(there, "__dict__", {}).get(step)
    return there is kind


def base_in(value: Any, kinds: tuple[type, ...]) -> type | None:
    """The first of ``kinds`` that a value is of."""
    return next((base for base in mro_of(type(value)) if base in kinds), None)


def is_of(value: Any, module: str, *names: str) -> bool:
    """Whether a value is of a class of a library that is loaded, or of one derived from it."""
    library = sys.modules.get(module)
    if library is None:
        return False
    kinds = [library.__dict__.get(name) for name in names]
    return any(base in kinds for base in mro_of(type(value)))


def text(value: Any, depth: int = DEPTH) -> str:
    """A value as one line of at most ``TEXT`` characters."""
    try:
        return clipped(_text(value, depth))
    except Exception:  # noqa: BLE001 - another thread may change it while it is read
        return f"<{name_of(type(value))}>"


def clipped(line: str) -> str:
    """No longer than a line may be."""
    return line if len(line) <= TEXT else line[: TEXT - 1] + "…"


def _text(value: Any, depth: int) -> str:
    kind = type(value)
    if kind in PLAIN:
        return repr(value)
    base = base_in(value, (int, str, bytes, bytearray, list, tuple, dict, set, frozenset, deque))
    if "_name_" in (held := _held(value)) and base_in(value, _enums()):
        return f"{name_of(kind)}.{text(held['_name_'], 0).strip(chr(39))}"
    if base is int:
        bits = int.bit_length(value)
        return int.__repr__(value) if bits <= LONG_INT_BITS else f"<int of {bits:,} bits>"
    if base in (str, bytes, bytearray):
        return _string(value, base)
    if base is not None:
        return _items(value, base, depth)
    if genuine(kind, PRINT_THEMSELVES) and not _big(value):
        return repr(value) if not _is_scalar(value) else str(value)
    return _object(value, held, depth)


def _enums() -> tuple[type, ...]:
    enum = sys.modules.get("enum")
    return (enum.Enum,) if enum is not None else ()


def _string(value: Any, base: Any) -> str:
    part: str = repr(base.__getitem__(value, slice(0, TEXT)))
    return part + "…" * bool(base.__len__(value) > TEXT)


MARKS: dict[Any, tuple[str, str]] = {
    list: ("[", "]"), tuple: ("(", ")"), dict: ("{", "}"), set: ("{", "}"),
    frozenset: ("{", "}"), deque: ("[", "]"),
}  # fmt: skip


def _items(value: Any, base: Any, depth: int) -> str:
    count = base.__len__(value)
    if depth <= 0:
        return f"<{name_of(type(value))} of {count:,}>"
    if base is dict:
        shown = [
            f"{text(k, depth - 1)}: {text(v, depth - 1)}"
            for k, v in islice(dict.items(value), ITEMS)
        ]
    else:
        shown = [text(one, depth - 1) for one in islice(base.__iter__(value), ITEMS)]
    opens, closes = MARKS[base]
    inside = ", ".join([*shown, *(["…"] if count > ITEMS else [])])
    if base is tuple and count == 1:
        inside += ","
    inside = f"{opens}{inside}{closes}"
    own = type(value) in (list, tuple, dict) or (type(value) is set and count)
    return inside if own else f"{name_of(type(value))}({inside if count else ''})"


def _is_scalar(value: Any) -> bool:
    return is_of(value, "numpy", "generic")


def _big(value: Any) -> bool:
    """What is no single value: it takes long to print."""
    return shape(value) not in (None, ())


def _object(value: Any, held: dict[Any, Any], depth: int) -> str:
    kind = type(value)
    if (size := shape(value)) is not None:
        first = _first(value)
        return first or f"<{name_of(kind)} {' × '.join(map(str, size))}>"
    for named, word in NAMED:
        if kind is named:
            return f"<{word} {text(getattr(value, '__name__', ''), 0).strip(chr(39))}>"
    if issubclass_of(kind, type):
        return f"<class {name_of(value)}>"
    if not held or depth <= 0:
        return f"<{name_of(kind)} object>"
    shown = [f"{key}={text(one, depth - 1)}" for key, one in islice(dict.items(held), ITEMS)]
    return f"{name_of(kind)}({', '.join([*shown, *(['…'] if len(held) > ITEMS else [])])})"


NAMED = (
    (types.ModuleType, "module"),
    (types.FunctionType, "function"),
    (types.BuiltinFunctionType, "function"),
    (types.MethodType, "method"),
)


def issubclass_of(kind: type, base: type) -> bool:
    """``issubclass`` that no metaclass has a say in."""
    return base in mro_of(kind)


def _held(value: Any) -> dict[Any, Any]:
    """What an object holds in public: its ``__dict__`` and slots, read past its class."""
    found = _all_held(value)
    return {
        key: one
        for key, one in dict.items(found)
        if type(key) is str and (not key.startswith("_") or key == "_name_")
    }


def _all_held(value: Any) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for base in mro_of(type(value)):
        for name, slot in dict.items(dict(type.__dict__["__dict__"].__get__(base))):
            if type(slot) is types.MemberDescriptorType and base.__module__ != "builtins":
                try:
                    found[name] = slot.__get__(value)
                except AttributeError:
                    pass
            elif name == "__dict__" and type(slot) is types.GetSetDescriptorType:
                inner = slot.__get__(value)
                if type(inner) is dict:
                    found.update(inner)
    return found


def _first(value: Any) -> str:
    """The first values of an array or a frame; empty for what else has a shape."""
    if is_of(value, "numpy", "ndarray"):
        array = sys.modules["numpy"].ndarray.view(value, sys.modules["numpy"].ndarray)
        shown = [plain(one) for one in array.flat[:ITEMS]]
        return clipped(f"[{', '.join(shown)}{', …' * (array.size > ITEMS)}]")
    return ""


def plain(value: Any) -> str:
    """A value as it stands in a table: text without its quotes."""
    if type(value) is str:
        return clipped(value[: TEXT + 1])
    if base_in(value, (str,)):
        return clipped(str.__getitem__(value, slice(0, TEXT + 1)))
    if type(value) is float or is_of(value, "numpy", "float64"):
        return format(value, ".12g")
    if genuine(type(value), PRINT_THEMSELVES) and not _big(value):
        return clipped(str(value)[: TEXT + 1])
    return text(value)


def shape(value: Any) -> tuple[int, ...] | None:
    """How many items, or rows and columns; None for what has none of these."""
    base: Any = base_in(value, LENGTHS)
    if base is not None:
        return (base.__len__(value),)
    if is_of(value, "numpy", "ndarray"):
        found = sys.modules["numpy"].ndarray.shape.__get__(value)
        return tuple(int(size) for size in found)
    own = library_side(value)
    if own is None:
        return None
    try:
        return tuple(int(size) for size in own.shape)
    except Exception:  # noqa: BLE001 - not all of them have one, and some have one that fails
        return None


def library_side(value: Any) -> Any:
    """A value as the class of a well-known library sees it, past one derived from that; or None."""
    bases = mro_of(type(value))
    for at, base in enumerate(bases):
        if genuine(base, LIBRARIES):
            return value if at == 0 else super(bases[at - 1], value)
    return None


def memory(value: Any) -> int | None:
    """Bytes it takes, with what it holds where that is cheap to say; estimated from a sample."""
    base: Any = base_in(value, LENGTHS) or base_in(value, (int, float, complex))
    if base is not None:
        return int(base.__sizeof__(value)) + _inside(value, base)
    if is_of(value, "numpy", "ndarray"):
        return int(sys.modules["numpy"].ndarray.nbytes.__get__(value))
    own = library_side(value)
    if own is None:
        return int(object.__sizeof__(value))
    ways: tuple[Callable[[], Any], ...] = (
        lambda: own.memory_usage(deep=False).sum(),
        lambda: own.memory_usage(deep=False),
        lambda: own.estimated_size(),  # noqa: PLW0108
        lambda: own.nbytes,
        lambda: own.element_size() * own.nelement(),
    )
    for ask in ways:
        try:
            return int(ask())
        except Exception:  # noqa: BLE001 - each library has its own way
            continue
    return None


def _inside(value: Any, base: Any) -> int:
    """What the items of a container take, by its first ones."""
    if base in (dict, list, tuple, set, frozenset, deque):
        count = base.__len__(value)
        items: Any = dict.items(value) if base is dict else base.__iter__(value)
        flat: list[Any] = []
        for one in islice(items, SAMPLE):
            flat.extend(one if base is dict else (one,))
        sizes = [int(object.__sizeof__(one)) if _foreign(one) else sys.getsizeof(one)
                 for one in flat]  # fmt: skip
        seen = min(count, SAMPLE)
        return sum(sizes) * count // seen if seen else 0
    return 0


def _foreign(value: Any) -> bool:
    return module_of(type(value)) != "builtins" or type(value).__class__ is not type
