"""What cells do to the working folder: looked at before and after, off the loop where that is long.

A folder that cannot be looked at is logged and told as unchanged; it never fails a cell.
"""

import asyncio
import logging
from pathlib import Path

from gpt_code_ui.errors import GptCodeError
from gpt_code_ui.protocol import FileChanges, KeepVersions
from gpt_code_ui.workspace import Keeper, Snapshot, Workspace, diff

log = logging.getLogger(__name__)

# Looking at more files than this takes longer than other kernels should wait for.
LARGE_FOLDER = 2000


class FolderWatch:
    """The working folder of one conversation."""

    def __init__(self) -> None:
        self._files_seen = 0
        self._keeper: Keeper | None = None
        self._kept_by: tuple[str, KeepVersions] | None = None

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

    async def before(
        self, folder: str, cell_id: str, versions: KeepVersions | None
    ) -> Snapshot | None:
        """What the folder holds now, its files kept before the cell can change them."""
        found = await self.look(folder)
        keeper = self._keeper_of(folder, versions)
        if keeper is None or found is None or not found.complete:
            return found
        if keeper.is_news(found):
            await asyncio.to_thread(keeper.before, cell_id, found)
        else:
            keeper.before(cell_id, found)
        return found

    async def changes(
        self, folder: str, before: Snapshot | None, cell_id: str = ""
    ) -> tuple[FileChanges, list[str]]:
        """What became of the files since ``before``, and whose earlier content was not kept."""
        after = await self.look(folder)
        if before is None or after is None:
            return FileChanges(), []
        changes = diff(before, after)
        if self._keeper is None or not (before.complete and after.complete):
            return changes, []
        return changes, self._keeper.after(cell_id, after, changes)

    def _keeper_of(self, folder: str, versions: KeepVersions | None) -> Keeper | None:
        if versions is None:
            self._keeper = self._kept_by = None
        elif self._kept_by != (folder, versions):
            self._keeper, self._kept_by = Keeper(Path(folder), versions), (folder, versions)
        return self._keeper
