"""A conversation of a running gptcode, over its HTTP interface: run code, look at files.

For ``gptcode mcp``. The way in is the one a second start has: the secret in the data folder gives a
code, the code a session. One conversation, made when it is first needed and made anew if it is
gone. Blocks; every wait has a timeout.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlsplit

from gpt_code_ui.data_folder import DataFolder
from gpt_code_ui.errors import GptCodeError, InvalidValue, NotFound, ToolFailed, UsageError
from gpt_code_ui.instance import fresh_address
from gpt_code_ui.protocol import CellPart
from gpt_code_ui.setting_types import Approve

ANSWER_S = 30.0
# The stream has a comment every 15 s.
SILENCE_S = 60.0
NO_INPUT = "[input() cannot be answered here, so the code was interrupted]"


class Remote:
    """The gptcode that has a data folder. ``title`` names the conversation it makes.

    ``written``: the files that ``write`` wrote.
    """

    def __init__(self, data: DataFolder, title: str) -> None:
        """Raises UsageError when it does not let us in."""
        self._data = data
        self._title = title
        self._conversation: str | None = None
        self.written: frozenset[str] = frozenset()
        address = urlsplit(fresh_address(data.path))
        self._netloc, self._host, self._port = address.netloc, address.hostname, address.port
        self._cookie = ""
        self._cookie = self._begin(address.fragment.removeprefix("code="))

    @property
    def url(self) -> str:
        """Where its page is."""
        return f"http://{self._netloc}"

    def folder(self) -> str | None:
        """The person's own folder that it was started in."""
        rows = self._json("GET", "/api/settings")["settings"]
        return next((row["value"] for row in rows if row["name"] == "folder"), None)

    def run(self, code: str, heard: Callable[[dict[str, Any]], None]) -> tuple[CellPart, str]:
        """Run a cell to its end; the cell, and a note for whoever asked. ``heard`` gets its events.

        Raises ToolFailed when the connection is lost meanwhile.
        """
        place = self._place()
        seq = self._json("GET", place)["seq"]
        note = ""
        with closing(self._connect(SILENCE_S)) as connection:
            response = self._send(connection, "GET", f"{place}/events?after={seq}")
            cell_id = str(self._json("POST", f"{place}/cells", {"code": code})["cell_id"])
            for event in _events(response):
                if event.get("cell_id") != cell_id:
                    continue
                heard(event)
                if event["type"] == "input_requested":
                    note = NO_INPUT
                    self.interrupt()
                if event["type"] == "cell_finished":
                    return self._cell(cell_id), note
        raise ToolFailed("GPT-Code UI ended while the code ran.", hint="Run it again.")

    def approve(self) -> Approve:
        """What is asked about there before it runs."""
        return cast(Approve, self._json("GET", "/api/settings")["approve"])

    def language(self) -> str:
        """The language of the kernels that it starts."""
        rows = self._json("GET", "/api/kernels")["kernels"]
        return next((str(row["language"]).lower() for row in rows if row["default"]), "unknown")

    def allowed(self) -> list[str]:
        """The kinds of reasons that the person has allowed for the conversation."""
        return list(self._json("GET", self._place()).get("allowed") or ())

    def cells(self) -> list[CellPart]:
        """All cells of the conversation."""
        turns = self._json("GET", self._place())["turns"]
        parts = (part for turn in turns for part in turn["parts"])
        return [CellPart.model_validate(part) for part in parts if part["type"] == "cell"]

    def output_file(self, cell_id: str) -> Path | None:
        """Where all that a cell printed lies."""
        path = self._data.output_dir(self._place().rpartition("/")[2]) / f"{cell_id}.txt"
        return path if path.is_file() else None

    def kernel(self, action: str) -> None:
        """``interrupt`` or ``restart``."""
        self._json("POST", f"{self._place()}/kernel", {"action": action})

    def interrupt(self) -> None:
        """Interrupt what runs, if there is anything and anybody to tell."""
        if self._conversation is not None:
            with suppress(GptCodeError, OSError, HTTPException):
                self.kernel("interrupt")

    def files(self) -> list[dict[str, Any]]:
        """The workspace: ``path``, ``size`` and ``modified`` of every file."""
        files: list[dict[str, Any]] = self._json("GET", f"{self._place()}/files")["files"]
        return files

    def exists(self, path: str) -> bool:
        """Whether a file has that name, however it is spelled. Raises InvalidValue."""
        try:
            self.read(path, 0, 1)
        except NotFound:
            return False
        return True

    def read(self, path: str, offset: int, limit: int) -> tuple[bytes, int]:
        """Bytes of a file, and how many it has in all. Raises NotFound, InvalidValue."""
        where = f"{self._place()}/files/{quote(path)}"
        with closing(self._connect(ANSWER_S)) as connection:
            span = {"Range": f"bytes={offset}-{offset + limit - 1}"}
            response = self._send(connection, "GET", where, headers=span)
            total = (response.getheader("Content-Range") or "").rpartition("/")[2]
            content = response.read(limit if response.status < 400 else None)
            if response.status == 416:
                return b"", int(total) if total.isdigit() else 0
            _check(response, content)
            length = response.getheader("Content-Length") or "0"
            return content, int(total) if total.isdigit() else int(length)

    def write(self, path: str, content: bytes) -> dict[str, Any]:
        """Put a file in the place of whatever has its name. Raises InvalidValue, NoRoom."""
        where = f"{self._place()}/files/{quote(path)}?replace=true"
        with closing(self._connect(ANSWER_S)) as connection:
            response = self._send(connection, "PUT", where, content, {"Content-Type": "text/plain"})
            told = dict(_check(response, response.read()))
        self.written |= {str(told["path"])}
        return told

    # --- inside --------------------------------------------------------------------------------

    def _begin(self, code: str) -> str:
        with closing(self._connect(ANSWER_S)) as connection:
            body = json.dumps({"code": code}).encode()
            kind = {"Content-Type": "application/json"}
            response = self._send(connection, "POST", "/api/session", body, kind)
            response.read()
            cookie = (response.getheader("Set-Cookie") or "").partition(";")[0]
        if not cookie:
            raise UsageError("the gptcode that runs on this data folder does not let us in")
        return cookie

    def _place(self) -> str:
        """The conversation's path, after seeing that it is still there."""
        if self._conversation is not None:
            place = f"/api/conversations/{self._conversation}"
            with suppress(NotFound):
                self._json("GET", place)
                return place
        made = self._json("POST", "/api/conversations", {"title": self._title})
        self._conversation = str(made["id"])
        return f"/api/conversations/{self._conversation}"

    def _cell(self, cell_id: str) -> CellPart:
        return next(cell for cell in self.cells() if cell.cell_id == cell_id)

    def _connect(self, timeout: float) -> HTTPConnection:
        return HTTPConnection(self._host or "127.0.0.1", self._port, timeout=timeout)

    def _json(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        content = None if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        with closing(self._connect(ANSWER_S)) as connection:
            response = self._send(connection, method, path, content, kind)
            return _check(response, response.read())

    def _send(
        self, connection: HTTPConnection, method: str, path: str, body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> HTTPResponse:  # fmt: skip
        common = {"Host": self._netloc, "Cookie": self._cookie}
        connection.request(method, path, body, common | (headers or {}))
        return connection.getresponse()


def _check(response: HTTPResponse, content: bytes) -> dict[str, Any]:
    """The answer, or its error as one of ours."""
    value = json.loads(content) if content and response.status != 206 else {}
    if response.status < 400:
        return value if isinstance(value, dict) else {}
    error = value.get("error", {})
    kind = NotFound if response.status == 404 else InvalidValue
    raise kind(str(error.get("message", response.status)), hint=error.get("hint"))


def _events(response: HTTPResponse) -> Iterator[dict[str, Any]]:
    while line := response.readline():
        if line.startswith(b"data:"):
            published = json.loads(line[5:])
            if isinstance(published.get("event"), dict):
                yield published["event"]
