"""Complete frontend/package-lock.json with the packages of other platforms.

npm leaves out the optional packages that it could not or need not fetch where the lock was written
(npm/cli issue 4828), and then refuses that lock in ``npm ci``, there and everywhere. Each missing
one is entered with its version and platform; the platform is told by its name, as all of them spell
it. Run it after every ``npm install``; ``--check`` exits 1 if something is missing.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().parent.parent / "frontend" / "package-lock.json"
SYSTEMS = {
    "aix": "aix", "android": "android", "androideabi": "android", "darwin": "darwin",
    "freebsd": "freebsd", "linux": "linux", "netbsd": "netbsd", "openbsd": "openbsd",
    "openharmony": "openharmony", "sunos": "sunos", "win32": "win32", "windows": "win32",
}  # fmt: skip
PROCESSORS = {
    "arm": "arm", "arm64": "arm64", "ia32": "ia32", "loong64": "loong64", "mips64el": "mips64el",
    "ppc64": "ppc64", "riscv64": "riscv64", "s390x": "s390x", "wasm32": "wasm32", "x64": "x64",
}  # fmt: skip
LIBRARIES = {"gnu": "glibc", "musl": "musl"}

Entry = dict[str, Any]


def missing(packages: dict[str, Entry]) -> Iterator[tuple[str, Entry]]:
    """Place and entry of every optional package that is named and not there."""
    for place, package in packages.items():
        for name, version in package.get("optionalDependencies", {}).items():
            nested, plain = f"{place}/node_modules/{name}", f"node_modules/{name}"
            if nested in packages or plain in packages:
                continue
            entry: Entry = {"version": version, **platform_of(name)}
            entry |= {"dev": True} if package.get("dev") else {}
            yield plain, entry | {"optional": True}


def platform_of(name: str) -> Entry:
    """What a package's name says it is for. Raises ValueError if it says nothing."""
    words = name.replace("gnueabihf", "gnu").replace("musleabihf", "musl")
    parts = words.replace("/", "-").split("-")
    found = {
        "cpu": [PROCESSORS[p] for p in parts if p in PROCESSORS],
        "libc": [LIBRARIES[p] for p in parts if p in LIBRARIES and "linux" in parts],
        "os": [SYSTEMS[p] for p in parts if p in SYSTEMS],
    }
    if not found["os"] and found["cpu"] != ["wasm32"]:
        raise ValueError(f"{name} does not say what platform it is for")
    return {key: values for key, values in found.items() if values}


def main() -> int:
    """Complete or check."""
    lock = json.loads(LOCK.read_text(encoding="utf-8"))
    packages: dict[str, Entry] = lock["packages"]
    absent = dict(missing(packages))
    if "--check" in sys.argv[1:]:
        for place in absent:
            print(f"package-lock.json lacks {place}: run 'make lock'", file=sys.stderr)
        return int(bool(absent))
    root = {"": packages.pop("")}
    lock["packages"] = root | dict(sorted((packages | absent).items()))
    LOCK.write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
