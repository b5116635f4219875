"""What was chosen on the page for the whole product, kept in a file of the data folder.

A choice holds at once and at every later start, unless that start says something else itself.
"""

import logging
import threading

from pydantic import BaseModel

from gpt_code_ui.errors import StoreError
from gpt_code_ui.private_file import write_private
from gpt_code_ui.setting_types import Approve
from gpt_code_ui.settings import Settings

log = logging.getLogger(__name__)

FILE = "page.json"
DEFAULT: Approve = "risky"


class _Kept(BaseModel):
    """The file."""

    approve: Approve | None = None


class PageChoices:
    """The choices of one data folder. Every method may be called from any thread."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.data_dir / FILE
        self._lock = threading.Lock()
        self._kept = self._read()
        if settings.approve is not None:
            self._kept = _Kept.model_validate({"approve": settings.approve})

    def approve(self) -> Approve:
        """What is asked about before it runs."""
        return self._kept.approve or DEFAULT

    def choose_approve(self, value: Approve) -> None:
        """Ask about this from now on. Raises StoreError, and nothing is changed."""
        with self._lock:
            kept = self._kept.model_copy(update={"approve": value})
            try:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_private(self._path, kept.model_dump_json().encode())
            except OSError as error:
                raise StoreError(f"The choice cannot be kept: {error.strerror}.") from error
            self._kept = kept

    def _read(self) -> _Kept:
        try:
            return _Kept.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return _Kept()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is damaged"
            log.warning("the choices in %s cannot be read: %s", self._path, why)
            return _Kept()
