"""Build the page of frontend/ into gpt_code_ui/web/static when it is missing or stale.

Stale is decided by what the sources say, not by dates: the digest of every source file is kept
beside the built page. Only the standard library is used, because setup.py runs this at build time.
``--check`` builds nothing and exits 1 if the page is stale; ``--force`` builds in any case.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODE_NEEDED = (20, 19)
NODE_MISSING = (
    "Building the page needs Node {needed} or newer with npm; {found}. "
    "Install it from https://nodejs.org, or install a wheel or an sdist, which hold the built page."
)
PACKAGE_FILES = ("package.json", "package-lock.json", ".npmrc")
SOURCE_FILES = ("index.html", *PACKAGE_FILES)
SOURCE_PATTERNS = ("vite.config.*", "tsconfig*.json", "src/**/*", "public/**/*")
# Tests do not enter the page.
NOT_SOURCES = re.compile(r"\.test\.tsx?$|/(testing|__tests__|__fixtures__)/")


class BuildError(Exception):
    """The page cannot be built; the message is one line for the person."""


def sources(frontend: Path) -> list[Path]:
    """Every file the built page depends on, sorted by its relative path."""
    found = {frontend / name for name in SOURCE_FILES}
    for pattern in SOURCE_PATTERNS:
        found.update(frontend.glob(pattern))
    files = (path for path in found if path.is_file())
    relative = {path.relative_to(frontend).as_posix(): path for path in files}
    return [path for name, path in sorted(relative.items()) if not NOT_SOURCES.search("/" + name)]


def digest(paths: list[Path], base: Path) -> str:
    """One SHA-256 over names and contents; line ends do not count."""
    total = hashlib.sha256()
    for path in paths:
        body = path.read_bytes().replace(b"\r\n", b"\n")
        name = path.relative_to(base).as_posix().encode()
        total.update(b"%d %s %d\n" % (len(name), name, len(body)))
        total.update(body)
    return total.hexdigest()


class Page:
    """The page of one source tree: where its sources are, and where it is built to."""

    def __init__(self, root: Path = ROOT) -> None:
        self.frontend = root / "frontend"
        self.static = root / "gpt_code_ui" / "web" / "static"
        self._record = self.static / "page.sha256"

    def state(self) -> str:
        """``fresh``, ``stale`` or ``missing``. Without sources a built page is fresh."""
        if not (self.static / "index.html").is_file():
            return "missing"
        if not (self.frontend / "package.json").is_file():
            return "fresh"
        if not self._record.is_file():
            return "stale"
        known = self._record.read_text(encoding="ascii").strip()
        return "fresh" if known == self._digest() else "stale"

    def ensure(self, *, force: bool = False) -> bool:
        """Build unless fresh; True if something was built. Raises BuildError."""
        state = self.state()
        if state == "fresh" and not force:
            return False
        if not (self.frontend / "package.json").is_file():
            raise BuildError(f"the page is {state} and {self.frontend} has no sources to build it")
        npm = find_npm()
        self._install(npm)
        self._build(npm)
        return True

    def install(self) -> None:
        """``npm ci``, unless what is installed is what the lock file says. Raises BuildError."""
        self._install(find_npm())

    def _digest(self) -> str:
        return digest(sources(self.frontend), self.frontend)

    def _install(self, npm: str) -> None:
        lock = [path for path in sources(self.frontend) if path.name in PACKAGE_FILES]
        stamp = self.frontend / "node_modules" / ".installed.sha256"
        wanted = digest(lock, self.frontend)
        if stamp.is_file() and stamp.read_text(encoding="ascii").strip() == wanted:
            return
        say("installing the page's packages (npm ci)")
        run([npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], self.frontend)
        stamp.write_text(wanted + "\n", encoding="ascii")

    def _build(self, npm: str) -> None:
        """Build beside the target, then swap: a failed build leaves the old page as it was."""
        say("building the page")
        before = self._digest()
        self.static.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.static.parent, prefix=".page-") as scratch:
            built, build = Path(scratch) / "static", [npm, "run", "-s", "build", "--", "--outDir"]
            run([*build, str(built), "--emptyOutDir", "--logLevel", "warn"], self.frontend)
            if not (built / "index.html").is_file():
                raise BuildError("the build of the page left no index.html")
            (built / self._record.name).write_text(before + "\n", encoding="ascii")
            if self.static.exists():
                self.static.rename(Path(scratch) / "old")
            built.rename(self.static)


def find_npm() -> str:
    """The path of npm, with a Node that is new enough beside it. Raises BuildError."""
    needed = ".".join(map(str, NODE_NEEDED))
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        missing = "node" if node is None else "npm"
        raise BuildError(NODE_MISSING.format(needed=needed, found=f"there is no {missing} here"))
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    version = answer.stdout.strip()
    if tuple(int(n) for n in re.findall(r"\d+", version)[:2]) < NODE_NEEDED:
        raise BuildError(NODE_MISSING.format(needed=needed, found=f"this is Node {version}"))
    return npm


def run(command: list[str], cwd: Path) -> None:
    """Run to the end with our own output. Raises BuildError."""
    done = subprocess.run(command, cwd=cwd, env=npm_environment(), check=False)
    if done.returncode:
        shown = " ".join(["npm", *[word for word in command[1:4] if word[0] != "-"]])
        raise BuildError(f"'{shown}' in {cwd} failed with status {done.returncode}, as said above")


def npm_environment() -> dict[str, str]:
    """Ours, with a cache of its own where npm could not write one in the home folder."""
    env = dict(os.environ, npm_config_update_notifier="false")
    home = Path(env.get("HOME") or "/nonexistent")
    if "npm_config_cache" not in env and not os.access(home, os.W_OK):
        env["npm_config_cache"] = str(ROOT / ".cache" / "npm")
    return env


def say(text: str) -> None:
    """A line of progress; stdout belongs to whoever runs this inside a build."""
    print(f"build_page: {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Build, check or install."""
    parser = argparse.ArgumentParser(description="Build the page.")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="exit 1 if it is stale or missing")
    mode.add_argument("--force", action="store_true", help="build even if it is fresh")
    mode.add_argument("--install", action="store_true", help="only install its packages")
    chosen = parser.parse_args()
    page = Page()
    if chosen.check:
        state = page.state()
        say(f"the page is {state}")
        return int(state != "fresh")
    try:
        if chosen.install:
            page.install()
        else:
            page.ensure(force=chosen.force)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
