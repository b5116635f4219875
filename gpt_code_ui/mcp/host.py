"""The gptcode that ``gptcode mcp`` works with: the one that runs on the data folder, else its own.

Either way the conversation is kept with all others, and shows on the page while it goes on.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from http.client import HTTPException

from gpt_code_ui.containment import contain, refuse_to_ask
from gpt_code_ui.data_folder import DataFolder
from gpt_code_ui.errors import UsageError
from gpt_code_ui.instance import Instance
from gpt_code_ui.mcp.remote import Remote
from gpt_code_ui.program import Program
from gpt_code_ui.settings import Settings

USUAL_PORT = 8080


class Host:
    """Builds nothing until it is asked. Every method may be called from any thread."""

    def __init__(self, settings: Settings, conceal: Callable[[str], None]) -> None:
        self._settings = settings
        self._conceal = conceal
        self._data = DataFolder(settings.data_dir)
        self._lock = threading.Lock()
        self._program: Program | None = None
        self._remote: Remote | None = None

    def remote(self, title: str) -> Remote:
        """The conversation to work in; another one when the former gptcode has ended.

        Raises UsageError.
        """
        with self._lock:
            if self._remote is not None:
                try:
                    self._remote.folder()
                except (OSError, HTTPException):
                    self._remote = None
            if self._remote is None:
                self._start_unless_running()
                self._remote = self._checked(Remote(self._data, title))
            return self._remote

    def close(self) -> None:
        """Interrupt what runs, and end what was started here."""
        if self._remote is not None:
            self._remote.interrupt()
        if self._program is not None:
            self._program.stop()

    def _start_unless_running(self) -> None:
        if self._program is not None:
            return
        instance = Instance.acquire(self._settings.data_dir)
        if instance is None:
            return
        try:
            # Nobody could be asked here.
            refuse_to_ask(contain(self._settings))
        except UsageError:
            instance.release()
            raise
        port = 0 if self._settings.port == USUAL_PORT else self._settings.port
        settings = replace(self._settings, port=port)
        self._program = Program(settings, instance, self._data, conceal=self._conceal)
        self._program.start()

    def _checked(self, remote: Remote) -> Remote:
        """Its folder has to be the one that was asked for."""
        wanted = self._settings.folder
        if wanted is not None and self._program is None and remote.folder() != str(wanted):
            raise UsageError(
                f"a gptcode runs on this data folder ({remote.url}) and does not work in {wanted}",
                hint="end it, or name another --data-dir",
            )
        return remote
