"""Write requirements-dev.lock: the exact releases that `make setup` installs where they fit.

They are those of this environment, for the package and its extra ``dev`` with all they need in
turn. ``--check`` exits 1 if the lock lacks one of them; a version that differs is no fault, for the
ranges of setup.py and requirements-dev.txt decide on other Pythons.
"""

import importlib.metadata
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements-dev.lock"
PACKAGE = "gpt-code-ui"
HEAD = """\
# Written by `make lock`. The releases the tests last passed with; `make setup` takes them where
# they fit this Python, and the ranges of setup.py and requirements-dev.txt where they do not.
"""


def canonical(name: str) -> str:
    """The one spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(package: str, extras: Iterable[str]) -> dict[str, str]:
    """What a package with extras needs and is installed, with versions; not itself, nor pip."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    todo = [(package, extra) for extra in ("", *extras)]
    while todo:
        name, extra = todo.pop()
        if (canonical(name), extra) in seen:
            continue
        seen.add((canonical(name), extra))
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        found[canonical(name)] = distribution.version
        for line in distribution.requires or ():
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                todo += [(need.name, one) for one in ("", *need.extras)]
    for unpinned in (canonical(package), "pip"):
        found.pop(unpinned, None)
    return dict(sorted(found.items()))


def locked(path: Path = LOCK) -> dict[str, str]:
    """Names and versions of a lock file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {pair[0]: pair[1] for pair in pairs}


def main() -> int:
    """Write or check."""
    wanted = closure(PACKAGE, ["dev"])
    if "--check" in sys.argv[1:]:
        absent = sorted(wanted.keys() - locked().keys())
        for name in absent:
            print(f"requirements-dev.lock lacks {name}: run 'make lock'", file=sys.stderr)
        return int(bool(absent))
    text = HEAD + "".join(f"{name}=={version}\n" for name, version in wanted.items())
    LOCK.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
