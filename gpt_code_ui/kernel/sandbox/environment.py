"""The environment of a kernel: what of ours it may see, and what it needs in a cage.

Invariant: it holds names from the allow-list only, and never a secret.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from gpt_code_ui.kernel.sandbox.fonts import own_matplotlibrc

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
# Folders that are not in a cage, proxies (a password may stand in their address), and our mark.
LEFT_OUTSIDE = frozenset({
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "TMPDIR", "TEMP", "TMP", "SHELL",
    "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME",
    "IPYTHONDIR", "JUPYTER_PATH", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "MPLCONFIGDIR",
    "PYTHONPYCACHEPREFIX", RUN_MARK,
})  # fmt: skip


# Where a cage has its way to the manager's proxy.
PROXY_PORT = 3128
PYPI = ("pypi.org", "files.pythonhosted.org")
# What the person tells pip that a kernel's pip has to know, unless it holds a password.
PIP = (
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT",
)  # fmt: skip


def is_allowed(name: str) -> bool:
    """Whether a variable may pass to a kernel."""
    upper = name.upper()
    return (upper in (*ALLOWED, *PIP) or upper.startswith(ALLOWED_PREFIXES)) and not SECRET.search(
        name
    )


def environment() -> dict[str, str]:
    """The part of this process's environment that a manager and its kernels may see."""
    return {
        name: value for name, value in os.environ.items()
        if (is_allowed(name) and not (name in PIP and "@" in value)) or name == RUN_MARK
    }  # fmt: skip


def outside_environment() -> dict[str, str]:
    """For what runs outside of every cage by the person's wish, pip: its settings as well."""
    more = ("PIP_", "UV_", "PYENV_ROOT", "WORKON_HOME")
    own = {name: value for name, value in os.environ.items() if name.upper().startswith(more)}
    return environment() | own


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
    if own_matplotlibrc(env) is None:
        env["MATPLOTLIBRC"] = str(run_dir / "matplotlibrc")
    return env


def caged_environment(env: Mapping[str, str], home: Path, temporary: Path) -> dict[str, str]:
    """``env`` for a program in a cage: its folders are its own, and no proxy is named to it."""
    kept = {name: value for name, value in env.items() if name.upper() not in LEFT_OUTSIDE}
    own = own_matplotlibrc(env)
    if own is not None:
        kept["MATPLOTLIBRC"] = str(own)
    return kept | {
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "IPYTHONDIR": str(temporary / "ipython"),
        "MPLCONFIGDIR": str(temporary / "matplotlib"),
        # What lies beside the code cannot be written, and each try would cost time.
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def proxied_environment() -> dict[str, str]:
    """What leads programs in a cage to the manager's proxy; their own servers stay near."""
    there = f"http://127.0.0.1:{PROXY_PORT}"
    near = "localhost,127.0.0.1,::1"
    env = {"PIP_PROXY": there, "NODE_USE_ENV_PROXY": "1"}
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        env |= {name: there, name.upper(): there}
    return env | {"no_proxy": near, "NO_PROXY": near}


def installing_environment(folder: str) -> dict[str, str]:
    """What has pip install into a folder, whatever interpreter it belongs to."""
    return {
        "PIP_TARGET": folder,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
    }


def found_in(folder: str, path: str | None) -> dict[str, str]:
    """What has Python look into a folder first; ``path`` is PYTHONPATH as it was."""
    return {"PYTHONPATH": os.pathsep.join(one for one in (folder, path) if one)}


def proxies() -> dict[str, str]:
    """The person's own proxies by scheme (http, https, all), and ``no`` for what needs none."""
    found = {}
    for scheme in ("http", "https", "all", "no"):
        name = f"{scheme}_proxy"
        value = os.environ.get(name) or os.environ.get(name.upper())
        if value:
            found[scheme] = value
    return found


def package_hosts() -> list[str]:
    """The hosts that the person's pip asks for packages."""
    given = " ".join(os.environ.get(name, "") for name in PIP if name.endswith("URL"))
    hosts = [urlsplit(url).hostname for url in given.split()]
    return [*PYPI, *(host for host in hosts if host)]
