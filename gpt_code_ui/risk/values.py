"""What the names of a conversation's code can stand for, as far as it matters for a question.

All bindings of a name count, wherever they stand and in whichever cell: a name is taken for a text,
a file of the folder, or plain data only if every one of them says so.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

MOST_TEXTS = 50
DEPTH = 40
MOST_STEPS = 100_000


@dataclass(frozen=True)
class Value:
    """``texts``: all it can be, as text or path. ``local``: some file of the working folder.

    ``glued``: text whose beginning and end are known. ``data``: no text that matters.
    ``handle``: an open file or a buffer. ``dotted``: a module or what lies in one. ``path``: it is
    a path object. ``given``: a parameter that nobody has filled yet.
    """

    texts: frozenset[str] | None = None
    local: bool = False
    glued: tuple[str, str] | None = None
    data: bool = False
    dotted: str | None = None
    path: bool = False
    given: bool = False
    handle: bool = False

    @property
    def unknown(self) -> bool:
        """Nothing is known of it."""
        return self == UNKNOWN


UNKNOWN = Value()
DATA = Value(data=True)
HANDLE = Value(data=True, handle=True)
LOCAL = Value(local=True)
GIVEN = Value(given=True)
Binding = ast.expr | Value | tuple[str, ast.expr]
JOINED = {"os.path.join", "posixpath.join"}
PATHS = {"pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "pathlib.PurePosixPath"}
LISTS = {"glob.glob", "glob.iglob", "os.listdir", "os.walk", "os.scandir"}
SAME = {"sorted", "list", "tuple", "set", "reversed", "str", "enumerate", "iter", "next", "max",
        "min", "zip", "filter", "os.fspath", "os.path.basename", "os.path.normpath",
        "os.path.splitext", "os.path.relpath"}  # fmt: skip
OPENS = {"ExcelFile", "ZipFile", "ExcelWriter", "PdfPages", "GzipFile", "TarFile", "BufferedReader",
         "TextIOWrapper", "HDFStore", "ParquetFile", "extractfile", "PdfReader", "StringIO",
         "BytesIO"}  # fmt: skip
TEXT_METHODS = {"strip", "lower", "upper", "title", "format", "replace", "join", "removesuffix",
                "removeprefix", "lstrip", "rstrip", "capitalize", "zfill", "encode", "decode",
                "casefold", "swapcase", "translate"}  # fmt: skip
MAKES_DATA = {"len", "int", "float", "range", "sum", "abs", "round", "bool", "print", "type",
              "dict", "isinstance", "any", "all", "complex", "divmod", "pow", "hash", "id",
              "object", "super", "hasattr", "callable", "ord", "bytearray", "frozenset",
              "display", "issubclass", "slice"}  # fmt: skip


class Names:
    """The bindings of some cells; ``value`` evaluates an expression of one of them."""

    def __init__(self, trees: Iterable[ast.AST]) -> None:
        self._bound: dict[str, list[Binding]] = {}
        self.functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self._busy: set[int] = set()
        self._names_busy: set[str] = set()
        self._known: dict[str, Value] = {}
        self._steps = 0
        for tree in trees:
            for node in ast.walk(tree):
                self._bind_node(node)
            for node in ast.walk(tree):
                if isinstance(node, ast.Call):
                    self._bind_arguments(node)

    # --- bindings

    def _bind_node(self, node: ast.AST) -> None:
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    top = alias.name if alias.asname else alias.name.split(".")[0]
                    self._add(alias.asname or top, Value(dotted=top))
            case ast.ImportFrom(module=module, names=aliases):
                for alias in aliases:
                    dotted = f"{module or ''}.{alias.name}"
                    self._add(alias.asname or alias.name, Value(dotted=dotted))
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._bind(target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._bind(target, value)
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                known = ast.Name(id=name, ctx=ast.Load())
                self._add(name, ast.BinOp(left=known, op=op, right=value))
            case ast.NamedExpr(target=target, value=value):
                self._bind(target, value)
            case ast.For() | ast.AsyncFor() | ast.comprehension():
                self._bind_each(node.target, node.iter)
            case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
                self._bind(target, value)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.functions[node.name] = node
                self._add(node.name, DATA)
                self._bind_parameters(node.args)
            case ast.Lambda(args=args):
                self._bind_parameters(args)
            case ast.ClassDef(name=name):
                self._add(name, DATA)
            case ast.ExceptHandler(name=str() as name):
                self._add(name, DATA)
            case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
                self._add(name, UNKNOWN)
            case _:
                pass

    def _add(self, name: str, value: Binding) -> None:
        self._bound.setdefault(name, []).append(value)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        match target, value:
            case ast.Name(id=name), _:
                self._add(name, value)
            case (
                (ast.Tuple(elts=targets) | ast.List(elts=targets)),
                (ast.Tuple(elts=values) | ast.List(elts=values)),
            ) if len(targets) == len(values):
                for one, other in zip(targets, values, strict=True):
                    self._bind(one, other)
            case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), _):
                for one in targets:
                    self._bind_each(one, value)
            case ast.Starred(value=inner), _:
                self._bind(inner, value)
            case _:
                pass

    def _bind_each(self, target: ast.expr, iterable: ast.expr) -> None:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                self._add(node.id, ("each", iterable))

    def _bind_parameters(self, args: ast.arguments) -> None:
        positional = [*args.posonlyargs, *args.args]
        for arg in [*positional, *args.kwonlyargs]:
            self._add(arg.arg, GIVEN)
        for arg, default in zip(reversed(positional), reversed(args.defaults), strict=False):
            self._add(arg.arg, default)
        for arg, given in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            if given is not None:
                self._add(arg.arg, given)
        for rest in (args.vararg, args.kwarg):
            if rest is not None:
                self._add(rest.arg, UNKNOWN)

    def _bind_arguments(self, call: ast.Call) -> None:
        """What a function of these cells is called with is what its parameters can be."""
        function = self.functions.get(call.func.id) if isinstance(call.func, ast.Name) else None
        if function is None:
            return
        names = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)]
        for name, given in zip(names, call.args, strict=False):
            self._add(name, UNKNOWN if isinstance(given, ast.Starred) else given)
        for keyword in call.keywords:
            if keyword.arg is not None:
                self._add(keyword.arg, keyword.value)

    # --- evaluation

    def value(self, node: ast.expr | None, depth: int = 0) -> Value:
        """What an expression can be. Raises RecursionError where that cannot be found in time."""
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise RecursionError
        if node is None or depth > DEPTH or id(node) in self._busy:
            return UNKNOWN
        self._busy.add(id(node))
        try:
            return self._value(node, depth + 1)
        finally:
            self._busy.discard(id(node))

    def _value(self, node: ast.expr, depth: int) -> Value:
        match node:
            case ast.Constant(value=str() as text):
                return Value(texts=frozenset({text}))
            case ast.Constant() | ast.Compare() | ast.Dict() | ast.DictComp():
                return self._of_dict(node, depth) if isinstance(node, ast.Dict) else DATA
            case ast.Name(id=name):
                return self.name(name)
            case ast.JoinedStr(values=pieces):
                return self._glue([self._piece(one, depth) for one in pieces])
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._glue([self.value(left, depth), self.value(right, depth)])
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._under(self.value(left, depth), self.value(right, depth))
            case ast.BinOp(left=left, op=ast.Mod(), right=_):
                return self._percent(self.value(left, depth))
            case ast.BinOp(left=left, right=right):
                return _both(self.value(left, depth), self.value(right, depth))
            case ast.UnaryOp() | ast.SetComp():
                return DATA
            case ast.BoolOp(values=values):
                return join(self.value(one, depth) for one in values)
            case ast.IfExp(body=body, orelse=orelse):
                return join((self.value(body, depth), self.value(orelse, depth)))
            case ast.List(elts=elts) | ast.Tuple(elts=elts) | ast.Set(elts=elts):
                return join(self.value(one, depth) for one in elts) if elts else DATA
            case ast.ListComp(elt=elt) | ast.GeneratorExp(elt=elt):
                return self.value(elt, depth)
            case ast.Subscript(value=value, slice=ast.Slice() as part):
                return _sliced(self.value(value, depth), part)
            case ast.Subscript(value=value) | ast.Starred(value=value) | ast.Await(value=value):
                return self.value(value, depth)
            case ast.NamedExpr(value=value):
                return self.value(value, depth)
            case ast.Attribute():
                return self._attribute(node, depth)
            case ast.Call():
                return self._call(node, depth)
            case _:
                return UNKNOWN

    def name(self, name: str) -> Value:
        """What all bindings of a name can be together."""
        if name in self._known:
            return self._known[name]
        if name in self._names_busy:
            return Value(data=True)
        self._names_busy.add(name)
        try:
            found = [self._of(one) for one in self._bound.get(name, ())]
        finally:
            self._names_busy.discard(name)
        filled = [one for one in found if not one.given] or found
        result = join(filled) if filled else UNKNOWN
        if not self._names_busy:
            self._known[name] = result
        return result

    def bound(self, name: str) -> bool:
        """Whether any cell binds the name."""
        return name in self._bound

    def holds_numbers(self, text: ast.JoinedStr) -> bool:
        """Whether whatever is put into an f-string is a number that stands in the code."""
        holes = [one.value for one in text.values if isinstance(one, ast.FormattedValue)]
        literal = [one.value for one in text.values if isinstance(one, ast.Constant)]
        return all(map(self._is_number, holes)) and not any("@" in str(one) for one in literal)

    def _is_number(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Name):
            bound = self._bound.get(node.id, [])
            return bool(bound) and all(_is_numeral(one) for one in bound)
        return _is_numeral(node)

    def _of(self, binding: Binding) -> Value:
        if isinstance(binding, Value):
            return binding
        return self.value(binding[1] if isinstance(binding, tuple) else binding)

    def _of_dict(self, node: ast.Dict, depth: int) -> Value:
        each = [one for one in (*node.keys, *node.values) if one is not None]
        value = join(self.value(one, depth) for one in each) if each else DATA
        return DATA if value.unknown else value

    def _piece(self, node: ast.expr, depth: int) -> Value:
        if isinstance(node, ast.FormattedValue):
            value = self.value(node.value, depth)
            return value if value.texts is not None and node.format_spec is None else UNKNOWN
        return self.value(node, depth)

    def _glue(self, pieces: list[Value]) -> Value:
        """Texts one after the other; what is not known in between leaves the ends."""
        if pieces and all(one.data for one in pieces):
            return DATA
        if any(one.dotted for one in pieces):
            return UNKNOWN
        if all(one.texts is not None for one in pieces):
            texts = {""}
            for one in pieces:
                texts = {a + b for a in texts for b in one.texts or ()}
                if len(texts) > MOST_TEXTS:
                    return UNKNOWN
            return Value(texts=frozenset(texts))
        return Value(glued=(_first(pieces), _last(pieces)))

    def _percent(self, template: Value) -> Value:
        if template.data:
            return DATA
        if template.texts is None or len(template.texts) != 1:
            return UNKNOWN
        (text,) = template.texts
        return Value(glued=(text.partition("%")[0], _after(text.rpartition("%")[2])))

    def _under(self, left: Value, right: Value) -> Value:
        if left.data or (right.data and not left.path):
            return DATA
        if left.texts is not None and right.texts is not None:
            both = {_joined(a, b) for a in left.texts for b in right.texts}
            return Value(texts=frozenset(both), path=True)
        if left.texts is not None and right.glued:
            base = {f"{a}/" for a in left.texts if a not in ("", ".")} or {""}
            if len(base) == 1:
                return Value(glued=(base.pop() + right.glued[0], right.glued[1]), path=True)
        if (left.local or left.texts is not None) and right.local:
            return Value(local=True, path=True)
        return replace(UNKNOWN, path=left.path)

    def _attribute(self, node: ast.Attribute, depth: int) -> Value:
        base = self.value(node.value, depth)
        if base.dotted is not None:
            return Value(dotted=f"{base.dotted}.{node.attr}")
        if base.path or base.local:
            if node.attr in ("name", "stem", "suffix", "path"):
                return replace(base, path=False)
            return base if node.attr == "parent" and base.local else replace(UNKNOWN, path=True)
        return DATA if base.data else UNKNOWN

    def _call(self, node: ast.Call, depth: int) -> Value:
        dotted = self.dotted(node.func)
        first = self.value(node.args[0], depth) if node.args else None
        if dotted in PATHS:
            if first is None:
                return Value(texts=frozenset({"."}), path=True)
            parts = [self.value(one, depth) for one in node.args]
            result = parts[0]
            for part in parts[1:]:
                result = self._under(replace(result, path=True), part)
            return replace(result, path=True)
        if dotted in JOINED and node.args:
            result = replace(first or UNKNOWN, path=True)
            for one in node.args[1:]:
                result = self._under(result, self.value(one, depth))
            return replace(result, path=False)
        if dotted in LISTS:
            inside = first is None or (first.texts is not None and all(map(is_inside, first.texts)))
            return LOCAL if inside else UNKNOWN
        if dotted in ("os.getcwd", "pathlib.Path.cwd"):
            return Value(texts=frozenset({"."}), path=dotted != "os.getcwd")
        last = (dotted or "").rpartition(".")[2]
        if dotted in ("open", "io.StringIO", "io.BytesIO") or (
            "." in (dotted or "") and last in OPENS
        ):
            return HANDLE
        if dotted in SAME:
            return first or DATA
        if dotted in MAKES_DATA:
            return DATA
        if dotted is not None and "." in dotted:
            return UNKNOWN if dotted.startswith(("os.", "sys.", "base64.", "codecs.")) else DATA
        if isinstance(node.func, ast.Name) and node.func.id in self.functions:
            return self._returned(self.functions[node.func.id], depth)
        if isinstance(node.func, ast.Attribute):
            return self._method(node.func, depth, node)
        return UNKNOWN

    def _returned(self, function: ast.FunctionDef | ast.AsyncFunctionDef, depth: int) -> Value:
        given = [one.value for one in ast.walk(function) if isinstance(one, ast.Return)]
        return join(self.value(one, depth) for one in given if one) if any(given) else DATA

    def _method(self, function: ast.Attribute, depth: int, call: ast.Call) -> Value:
        base = self.value(function.value, depth)
        if base.path:
            if function.attr in ("glob", "rglob", "iterdir"):
                inside = base.local or (base.texts is not None and all(map(is_inside, base.texts)))
                return Value(local=inside, path=True)
            if function.attr in ("resolve", "absolute"):
                return base
            if function.attr in ("with_suffix", "with_name", "with_stem", "joinpath"):
                right = self.value(call.args[0], depth) if call.args else UNKNOWN
                return self._beside(base, function.attr, right)
            return HANDLE if function.attr == "open" else DATA
        if base.texts is not None and function.attr in TEXT_METHODS:
            return self._text_method(base, function.attr, call, depth)
        if function.attr in ("items", "values", "keys", "get", "pop", "copy", "setdefault"):
            return base
        if function.attr == "open" or function.attr in OPENS:
            return HANDLE
        if base.local and function.attr in ("split", "rsplit", "endswith", "startswith"):
            return LOCAL
        return DATA if base.data else UNKNOWN

    def _beside(self, base: Value, method: str, right: Value) -> Value:
        if method == "joinpath":
            return self._under(base, right)
        if base.texts is None or right.texts is None:
            return Value(path=True)
        try:
            made = {
                str(getattr(PurePosixPath(a), method)(b)) for a in base.texts for b in right.texts
            }
        except ValueError:
            return Value(path=True)
        return Value(texts=frozenset(made), path=True)

    def _text_method(self, base: Value, method: str, call: ast.Call, depth: int) -> Value:
        assert base.texts is not None
        if method == "format" and len(base.texts) == 1:
            (text,) = base.texts
            return Value(glued=(text.partition("{")[0], text.rpartition("}")[2]))
        arguments = [self.value(one, depth).texts for one in call.args]
        plain = [next(iter(one)) for one in arguments if one is not None and len(one) == 1]
        if len(plain) != len(call.args) or call.keywords or method in ("translate", "join"):
            return UNKNOWN
        try:
            done = {getattr(text, method)(*plain) for text in base.texts}
        except (TypeError, ValueError):
            return UNKNOWN
        return Value(texts=frozenset(done)) if all(isinstance(x, str) for x in done) else UNKNOWN

    def dotted(self, node: ast.expr) -> str | None:
        """The full name of what is called or looked at, as far as imports tell."""
        match node:
            case ast.Name(id=name):
                value = self.name(name) if self.bound(name) else None
                return value.dotted if value else name
            case ast.Attribute(value=inner, attr=attr):
                base = self.dotted(inner)
                bare = isinstance(inner, ast.Name) and not self.bound(inner.id)
                return f"{base}.{attr}" if base is not None and not bare else None
            case _:
                return None


def join(values: Iterable[Value]) -> Value:
    """What something is that can be any of these; plain data beside a text does no harm."""
    every = list(dict.fromkeys(values))
    every = [one for one in every if not one.data] or every
    if len(every) <= 1:
        return every[0] if every else UNKNOWN
    if all(one.data for one in every):
        return DATA
    path = any(one.path for one in every)
    if all(one.texts is not None for one in every):
        texts = frozenset(text for one in every for text in one.texts or ())
        return Value(texts=texts, path=path) if len(texts) <= MOST_TEXTS else UNKNOWN
    if all(one.local or one.texts is not None for one in every):
        texts = frozenset(text for one in every for text in one.texts or ())
        return Value(local=all(map(is_inside, texts)), path=path)
    return Value(path=path)


def is_inside(path: str) -> bool:
    """Whether a path is relative and leads to no other folder."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    return not (path.startswith(("/", "~", "\\")) or ".." in parts or path[1:2] == ":")


