"""Known faults in what is locked, and its licences: pip-audit, npm audit, scripts/licences.py.

Exit 0 only after both advisory services answered and nothing was found; 1 for a fault or a licence;
3 where a service could not be asked, which is not the same as nothing found.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from scripts.licences import npm_licences, python_licences, report
from scripts.lock_python import LOCK

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "frontend"
FOUND, NOT_ASKED = 1, 3
TIMEOUT_S = 300


class Answer(NamedTuple):
    """What a service said: the faults, a line each, or why it could not be asked."""

    faults: list[str]
    failure: str | None = None


def ask_python(lock: Path, osv_url: str | None) -> Answer:
    """pip-audit on the locked releases, without resolving or installing anything."""
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "audit.json"
        command = [
            sys.executable, "-m", "pip_audit", "-r", str(lock), "--no-deps", "--disable-pip",
            "--progress-spinner", "off", "-f", "json", "-o", str(output),
        ]  # fmt: skip
        command += ["-s", "osv", "--osv-url", osv_url] if osv_url else []
        done = run(command, ROOT)
        if not output.is_file() or not output.stat().st_size:
            return Answer([], last_line(done.stderr) or f"pip-audit ended with {done.returncode}")
        said = json.loads(output.read_text(encoding="utf-8"))
    listed: list[dict[str, Any]] = said["dependencies"]
    skipped = [one for one in listed if "skip_reason" in one]
    if skipped:
        why = f"{len(skipped)} of {len(listed)} packages left out: {skipped[0]['skip_reason']}"
        return Answer([], why[:300])
    return Answer([
        f"python {one['name']} {one['version']}: {fault['id']} {mend(fault['fix_versions'])}"
        for one in listed
        for fault in one["vulns"]
    ])  # fmt: skip


def ask_npm(page: Path, registry: str | None) -> Answer:
    """npm audit on the page's lock file."""
    command = [shutil.which("npm") or "npm", "audit", "--json", "--package-lock-only"]
    command += ["--registry", registry, "--fetch-retries=0"] if registry else []
    done = run(command, page)
    try:
        said = json.loads(done.stdout)
    except ValueError:
        return Answer([], last_line(done.stderr) or f"npm audit ended with {done.returncode}")
    if "vulnerabilities" not in said:
        error = said.get("error") or {}
        why = said.get("message") or error.get("summary") or error.get("detail") or "no answer"
        return Answer([], str(why))
    return Answer([
        f"npm {name}: {fault['severity']}, {', '.join(causes(fault['via']))}"
        for name, fault in said["vulnerabilities"].items()
    ])  # fmt: skip


def causes(via: list[Any]) -> list[str]:
    """What a package is faulty through: advisories by their titles, packages by their names."""
    return [one if isinstance(one, str) else one.get("title", "?") for one in via]


def mend(versions: list[str]) -> str:
    """Which release has it no more."""
    return f"(mended in {', '.join(versions)})" if versions else "(no release mends it)"


def last_line(text: str) -> str:
    """The last that a tool said."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else ""


def run(command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """A tool, to its end or to the timeout, which counts as no answer."""
    try:
        return subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))


def main(argv: list[str] | None = None) -> int:
    """Ask, list, say."""
    parser = argparse.ArgumentParser(description="Audit what is locked.")
    parser.add_argument("--lock", type=Path, default=LOCK, help="the Python lock file")
    parser.add_argument("--page", type=Path, default=PAGE, help="the folder of package-lock.json")
    parser.add_argument("--osv-url", help="another OSV service than pip-audit's own")
    parser.add_argument("--registry", help="another npm registry than the configured one")
    chosen = parser.parse_args(argv)
    refused = report([*python_licences(chosen.lock), *npm_licences(chosen.page)], everything=False)
    answers = {
        "pip-audit": ask_python(chosen.lock, chosen.osv_url),
        "npm audit": ask_npm(chosen.page, chosen.registry),
    }
    faults = [fault for answer in answers.values() for fault in answer.faults]
    for fault in faults:
        print(f"fault: {fault}")
    for name, answer in answers.items():
        if answer.failure is not None:
            print(f"{name} could not ask its advisory service: {answer.failure}", file=sys.stderr)
    if faults or refused:
        return FOUND
    if any(answer.failure is not None for answer in answers.values()):
        print("Nothing is known about faults: this audit has not passed.", file=sys.stderr)
        return NOT_ASKED
    print("no known faults, no licence to object to")
    return 0


if __name__ == "__main__":
    sys.exit(main())
