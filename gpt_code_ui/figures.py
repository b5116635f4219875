"""Whether two figures look the same, asked of a reader process: we decode no image ourselves."""

import json
import logging
import subprocess
import sys
from pathlib import Path

from gpt_code_ui.kernel import sandbox

log = logging.getLogger(__name__)

MODULE = "gpt_code_ui.reader.figures"
TIMEOUT_S = 20.0


def same_figure(one: str, other: str, kind: str) -> bool:
    """Compare two images, each as base64; what cannot be read is another figure."""
    if "".join(one.split()) == "".join(other.split()):
        return True
    home = Path(__file__).resolve().parent.parent
    safe_path = ["-P"] if home.name in ("site-packages", "dist-packages") else []
    try:
        done = subprocess.run(
            [sys.executable, *safe_path, "-B", "-m", MODULE],
            input=json.dumps({"one": one, "other": other}).encode(),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=home,
            env=sandbox.environment(), start_new_session=True, timeout=TIMEOUT_S, check=True,
        )  # fmt: skip
        return json.loads(done.stdout)["same"] is True
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        log.info("two figures (%s) could not be compared: %s", kind, error)
        return False
