"""The licences of everything that is installed to build or to run this: Python and npm.

Copyleft fails unless ``ALLOWED`` names the package with its reason; so does a package that does not
say what its licence is. ``--list`` prints all of them.
"""

import importlib.metadata
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from scripts.lock_python import LOCK, locked

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "frontend"
COPYLEFT = re.compile(
    r"GPL|General Public|MPL|Mozilla|EPL|Eclipse|CDDL|EUPL|CC-BY-SA|SSPL|OSL", re.IGNORECASE
)
# Used as they are, nothing of them is changed; those with "tool" are in no wheel and on no page.
ALLOWED = {
    "axe-core": "MPL-2.0; tool of the journeys",
    "certifi": "MPL-2.0; data, installed beside us and not changed",
    "docutils": "public domain and BSD but for parts that are not used; tool, of twine",
    "hypothesis": "MPL-2.0; tool of the tests",
    "lightningcss": "MPL-2.0; tool of the page's build",
    "pathspec": "MPL-2.0; tool, of mypy",
    "tqdm": "MPL-2.0 and MIT; installed beside us and not changed",
}
# Packages whose metadata name no licence, and where they do.
SAID_ELSEWHERE = {
    "stack-trace": "MIT",  # its file License
    "xtend": "MIT",  # its file LICENCE
}


class Licence(NamedTuple):
    """A package, and what it says its licence is; empty where it says nothing."""

    ecosystem: str
    package: str
    licence: str

    @property
    def allowed(self) -> bool:
        """Whether there is nothing to object."""
        if re.sub(r"-(android|darwin|freebsd|linux|win32).*", "", self.package) in ALLOWED:
            return True
        choices = re.split(r"\s+OR\s+", self.licence.strip("()"))
        return bool(self.licence) and not all(COPYLEFT.search(choice) for choice in choices)


def python_licences(lock: Path = LOCK) -> Iterator[Licence]:
    """Of the locked packages that are installed here."""
    for name in locked(lock):
        try:
            metadata = importlib.metadata.metadata(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        classifiers = [
            one.rpartition(" :: ")[2]
            for one in metadata.get_all("Classifier") or []
            if one.startswith("License ::")
        ]
        free = str(metadata["License"] or "").strip().splitlines()
        said = metadata["License-Expression"] or " AND ".join(classifiers) or "".join(free[:1])
        yield Licence("python", name, str(said))


def npm_licences(page: Path = PAGE) -> Iterator[Licence]:
    """Of the page's lock file. One platform's build of a package has the licence of the package."""
    lock = json.loads((page / "package-lock.json").read_text(encoding="utf-8"))
    for place, entry in lock["packages"].items():
        name = place.rpartition("node_modules/")[2]
        if not name or (entry.get("optional") and "license" not in entry):
            continue
        yield Licence("npm", name, entry.get("license") or SAID_ELSEWHERE.get(name, ""))


def report(found: list[Licence], *, everything: bool) -> int:
    """Print a summary, or all of it, and what is not allowed; the number of those."""
    if everything:
        for one in sorted(found):
            print(f"{one.ecosystem:7} {one.package:45} {one.licence}")
    for ecosystem in ("python", "npm"):
        count = Counter(one.licence or "not said" for one in found if one.ecosystem == ecosystem)
        print(f"{ecosystem}: " + ", ".join(f"{name} {n}" for name, n in count.most_common(12)))
    refused = [one for one in found if not one.allowed]
    for one in refused:
        print(f"not allowed: {one.ecosystem} {one.package}: {one.licence or 'no licence named'}")
    return len(refused)


def main() -> int:
    """List and check; 1 if something is not allowed."""
    found = [*python_licences(), *npm_licences()]
    return int(report(found, everything="--list" in sys.argv[1:]) > 0)


if __name__ == "__main__":
    sys.exit(main())
