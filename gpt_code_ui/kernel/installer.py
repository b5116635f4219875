"""Installs packages into a folder of the conversation, with the pip of the kernel's interpreter.

Runs as ``python installer.py ARGUMENTS`` in a kernel, on the person's interpreter; PIP_TARGET is
the folder. pip is asked first what is missing, and then given just that: left alone it would load
everything again that the environment has, or try to change the environment. Standard library only.
"""

# The interpreter may be older than ours.
# ruff: noqa: PTH118, PTH123, PTH208, T201
from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Any

# The first pip that can say what it would install.
SAYS_SINCE = (22, 3)


def main(arguments: list[str]) -> int:
    """Install what the arguments of ``pip install`` ask for; pip's own exit status."""
    if importlib.util.find_spec("pip") is None:
        sys.stderr.write(
            f"There is no pip for {sys.executable}. Outside the sandbox, once:\n"
            f"{sys.executable} -m ensurepip\n"
        )
        return 1
    target = os.environ["PIP_TARGET"]
    # /tmp may be memory: large packages go beside where they will be.
    work = tempfile.mkdtemp(prefix=".work-", dir=target)
    try:
        return install(arguments, target, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def install(arguments: list[str], target: str, work: str) -> int:
    """See ``main``."""
    environment = {name: value for name, value in os.environ.items() if name != "PIP_TARGET"}
    environment.update(TMPDIR=work, PIP_CACHE_DIR=os.path.join(work, "cache"))
    if pip_version() < SAYS_SINCE:
        return pip(["install", "--target", target, "--upgrade", *arguments], environment)
    report = os.path.join(work, "report.json")
    asked = ["install", "--dry-run", "--quiet", "--report", report, *arguments]
    code = pip(asked, environment)
    if code:
        return code
    with open(report, encoding="utf-8") as file:
        missing = json.load(file)["install"]
    if not missing:
        print("Everything is there already.")
        return 0
    addresses = [address(one["download_info"]) for one in missing]
    code = pip(
        ["install", "--quiet", "--no-deps", "--upgrade", "--target", target, *addresses],
        environment,
    )
    if code == 0:
        forget_older(target, [one["metadata"] for one in missing])
        names = " ".join(
            f"{one['metadata']['name']}-{one['metadata']['version']}" for one in missing
        )
        print(f"Installed for this conversation: {names}")
    return code


def pip(arguments: list[str], environment: dict[str, str]) -> int:
    """Run pip; what it prints is the cell's output."""
    sys.stdout.flush()
    return subprocess.call([sys.executable, "-m", "pip", *arguments], env=environment)


def pip_version() -> tuple[int, ...]:
    """The version of pip that there is."""
    import pip as found

    return tuple(int(part) for part in re.findall(r"\d+", found.__version__)[:2])


def address(info: dict[str, Any]) -> str:
    """Where pip found a package, as it can be told to take it from."""
    if "vcs_info" in info:
        return f"{info['vcs_info']['vcs']}+{info['url']}@{info['vcs_info']['commit_id']}"
    return str(info["url"])


def forget_older(target: str, installed: list[dict[str, Any]]) -> None:
    """Remove what pip leaves of another version: two would be told of."""
    now = {plain(one["name"]): one["version"] for one in installed}
    for entry in os.listdir(target):
        name, _, version = entry[: -len(".dist-info")].partition("-")
        if entry.endswith(".dist-info") and now.get(plain(name), version) != version:
            shutil.rmtree(os.path.join(target, entry), ignore_errors=True)


def plain(name: str) -> str:
    """A package's name as it is compared."""
    return re.sub(r"[-_.]+", "_", name).lower()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
