"""See that the tests have kernels that are no Python: bash_kernel and Deno's, in .kernels.

They come from the package index and have kernelspecs written here, so nothing of the person's is
touched. Where they cannot be installed, their tests are skipped with that reason; with CI set they
have to be there, and the exit code is 1.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KERNELS = ROOT / ".kernels"
READY = KERNELS / ".ready"
REQUIREMENTS = ("bash_kernel>=0.10,<1", "deno>=2.5,<3")
INSTALL_S = 900
FILE = "{connection_file}"


def specs() -> dict[str, dict[str, object]]:
    """The kernelspecs, by name."""
    scripts = KERNELS / "bin"
    return {
        "bash": {
            "argv": [str(scripts / "python"), "-m", "bash_kernel", "-f", FILE],
            "display_name": "Bash", "language": "bash",
        },
        "deno": {
            "argv": [str(scripts / "deno"), "jupyter", "--kernel", "--conn", FILE],
            "display_name": "Deno", "language": "typescript",
        },
    }  # fmt: skip


def main() -> int:
    """Install what is missing."""
    wanted = "\n".join(REQUIREMENTS)
    if READY.is_file() and READY.read_text() == wanted:
        return 0
    print("setup_kernels: installing kernels that are no Python (once)", file=sys.stderr)
    shutil.rmtree(KERNELS, ignore_errors=True)
    pip = [str(KERNELS / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    try:
        for command in (
            [sys.executable, "-m", "venv", str(KERNELS)],
            [*pip, "--disable-pip-version-check", *REQUIREMENTS],
        ):
            subprocess.run(command, check=True, timeout=INSTALL_S)
        for name, spec in specs().items():
            folder = KERNELS / "share" / "jupyter" / "kernels" / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "kernel.json").write_text(json.dumps(spec))
    except (OSError, subprocess.SubprocessError) as error:
        print(
            f"setup_kernels: they cannot be installed, their tests are skipped: {error}",
            file=sys.stderr,
        )
        shutil.rmtree(KERNELS, ignore_errors=True)
        return 1 if os.environ.get("CI") else 0
    READY.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
