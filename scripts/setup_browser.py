"""See that the tests have a browser, a CJK font and a sandbox; install them from apt where we may.

``--where`` prints the browser's path and installs nothing. Exit 1 with one line that names the
command if something is missing and this user cannot install it.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
)
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FONT_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "~/.fonts",
    "~/.local/share/fonts",
)
CJK_FONTS = ("cjk", "wqy", "sourcehan", "pingfang", "hiragino", "heiti", "simhei", "msyh", "uming")


def browser() -> str | None:
    """The browser's path: $CHROMIUM, else the first that is found."""
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        return shutil.which(chosen)
    found = (shutil.which(name) for name in (*NAMES, *APPLICATIONS))
    return next((path for path in found if path), None)


def has_cjk_font() -> bool:
    """Whether Chinese can be drawn; fontconfig knows best, file names are the fallback."""
    if shutil.which("fc-list"):
        listed = subprocess.run(
            ["fc-list", ":lang=zh", "family"], capture_output=True, text=True, check=False
        )
        return bool(listed.stdout.strip())
    for folder in FONT_FOLDERS:
        for path in Path(folder).expanduser().rglob("*.[to]t[fc]"):
            if any(name in path.name.lower() for name in CJK_FONTS):
                return True
    return False


def missing_packages() -> list[str]:
    """The Debian packages that would bring what is not here."""
    packages = []
    if browser() is None:
        packages.append("chromium")
    if not has_cjk_font():
        packages.append("fonts-noto-cjk")
    if sys.platform.startswith("linux") and not shutil.which("bwrap"):
        packages.append("bubblewrap")
    return packages


def apt_prefix() -> list[str] | None:
    """What stands before apt-get so that it may install: nothing, sudo, or None if we may not."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if not sudo:
        return None
    allowed = subprocess.run([sudo, "-n", "true"], capture_output=True, check=False)
    return [sudo, "-n"] if allowed.returncode == 0 else None


def install(prefix: list[str], packages: list[str]) -> None:
    """Install with apt-get; what then still is missing is for the caller to look at."""
    quiet = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    print(f"installing {' and '.join(packages)} with apt-get", file=sys.stderr, flush=True)
    for verb in (["update"], ["install", "--no-install-recommends", *packages]):
        subprocess.run([*quiet, *verb], stdout=subprocess.DEVNULL, check=False)


def advice(packages: list[str]) -> str:
    """The one line for whoever has to install by hand."""
    wanted = " ".join(packages)
    return (
        f"The tests need {' and '.join(packages)}: "
        f"run 'sudo apt-get install {wanted}' (or set CHROMIUM to a Chromium or Chrome you have)"
    )


def main() -> int:
    """Look, install where we may, say what is missing otherwise."""
    parser = argparse.ArgumentParser(description="Find or install the browser for the tests.")
    parser.add_argument("--where", action="store_true", help="print the browser's path")
    if parser.parse_args().where:
        path = browser()
        print(path or "")
        return int(path is None)
    packages = missing_packages()
    prefix = apt_prefix()
    if packages and prefix is not None:
        install(prefix, packages)
        packages = missing_packages()
    if packages:
        print(advice(packages), file=sys.stderr)
        return 1
    print(f"browser: {browser()}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
