"""Every check that only reads: format, lint, types, generated files, the built page.

All of them run, so that one run names everything there is to mend; exit 1 if any failed.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
JOURNEYS = ROOT / "tests" / "e2e"


class Check(NamedTuple):
    """A command, and the verb that mends what it finds where there is one."""

    name: str
    command: list[str]
    cwd: Path = ROOT
    mend: str = ""


def checks() -> list[Check]:
    """In the order in which a person would want to know."""
    python, npm = sys.executable, shutil.which("npm") or "npm"
    tsc, biome = (str(FRONTEND / "node_modules" / ".bin" / name) for name in ("tsc", "biome"))
    return [
        Check("python lint", [python, "-m", "ruff", "check", "-q", "."], mend="make format"),
        Check("python format", [python, "-m", "ruff", "format", "-q", "--check", "."],
              mend="make format"),
        Check("python types", [python, "-m", "mypy"]),
        Check("generated types", [python, "-m", "scripts.gen_types", "--check"], mend="make types"),
        Check("generated docs", [python, "-m", "scripts.gen_docs", "--check"], mend="make types"),
        Check("python lock", [python, "-m", "scripts.lock_python", "--check"], mend="make lock"),
        Check("page lock", [python, "-m", "scripts.complete_lock", "--check"], mend="make lock"),
        Check("page types", [npm, "run", "-s", "typecheck"], FRONTEND),
        Check("page lint", [npm, "run", "-s", "lint"], FRONTEND),
        Check("page format", [npm, "run", "-s", "format:check"], FRONTEND, mend="make format"),
        Check("page budget", [npm, "run", "-s", "budget"], FRONTEND),
        Check("page hosts", [npm, "run", "-s", "hosts"], FRONTEND),
        Check("journey types", [tsc, "--noEmit", "-p", "tests/e2e"]),
        Check("journey format", [biome, "format", "."], JOURNEYS, mend="make format"),
    ]  # fmt: skip


def main() -> int:
    """Run all, say which failed."""
    failed = []
    for check in checks():
        started = time.monotonic()
        done = subprocess.run(
            check.command, cwd=check.cwd, capture_output=True, text=True, check=False
        )
        good = done.returncode == 0
        print(
            f"{'ok  ' if good else 'FAIL'} {check.name} ({time.monotonic() - started:.1f} s)",
            flush=True,
        )
        if not good:
            failed.append(check)
            print(done.stdout + done.stderr, flush=True)
    for check in failed:
        print(f"{check.name} failed" + (f": try '{check.mend}'" if check.mend else ""))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
