"""Which of the paths that a program needs may be seen in a cage, and what stays hidden.

Invariant: nothing that equals or holds the home folder, the data folder or another hidden place is
readable as a whole, and no place of keys inside the home folder at all.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from gpt_code_ui.kernel.sandbox.needs import Needs, is_within, links

# The system itself, as every program on the machine sees it.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
STORES = ("/nix/store", "/gnu/store")
ETC = (
    "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "fonts", "localtime", "timezone",
    "ssl/certs", "ssl/openssl.cnf", "pki/tls/certs", "pki/tls/cert.pem", "pki/ca-trust/extracted",
    "ca-certificates", "mime.types", "protocols", "services", "debian_version", "os-release",
    "matplotlibrc", "pip.conf", "ImageMagick-6", "ImageMagick-7", "R", "OpenCL", "magic",
    "locale.alias",
)  # fmt: skip
PROCESSORS = "/sys/devices/system/cpu"
# Where keys lie in a home folder: never readable, whoever names them.
KEYS = (
    ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".config", ".netrc", ".pgpass",
    ".password-store", ".mozilla", ".thunderbird", ".git-credentials", ".pypirc", ".npmrc",
    ".local/share/keyrings", ".bash_history", ".python_history",
)  # fmt: skip
DOTENV = ".env"


@dataclass(frozen=True)
class Place:
    """Where a kernel lives. ``hidden``: folders and files of ours that no cage may show.

    ``workspace``, ``run_dir`` and ``packages`` can be written; the second is its own, below a
    hidden one, and so is the third.
    """

    workspace: str
    run_dir: str
    home: str
    hidden: tuple[str, ...]
    allow_read: tuple[str, ...] = ()
    packages: str | None = None


@dataclass(frozen=True)
class Readable:
    """What a cage shows: ``paths`` as they are, ``links`` to be made anew; ``refused`` is told."""

    paths: tuple[str, ...]
    links: tuple[tuple[str, str], ...] = ()
    refused: tuple[str, ...] = field(default=(), compare=False)


def home_folder(env_home: str | None) -> str:
    """The home folder's path inside a cage, where it is empty: the same as outside."""
    home = env_home or str(Path.home())
    return os.path.normpath(home) if os.path.isabs(home) and home != "/" else "/home/user"


def readable(needs: Needs, place: Place) -> Readable:
    """The paths of ``needs`` and ``allow_read`` that may be seen."""
    protected = [*place.hidden, place.home, os.path.realpath(place.home)]
    keys = [os.path.join(place.home, name) for name in KEYS]
    paths: list[str] = list(place.allow_read)
    refused: list[str] = []
    for path in needs.whole:
        if not os.path.exists(path):
            continue
        if _holds_too_much(path, protected) or _is_secret(path, keys, place):
            refused.append(path)
        else:
            paths += [path, os.path.realpath(path)]
    if refused:
        paths += [p for p in needs.parts if _may_be_a_part(p, protected, keys, place)]
    kept = least([p for p in paths if os.path.exists(p)])
    return Readable(tuple(kept), tuple(_links(needs.executable, kept)), tuple(refused))


def system() -> list[str]:
    """Everything of the machine itself that a cage shows."""
    folders = [*SYSTEM, *STORES, *(f"/etc/{name}" for name in ETC), PROCESSORS]
    return [path for path in folders if os.path.exists(path)]


def least(paths: Iterable[str]) -> list[str]:
    """``paths`` without those that lie below another or in the system."""
    kept: list[str] = []
    for path in sorted(set(paths), key=lambda p: Path(p).parts):
        if not in_system(path) and not any(is_within(path, one) for one in kept):
            kept.append(path)
    return kept


def in_system(path: str) -> bool:
    """Whether every cage shows it anyway."""
    real = os.path.realpath(path)
    return any(is_within(path, one) for one in SYSTEM) and any(is_within(real, s) for s in SYSTEM)


def hidden_within(folder: str, hidden: Iterable[str]) -> list[str]:
    """What has to be hidden below a folder that a cage shows."""
    real = os.path.realpath(folder)
    found: dict[str, None] = {}
    for path in hidden:
        inside = os.path.relpath(os.path.realpath(path), real)
        if not inside.startswith("..") and inside != "." and os.path.lexists(path):
            found[os.path.join(folder, inside)] = None
    return list(found)


def kept_from_writing(needs: Needs, workspace: str, ours: Iterable[str]) -> list[str]:
    """What in the workspace code may read only: what would run outside the cage later.

    The interpreter and its packages, ours if they lie there, and git's hooks and settings.
    """
    inside = [p for p in (*needs.whole, *ours) if is_within(p, workspace) and p != workspace]
    git = os.path.join(workspace, ".git")
    return [p for p in (*inside, git) if os.path.exists(p) and not os.path.islink(p)]


def _holds_too_much(path: str, protected: Iterable[str]) -> bool:
    real = os.path.realpath(path)
    return any(is_within(one, path) or is_within(one, real) for one in protected if one)


def _is_secret(path: str, keys: Iterable[str], place: Place) -> bool:
    """Whether it lies where keys or our own things are, and not in the workspace."""
    if place.workspace and is_within(path, place.workspace):
        return False
    real = os.path.realpath(path)
    return any(is_within(p, one) for one in (*keys, *place.hidden) for p in (path, real))


def _may_be_a_part(path: str, protected: Iterable[str], keys: Iterable[str], place: Place) -> bool:
    return not (_holds_too_much(path, protected) or _is_secret(path, keys, place))


def _links(executable: str, shown: Iterable[str]) -> Iterable[tuple[str, str]]:
    """The links between an executable and its file that no shown folder holds."""
    shown = list(shown)
    for path, target in links(executable):
        if (
            target is not None
            and not in_system(path)
            and not any(is_within(path, s) for s in shown)
        ):
            yield path, target
