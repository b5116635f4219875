"""Reads one cell's tree and says what in it is worth a question, and in which line."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from gpt_code_ui.protocol import Reason
from gpt_code_ui.risk.tables import (
    ALLOWED_MEMBERS,
    CALLED_ONLY,
    HARMLESS_DUNDERS,
    KNOWN,
    MEMBER_KINDS,
    MODULE_ATTRIBUTES,
    PATH_CHECKED,
    PATH_NAMES,
    READERS,
    RISKY_ATTRIBUTES,
    RISKY_BELOW,
    RISKY_MODULES,
    RISKY_NAMES,
    ROOTS,
    WRITERS,
    Kind,
)
from gpt_code_ui.risk.values import Names, Value, folded_texts, is_inside

TEXTS: dict[Kind, str] = {
    "files": "deletes or overwrites files that may be yours",
    "network": "reaches for the network",
    "process": "starts or ends other programs",
    "install": "installs packages",
    "outside": "looks outside the working folder",
    "unpickle": "loads data that can run code",
    "hidden": "does something that cannot be seen from the code",
}
SCHEME = re.compile(r"^[a-zA-Z][\w+.-]+:")
ABSOLUTE = re.compile(
    rf"^(/({'|'.join(ROOTS)})(/|$)|~(/|$)|[a-zA-Z]:[\\/]|\\\\)|(^|[/\\])\.\.([/\\]|$)"
)
FORMAT_TRICK = re.compile(r"\{[^}]*__")
ONLY_READS = re.compile(
    r"^\s*(select|with|explain|pragma\s+table_info|pragma\s+table_list)\b", re.IGNORECASE
)
WRITES_SQL = re.compile(
    r"\b(insert|update|delete|drop|create|replace|alter|attach|copy|install|load|export|vacuum|"
    r"read_text|read_blob|https?)\b",
    re.IGNORECASE,
)
LEADS_OUT = re.compile(r"""['"](/|~|\.\.|\w+:)""")
MODE = re.compile(r"^[rwaxbt+U]{1,4}$")
# The end of a result: no program reads its settings from such a file, wherever it lies.
PRODUCT = re.compile(
    r"[^/\\]*\.(png|jpe?g|svg|pdf|gif|webp|csv|tsv|xlsx|parquet|feather|json|html|txt|md)"
)
UNPICKLES = {"torch.load", "joblib.load", "yaml.load", "yaml.load_all", "yaml.full_load",
             "keras.models.load_model", "tensorflow.keras.models.load_model"}  # fmt: skip
PATH_METHODS = frozenset({"write_text", "write_bytes", "touch", "unlink", "rmdir"})
MOVES = frozenset({"rename", "replace"})
FIRST_WRITTEN = {"os.remove", "os.unlink", "os.rmdir", "os.removedirs", "shutil.rmtree",
                 "os.truncate"}  # fmt: skip
BOTH_WRITTEN = {"os.rename", "os.replace", "shutil.move"}
SECOND_WRITTEN = {"shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copytree",
                  "torch.save", "joblib.dump", "pyarrow.parquet.write_table",
                  "pyarrow.feather.write_feather"}  # fmt: skip
VALUE_FIRST = {
    "torch.save",
    "joblib.dump",
    "pyarrow.parquet.write_table",
    "pyarrow.feather.write_feather",
}
MODE_SECOND = {"h5py.File", "netCDF4.Dataset", "tables.open_file", "pandas.HDFStore"}
NAMED_FILES = {"xlsxwriter.Workbook", "reportlab.pdfgen.canvas.Canvas"}
WRITTEN = FIRST_WRITTEN | BOTH_WRITTEN | SECOND_WRITTEN
QUERIES = frozenset({"query", "eval"})
SQL = frozenset({"execute", "executemany", "executescript", "read_sql", "read_sql_query", "sql"})


@dataclass(frozen=True)
class Folder:
    """The working folder: the files in it, and which the person ``brought``.

    Not ``complete``: there are more files than are listed.
    """

    brought: frozenset[str] = frozenset()
    all: frozenset[str] = frozenset()
    complete: bool = True

    def has_brought(self, path: str) -> bool:
        """Whether a path names a file of the person's, or a folder with one in it."""
        wanted = str(PurePosixPath(path)).casefold()
        if wanted == "." or any(part.startswith(".") for part in PurePosixPath(path).parts):
            return True
        names = (one.casefold() for one in self.brought)
        return any(one == wanted or one.startswith(f"{wanted}/") for one in names)


class Reading(ast.NodeVisitor):
    """One pass over a cell; ``names`` knows the cells before it too."""

    def __init__(self, names: Names, folder: Folder, *, their_database: bool) -> None:
        self._names = names
        self._folder = folder
        self._their_database = their_database
        self._called: set[int] = set()
        self._under: set[int] = set()
        self.found: list[Reason] = []

    def read(self, tree: ast.AST) -> None:
        """Fill ``found``."""
        for node, text in folded_texts(self._names, tree):
            if ABSOLUTE.search(text) and len(text) < 4096:
                self._say(node, "outside", text)
            if FORMAT_TRICK.search(text):
                self._say(node, "hidden", text)
        self.visit(tree)

    def _say(self, node: ast.AST, kind: Kind, what: str) -> None:
        line = getattr(node, "lineno", 1)
        short = what if len(what) <= 60 else what[:59] + "…"
        text = f"{TEXTS[kind]}: {short}"
        self.found.append(Reason(line=line, text=text, kind=kind, what=short))

    # --- imports

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._module(node, alias.name)
            if alias.asname and alias.name in ALLOWED_MEMBERS:
                self._say(node, "hidden", f"import {alias.name} as {alias.asname}")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level:
            self._say(node, "hidden", f"from {'.' * node.level}{module} import")
            return
        self._module(node, module)
        for alias in node.names:
            if alias.name == "*" and (module in ALLOWED_MEMBERS or module == "IPython"):
                self._say(node, "hidden", f"from {module} import *")
            elif kind := self._member(f"{module}.{alias.name}", alias.name):
                self._say(node, kind, f"{module}.{alias.name}")
            elif alias.name in MODULE_ATTRIBUTES and module not in ("os", "concurrent"):
                self._say(node, "hidden", f"{module}.{alias.name}")

    def _module(self, node: ast.AST, name: str) -> None:
        top = name.split(".")[0]
        if name == "urllib.parse" or name == "urllib.error":
            return
        if kind := RISKY_MODULES.get(top) or _below(name):
            self._say(node, kind, name)
        elif top not in KNOWN or self._is_in_folder(top):
            self._say(node, "hidden", f"import {name}")

    def _is_in_folder(self, top: str) -> bool:
        """A file of the folder comes before a library of the same name."""
        return any(
            path.split("/")[0] in (top, f"{top}.py", f"{top}.so") or (path.startswith(f"{top}.")
            and path.endswith((".so", ".pyd", ".pyc")))
            for path in self._folder.all
        )  # fmt: skip

    def _member(self, dotted: str, name: str) -> Kind | None:
        top, _, rest = dotted.partition(".")
        if top == "urllib" and dotted.startswith(("urllib.parse", "urllib.error")):
            return None
        if top in ALLOWED_MEMBERS and rest and "." not in rest:
            if rest in ALLOWED_MEMBERS[top]:
                return None
            return MEMBER_KINDS.get(dotted, "hidden")
        if dotted in RISKY_BELOW:
            return RISKY_BELOW[dotted]
        if name in RISKY_ATTRIBUTES and name not in PATH_CHECKED:
            return RISKY_ATTRIBUTES[name]
        return None

    # --- names and attributes

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            return
        own = self._names.bound(node.id)
        if node.id in RISKY_NAMES and not (own and node.id in ("vars", "locals", "reload")):
            self._say(node, RISKY_NAMES[node.id], node.id)
        elif node.id in CALLED_ONLY and not own and id(node) not in self._called:
            self._say(node, "hidden", node.id)
        elif own and id(node) not in self._under:
            dotted = self._names.name(node.id).dotted
            if dotted in ALLOWED_MEMBERS:
                self._say(node, "hidden", node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.value, ast.Name):
            self._under.add(id(node.value))
        called = id(node) in self._called
        if kind := self._attribute(node.value, node.attr, called=called):
            self._say(node, kind, ast.unparse(node))
        elif not called and self._writes_uncalled(node):
            self._say(node, "files", ast.unparse(node))
        self.generic_visit(node)

    def _writes_uncalled(self, node: ast.Attribute) -> bool:
        """A function that writes files, handed on: where it is called, its path is not seen."""
        if self._names.dotted(node) in WRITTEN:
            return True
        sql = node.attr in ("execute", "executescript") and self._their_database
        return sql or node.attr in PATH_METHODS or node.attr in WRITERS - {"save"}

    def _attribute(self, base: ast.expr, attr: str, *, called: bool) -> Kind | None:
        dotted = self._names.dotted(base)
        value = self._names.value(base)
        dotted = dotted if value.dotted else None
        if dotted is not None:
            full = f"{dotted}.{attr}"
            if kind := self._member(full, attr):
                return kind
            if attr.startswith("_") and not attr.startswith("__"):
                return "hidden"
            if full.split(".")[0] in ALLOWED_MEMBERS and attr not in MODULE_ATTRIBUTES:
                return None
        if attr.startswith("__") and attr.endswith("__") and attr not in HARMLESS_DUNDERS:
            return "hidden"
        if attr in ("os", "sys", "subprocess", "builtins"):
            return "hidden"
        if attr in MODULE_ATTRIBUTES and not value.data and not called:
            return "hidden"
        if attr in RISKY_ATTRIBUTES and not (called and attr in PATH_CHECKED):
            column = value.data and attr in ("home", "truncate", "system", "environ", "spawn")
            return None if column else RISKY_ATTRIBUTES[attr]
        return None

    # --- calls

    def visit_Call(self, node: ast.Call) -> None:
        self._called.add(id(node.func))
        dotted = self._names.dotted(node.func) or ""
        last = node.func.attr if isinstance(node.func, ast.Attribute) else dotted.rpartition(".")[2]
        if isinstance(node.func, ast.Name) and node.func.id in ("getattr", "setattr", "delattr"):
            self._dynamic(node)
        elif dotted in ("open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open"):
            self._open(
                node, _argument(node, 0, ("file", "filename")), _argument(node, 1, ("mode",))
            )
        elif dotted == "tarfile.open":
            self._open(node, _argument(node, 0, ("name",)), _argument(node, 1, ("mode",)))
        elif dotted in MODE_SECOND:
            given = _argument(node, 1, ("mode",)) or ast.Constant("r")
            self._open(node, _argument(node, 0, ("name", "filename")), given)
        elif last in ("memmap", "FileIO"):
            mode = _argument(node, 2 if last == "memmap" else 1, ("mode",))
            default = ast.Constant("r+" if last == "memmap" else "r")
            self._open(node, _argument(node, 0, ("filename", "file")), mode or default)
        elif dotted in WRITTEN:
            self._system_call(node, dotted)
        elif last in QUERIES and isinstance(node.func, ast.Attribute):
            self._query(node, last)
        elif last in SQL:
            self._sql(node, last)
        elif last in ("extractall", "unpack_archive", "extract"):
            self._extract(node, last)
        elif isinstance(node.func, ast.Attribute):
            self._method(node, node.func, dotted, last)
        else:
            self._plain_call(node, dotted, last)
        self._unpickles(node, dotted)
        self.generic_visit(node)

    def _method(self, node: ast.Call, func: ast.Attribute, dotted: str, last: str) -> None:
        base = self._names.value(func.value)
        if (base.dotted or "").startswith("pathlib.") and last in PATH_METHODS | MOVES:
            for argument in node.args:
                self._write(node, self._names.value(argument))
        elif last == "open" and base.dotted is not None:
            self._open(node, _argument(node, 0, ("file",)), _argument(node, 1, ("mode",)))
        elif last in PATH_METHODS and base.dotted is None:
            self._write(node, base)
        elif last in MOVES and (base.path or base.local) and node.args:
            self._write(node, base)
            self._write(node, self._names.value(node.args[0]))
        elif last == "rename" and _is_one_text(node) and self._may_be_path(base):
            self._say(node, "files", ast.unparse(node))
        elif last == "open" and base.dotted is None:
            mode = _argument(node, 0, ("mode",))
            if base.path or base.local or not base.data:
                self._opened(node, base, self._mode(mode))
        elif last in ("read_text", "read_bytes", "iterdir") and base.path:
            self._read(node, base)
        elif last == "to_sql":
            if self._their_database or not self._names.value(_argument(node, 1, ("con",))).data:
                self._say(node, "files", "to_sql")
        else:
            self._plain_call(node, dotted, last)

    def _is_handle(self, node: ast.Call) -> bool:
        """``pdf.savefig(figure)``: what is written to is open already."""
        return isinstance(node.func, ast.Attribute) and self._names.value(node.func.value).handle

    def _may_be_path(self, base: Value) -> bool:
        return base.unknown and self._names.bound("Path")

    def _plain_call(self, node: ast.Call, dotted: str, last: str) -> None:
        if last == "ZipFile" or last == "connect":
            self._open(
                node, _argument(node, 0, ("file", "database")), _argument(node, 1, ("mode",))
            )
        elif last in WRITERS and self._is_handle(node):
            pass
        elif last in WRITERS or dotted in NAMED_FILES:
            for path in _paths(node):
                self._write(node, self._names.value(path))
        elif last in READERS:
            for path in _paths(node):
                self._read(node, self._names.value(path))

    def _system_call(self, node: ast.Call, dotted: str) -> None:
        values = [self._names.value(one) for one in (*node.args, *(k.value for k in node.keywords))]
        if any(isinstance(one, ast.Starred) for one in node.args) or not values:
            self._say(node, "files", dotted)
            return
        if dotted in SECOND_WRITTEN:
            if dotted not in VALUE_FIRST:
                self._read(node, values[0])
            for value in values[1:2]:
                self._write(node, value)
        else:
            for value in values[: 2 if dotted in BOTH_WRITTEN else 1]:
                self._write(node, value)

    def _dynamic(self, node: ast.Call) -> None:
        if len(node.args) < 2:
            self._say(node, "hidden", ast.unparse(node))
            return
        names = self._names.value(node.args[1]).texts
        if names is None:
            self._say(node, "hidden", ast.unparse(node))
            return
        if isinstance(node.args[0], ast.Name):
            self._under.add(id(node.args[0]))
        for name in sorted(names):
            if kind := self._attribute(node.args[0], name, called=False):
                self._say(node, kind, ast.unparse(node))

    def _query(self, node: ast.Call, last: str) -> None:
        """pandas looks up what follows ``@`` in the names of the code, with its attributes."""
        text = self._names.value(_argument(node, 0, ("expr",)))
        base = self._names.value(node.func.value) if isinstance(node.func, ast.Attribute) else text
        if not node.args and not node.keywords and not base.dotted:
            return  # model.eval() of torch
        if (base.dotted or "").startswith("duckdb"):
            self._sql(node, last)
            return
        texts = text.texts
        asked = _argument(node, 0, ("expr",))
        if isinstance(asked, ast.JoinedStr) and self._names.holds_numbers(asked):
            return
        if texts is None or any("__" in one or re.search(r"@\w+\s*[.(\[]", one) for one in texts):
            self._say(node, "hidden", ast.unparse(node))

    def _sql(self, node: ast.Call, last: str) -> None:
        value = self._names.value(_argument(node, 0, ("sql", "query")))
        begins = value.texts or ({value.glued[0]} if value.glued else set())
        con = self._names.value(_argument(node, 1, ("con", "connection"))).texts or ()
        if any(SCHEME.match(one) and not one.startswith("sqlite:") for one in con):
            self._say(node, "network", ast.unparse(node))
        if any(LEADS_OUT.search(one) for one in begins):
            self._say(node, "outside", ast.unparse(node))
        plain = begins and all(ONLY_READS.search(one) for one in begins)
        if plain and not any(WRITES_SQL.search(one) for one in begins):
            return
        known = begins and value.texts is not None
        attaches = not known or any(
            re.search(r"attach|copy\b|install|https?:", t, re.IGNORECASE) for t in begins
        )
        if self._their_database or attaches or con:
            self._say(node, "files", ast.unparse(node))

    def _extract(self, node: ast.Call, last: str) -> None:
        target = _argument(node, 1 if last == "unpack_archive" else 0, ("path", "extract_dir"))
        value = self._names.value(target)
        if last == "extract":
            if any(self._folder.has_brought(one) for one in value.texts or () if one.strip()):
                self._say(node, "files", ast.unparse(node))
        elif target is None or value.texts is None:
            self._say(node, "files", ast.unparse(node))
        else:
            self._write(node, value)

    def _unpickles(self, node: ast.Call, dotted: str) -> None:
        safe = any(
            "Safe" in ast.unparse(one) for one in (*node.args, *(k.value for k in node.keywords))
        )
        given = {one.arg: one.value for one in node.keywords}
        if dotted in UNPICKLES and not safe:
            self._say(node, "unpickle", dotted)
        allow = given.get("allow_pickle")
        if None in given and dotted == "numpy.load":
            self._say(node, "unpickle", dotted)
        if allow is not None and not (isinstance(allow, ast.Constant) and allow.value is False):
            self._say(node, "unpickle", ast.unparse(node))
        if dotted == "numpy.load" and len(node.args) > 2:
            self._say(node, "unpickle", dotted)

    # --- files

    def _open(self, node: ast.Call, path: ast.expr | None, mode: ast.expr | None) -> None:
        spread = any(isinstance(one, ast.Starred) for one in node.args)
        if spread or any(one.arg is None for one in node.keywords):
            self._say(node, "hidden", ast.unparse(node))
        self._opened(node, self._names.value(path), self._mode(mode))

    def _mode(self, mode: ast.expr | None) -> frozenset[str] | None:
        return frozenset({"r"}) if mode is None else self._names.value(mode).texts

    def _opened(self, node: ast.Call, value: Value, modes: frozenset[str] | None) -> None:
        if modes is not None and not any(MODE.match(one) for one in modes):
            return  # a member of an archive
        if modes is None or any(set("wax+") & set(one) for one in modes):
            self._write(node, value)
        else:
            self._read(node, value)

    def _read(self, node: ast.Call, value: Value) -> None:
        for text in sorted(value.texts or ()):
            if SCHEME.match(text) and not re.match(r"^[a-zA-Z]:[\\/]", text):
                self._say(node, "outside" if text.startswith("file:") else "network", text)
            elif not is_inside(text):
                self._say(node, "outside", text)
        if value.texts is not None or value.local or value.handle or value.given:
            return
        if value.glued and value.glued[0] and is_inside(value.glued[0]):
            if SCHEME.match(value.glued[0]):
                self._say(node, "network", value.glued[0])
            return
        self._say(node, "hidden", ast.unparse(node))

    def _write(self, node: ast.Call, value: Value) -> None:
        if value.handle:
            return
        for text in sorted(value.texts or ()):
            if SCHEME.match(text):
                self._say(node, "network", text)
            elif not is_inside(text):
                self._say(node, "outside", text)
            elif self._folder.has_brought(text) or not self._folder.complete:
                self._say(node, "files", text)
        if value.texts is not None:
            return
        if value.glued is None or not self._is_new(*value.glued):
            self._say(node, "files", ast.unparse(node))

    def _is_new(self, begin: str, end: str) -> bool:
        """Whether no file of the person's can end like this, whatever stands between."""
        if not begin and not PRODUCT.fullmatch(end):
            return False
        if begin and (not is_inside(begin) or SCHEME.match(begin) or begin.startswith(".")):
            return False
        ends = (one.casefold().endswith(end.casefold()) for one in self._folder.brought)
        return "." in end and len(end) > 2 and self._folder.complete and not any(ends)


def opens_database_of(names: Names, trees: Iterable[ast.AST], folder: Folder) -> bool:
    """Whether any of these cells opens a database that may be the person's."""
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _last(node.func) in ("connect", "create_engine"):
                texts = names.value(_argument(node, 0, ("database",))).texts
                if texts is None or any(map(folder.has_brought, texts)):
                    return True
    return False


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _below(name: str) -> Kind | None:
    parts = name.split(".")
    found = (RISKY_BELOW.get(".".join(parts[:n])) for n in range(2, len(parts) + 1))
    return next((one for one in found if one), None)


def _argument(node: ast.Call, at: int, names: tuple[str, ...]) -> ast.expr | None:
    for keyword in node.keywords:
        if keyword.arg in names:
            return keyword.value
    return node.args[at] if len(node.args) > at else None


def _paths(node: ast.Call) -> Iterator[ast.expr]:
    yield from node.args[:1]
    yield from (one.value for one in node.keywords if one.arg in PATH_NAMES or one.arg is None)


def _is_one_text(node: ast.Call) -> bool:
    return len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Dict)
