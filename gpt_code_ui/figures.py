"""Whether two figures look the same, asked of a caged reader: we decode no image ourselves."""

import base64
import binascii
import json
import logging
import tempfile

from gpt_code_ui.profiles import ask
from gpt_code_ui.reader_cage import ReaderCage

log = logging.getLogger(__name__)

TIMEOUT_S = 20.0


class Figures:
    """Compares by what is seen. Any thread may use it."""

    def __init__(self, cage: ReaderCage | None = None) -> None:
        self._cage = cage or ReaderCage()

    def same(self, one: str, other: str, kind: str) -> bool:
        """Compare two images, each as base64; what cannot be read is another figure."""
        if "".join(one.split()) == "".join(other.split()):
            return True
        try:
            first, second = base64.b64decode(one), base64.b64decode(other)
            with tempfile.TemporaryFile() as file:
                file.write(first + second)
                file.seek(0)
                answer = ask(file, {"compare": {"first": len(first)}}, TIMEOUT_S, self._cage)
            return json.loads(answer or b"{}").get("same") is True
        except (OSError, ValueError, binascii.Error) as error:
            log.info("two figures (%s) could not be compared: %s", kind, error)
            return False
