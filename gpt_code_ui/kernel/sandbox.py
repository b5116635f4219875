"""What a kernel gets from us: its environment, its command line and, one day, its cage.

Invariant: a kernel's environment holds names from the allow-list only, and never a secret. The
cage is level ``none`` so far and is called that; ``wrap`` is where others come in.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ALLOWED = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP",
    "TMP", "TERM", "COLORTERM", "VIRTUAL_ENV", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "HTTP_PROXY", "HTTPS_PROXY",
    "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "PYTHONPATH", "PYTHONHASHSEED", "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONNOUSERSITE",
    "PYTHONUSERBASE", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONWARNINGS",
    "IPYTHONDIR", "JUPYTER_PATH", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR",
    "JUPYTER_PLATFORM_DIRS", "MPLCONFIGDIR", "MATPLOTLIBRC", "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "JAVA_HOME", "R_HOME", "GDAL_DATA",
    "PROJ_LIB", "PROJ_DATA", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT",
    "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "USERPROFILE", "HOMEDRIVE", "HOMEPATH",
    "NUMBER_OF_PROCESSORS",
})  # fmt: skip
ALLOWED_PREFIXES = (
    "LC_", "CONDA_", "CUDA_", "OMP_", "MKL_", "OPENBLAS_", "NUMEXPR_", "VECLIB_",
)  # fmt: skip
SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH", re.IGNORECASE)
# The mark by which the supervisor knows what a lost manager left to it.
RUN_MARK = "CODE_KERNEL_RUN"
FAMILIES_WANTED = 3
# Lists the installed fonts that have Chinese glyphs, for ``choose_families``.
FONT_QUERY = ("fc-list", ":lang=zh", "--format=%{index}|%{style[0]}|%{family}\\n")


@dataclass(frozen=True)
class Launch:
    """A kernel ready to be started."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    level: str = "none"
    network: bool = True


def is_allowed(name: str) -> bool:
    """Whether a variable may pass to a kernel."""
    upper = name.upper()
    return (upper in ALLOWED or upper.startswith(ALLOWED_PREFIXES)) and not SECRET.search(name)


def environment() -> dict[str, str]:
    """The part of this process's environment that a manager and its kernels may see."""
    return {
        name: value for name, value in os.environ.items() if is_allowed(name) or name == RUN_MARK
    }


def kernel_environment(python: str, run_dir: Path) -> dict[str, str]:
    """``environment()`` as a kernel on ``python`` needs it: a venv's scripts come first."""
    env = environment()
    scripts, path = Path(python).parent, env.get("PATH") or os.defpath
    in_venv = (scripts.parent / "pyvenv.cfg").is_file()
    if in_venv or str(scripts) not in path.split(os.pathsep):
        path = f"{scripts}{os.pathsep}{path}"
    env["PATH"] = path
    env.pop("VIRTUAL_ENV", None)
    if in_venv:
        env["VIRTUAL_ENV"] = str(scripts.parent)
    if not has_matplotlibrc(env):
        env["MATPLOTLIBRC"] = str(run_dir / "matplotlibrc")
    return env


def wrap(argv: list[str], *, env: Mapping[str, str], cwd: str) -> Launch:
    """Put ``argv`` into the best cage there is: none yet."""
    return Launch(argv=tuple(argv), env=dict(env), cwd=cwd)


# --- fonts: figures in Chinese, Japanese and Korean out of the box -----------------------------


def has_matplotlibrc(env: Mapping[str, str]) -> bool:
    """Whether the person keeps matplotlib settings of their own, which are then left alone."""
    if "MATPLOTLIBRC" in env:
        return True
    home = Path(env.get("HOME") or Path.home())
    config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
    own = (
        Path(env["MPLCONFIGDIR"]) if "MPLCONFIGDIR" in env else None,
        config / "matplotlib",
        home / ".matplotlib",
    )
    return any(folder is not None and (folder / "matplotlibrc").is_file() for folder in own)


def matplotlibrc(families: list[str]) -> str:
    """Settings under which a glyph that one family lacks is taken from the next.

    Only ``font.family`` itself falls back glyph by glyph, and only over families that are there.
    """
    quoted = ", ".join(["sans-serif", *families])
    return f"font.family: {quoted}\naxes.unicode_minus: False\n"


def choose_families(listing: str) -> list[str]:
    """The families of ``index|style|family,...`` lines that matplotlib can use, best first.

    Of a collection (.ttc) it reads the first face only, so others would be names without a font.
    """
    found: dict[str, int] = {}
    for line in listing.splitlines():
        index, _, rest = line.partition("|")
        style, _, names = rest.partition("|")
        family = next((n for n in names.split(",") if n.isascii()), "")
        if index != "0" or not family or "," in family:
            continue
        score = sum(word in family for word in ("Serif", "Mono", "Ming", "Song", "Kai")) * 2
        score += style not in ("Regular", "Normal", "Book", "Medium", "Bold")
        found[family] = min(score, found.get(family, score))
    return sorted(found, key=lambda family: (found[family], family))[:FAMILIES_WANTED]
