"""See that the tests have the LiteLLM proxy to talk to, in an environment of its own: .peers.

It is large (about 750 MB) and nothing of the product needs it. Where it cannot be installed, its
tests are skipped with that reason; with CI set it has to be there, and the exit code is 1.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".peers"
READY = PEERS / ".ready"
REQUIREMENT = "litellm[proxy]>=1.100,<2"
INSTALL_S = 900


def main() -> int:
    """Install what is missing."""
    if READY.is_file() and READY.read_text() == REQUIREMENT:
        return 0
    print("setup_peers: installing the LiteLLM proxy for the tests (once)", file=sys.stderr)
    shutil.rmtree(PEERS, ignore_errors=True)
    pip = [str(PEERS / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    try:
        for command in (
            [sys.executable, "-m", "venv", str(PEERS)],
            [*pip, "--disable-pip-version-check", REQUIREMENT],
        ):
            subprocess.run(command, check=True, timeout=INSTALL_S)
    except (OSError, subprocess.SubprocessError) as error:
        print(
            f"setup_peers: it cannot be installed, its tests are skipped: {error}", file=sys.stderr
        )
        shutil.rmtree(PEERS, ignore_errors=True)
        return 1 if os.environ.get("CI") else 0
    READY.write_text(REQUIREMENT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
