"""What cells do to the working folder: looked at before and after, off the loop where that is long.

A folder that cannot be looked at is logged and told as unchanged; it never fails a cell.
"""

import asyncio
import logging
from pathlib import Path

from gpt_code_ui.errors import GptCodeError
from gpt_code_ui.protocol import FileChanges
from gpt_code_ui.workspace import Snapshot, Workspace, diff

log = logging.getLogger(__name__)

# Looking at more files than this takes longer than other kernels should wait for.
LARGE_FOLDER = 2000


class FolderWatch:
    """The working folder of one conversation."""

    def __init__(self) -> None:
        self._files_seen = 0

    async def look(self, folder: str) -> Snapshot | None:
        """What the folder holds now."""
        workspace = Workspace(Path(folder))
        try:
            if self._files_seen > LARGE_FOLDER:
                found = await asyncio.to_thread(workspace.snapshot)
            else:
                found = workspace.snapshot()
        except (GptCodeError, OSError) as error:
            log.warning("the working folder cannot be looked at: %s", error)
            return None
        self._files_seen = len(found.files)
        return found

    async def changes(self, folder: str, before: Snapshot | None) -> FileChanges:
        """What became of the files since ``before``."""
        after = await self.look(folder)
        return diff(before, after) if before is not None and after is not None else FileChanges()