def _is_numeral(node: Binding) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _sliced(value: Value, part: ast.Slice) -> Value:
    """Part of a list of texts, or of each text: both are possible."""
    if value.texts is None:
        return value
    bounds = []
    for bound in (part.lower, part.upper, part.step):
        try:
            bounds.append(None if bound is None else ast.literal_eval(bound))
        except (ValueError, TypeError):
            return UNKNOWN
    try:
        cut = {text[slice(*bounds)] for text in value.texts}
    except (TypeError, ValueError):
        return UNKNOWN
    return replace(value, texts=value.texts | cut)


def _both(left: Value, right: Value) -> Value:
    return DATA if left.data or right.data else UNKNOWN


def _joined(left: str, right: str) -> str:
    return right if right.startswith("/") else (right if left in ("", ".") else f"{left}/{right}")


def _after(text: str) -> str:
    """What follows a ``%`` conversion."""
    return text.lstrip("0123456789.-+#").lstrip("sdfrgexi")


def _first(pieces: list[Value]) -> str:
    first = pieces[0]
    if first.texts is not None and len(first.texts) == 1:
        return next(iter(first.texts))
    return first.glued[0] if first.glued else ""


def _last(pieces: list[Value]) -> str:
    last = pieces[-1]
    if last.texts is not None and len(last.texts) == 1:
        return next(iter(last.texts))
    return last.glued[1] if last.glued else ""


def folded_texts(names: Names, tree: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """Every text that is put together in the code, as far as it can be seen."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.BinOp | ast.JoinedStr | ast.Call):
            for text in names.value(node).texts or ():
                yield node, text
