"""What can be done with conversations: the only mutable state above the store.

Everything that happens leaves through the publisher; nothing here talks to a browser.
"""

import re
from itertools import chain
from pathlib import Path
from typing import Any

from gpt_code_ui.errors import Conflict, InvalidValue, NotFound
from gpt_code_ui.imported import stored_events
from gpt_code_ui.installs import install_code, installs_packages
from gpt_code_ui.kept_notebooks import KeptNotebooks, Place
from gpt_code_ui.mends import Mended, Mends
from gpt_code_ui.notebook import Rendered, notebook, read_notebook, render
from gpt_code_ui.ports import Decision, Limits
from gpt_code_ui.protocol import (
    Attachment,
    CellPart,
    ConversationChanged,
    ConversationSummary,
    Execute,
    FileChanges,
    FilesChanged,
    InputReplied,
    InputReply,
    KernelStatus,
    ModelInfo,
    ModelRequestSent,
    Profile,
    Published,
    Query,
    QueryAnswered,
    StartKernel,
    ToolPart,
    Transcript,
    Turn,
    TurnStarted,
)
from gpt_code_ui.publisher import Publisher, now
from gpt_code_ui.replays import Replays
from gpt_code_ui.reruns import Places, Reruns
from gpt_code_ui.silent_kernel import Hearers
from gpt_code_ui.storage import Storage
from gpt_code_ui.store import Store
from gpt_code_ui.subscription import Subscription
from gpt_code_ui.transcript import closing_events, fold
from gpt_code_ui.turns import Kernels, Ports, Turns, new_id
from gpt_code_ui.workspace import Workspace

Rows = list[dict[str, Any]]
ModelRows = list[ModelInfo]
Attachments = list[Attachment]
Names = list[str]
# As cells are named here and in notebooks; no path can be made of it.
CELL_ID = re.compile(r"[A-Za-z0-9_-]+")
RESTARTED = "GPT-Code UI was restarted."


class Conversations:
    """All conversations of one data folder. Every method may be called from any thread."""

    def __init__(
        self, store: Store, client: Kernels, publisher: Publisher, ports: Ports, limits: Limits,
        output_dir: Path, notebooks: KeptNotebooks | None = None,
        hearers: Hearers | None = None,
    ) -> None:  # fmt: skip
        """``output_dir`` lies in the data folder; ``hearers`` stand between kernels and log."""
        self.client = client
        self._notebooks = notebooks or KeptNotebooks(
            store, publisher, lambda id: ports.workspace_for(id).root, self.kernelspec
        )
        self._to_keep: Place | None = None
        self.publisher = publisher
        self._store = store
        self._ports = ports
        self._output_dir = output_dir
        places = Places.below(output_dir.parent)
        self._replays = Replays(
            client, hearers or Hearers(publisher.publish), publisher, places.scratch, ports.figures
        )
        self._turns = Turns(
            store, client, publisher, ports, limits, self.output_file, self._replays.wait
        )
        self.reruns = Reruns(
            store, client, publisher, ports, self._replays, places, self.transcript, self.create,
            self._running,
        )  # fmt: skip
        self._mends = Mends()
        self.storage = Storage(store, publisher, output_dir.parent, self._notebooks.forget)
        self._recover()

    # --- the list ------------------------------------------------------------------------------

    @property
    def database_id(self) -> str:
        """Names this database: a client with another one has to start over."""
        return str(self._store.database_id)

    def last_seq(self) -> int:
        """The last event number given out."""
        return self.publisher.seq

    def create(
        self, *, title: str | None = None, model: str | None = None,
        network: bool | None = None, kernel: str = "", python: str = "",
    ) -> Transcript:  # fmt: skip
        """A new, empty conversation. Whether the model is there is seen when it is asked.

        ``kernel`` and ``python`` as in ``choose_environment``. Raises InvalidValue, and Conflict
        where ``network`` cannot be had.
        """
        self._check_network(network)
        network = self._ports.network if network is None else network
        chosen = self._ports.environments.chosen(kernel, python)
        conversation_id = new_id()
        self.publisher.call(
            lambda: self._store.create_conversation(conversation_id, now(), title or "", model)
        )
        self.publisher.publish_durably(
            conversation_id,
            ConversationChanged(
                title=title or "", model=model, network=network, kernel_name=kernel or None,
                python=chosen.python if python else None, language=chosen.foreign,
            ),
        )  # fmt: skip
        place, self._to_keep = self._to_keep, None
        if place is not None:
            self._notebooks.keep(conversation_id, place)
        self.publisher.publish_durably(conversation_id, self._parked(network))
        return self.transcript(conversation_id)

    def list(self, query: str | None = None) -> list[ConversationSummary]:
        """Newest first; ``query`` searches titles, prompts and answers."""
        return [
            summary.model_copy(
                update={
                    "running": self._running(summary.id),
                    "waiting": self._turns.desk.waiting(summary.id) or None,
                }
            )
            for summary in self._store.conversations(query)
        ]

    def transcript(self, conversation_id: str) -> Transcript:
        """The conversation as it is now, open parts included. Raises NotFound."""
        summary = self._summary(conversation_id)
        upto, open_parts = self.publisher.open_parts(conversation_id)
        stored = self._store.events(conversation_id, 0, upto)
        return fold(summary, chain(stored, open_parts)).model_copy(update={"seq": upto})

    def cell(self, conversation_id: str, cell_id: str) -> CellPart:
        """A cell as it is now. Raises NotFound."""
        for turn in self.transcript(conversation_id).turns:
            for part in turn.parts:
                if isinstance(part, CellPart) and part.cell_id == cell_id:
                    return part
        raise NotFound(f"There is no cell {cell_id} in this conversation.")

    def update(
        self, conversation_id: str, *, title: str | None = None, model: str | None = None,
        pinned: bool | None = None, rules: str | None = None, allowed: Names | None = None,
        network: bool | None = None,
    ) -> ConversationSummary:  # fmt: skip
        """Rename, choose the model, pin, set the house rules, take back what was allowed.

        ``network`` switches the network of its code. Raises NotFound, InvalidValue, and Conflict
        where the network cannot be switched.
        """
        self._summary(conversation_id)
        self._check_network(network)
        if allowed and not set(allowed) <= set(self.transcript(conversation_id).allowed or ()):
            raise InvalidValue(
                "allowed: only what was allowed before can stay.",
                hint="More is allowed by answering a question with remember.",
            )
        change = ConversationChanged(
            title=title,
            model=model,
            pinned=pinned,
            rules=rules,
            allowed=allowed,
            network=network,
        )
        self.publisher.publish_durably(conversation_id, change)
        if network is not None:
            self._switch(conversation_id, network)
        return self._summary(conversation_id)

    def delete(self, conversation_id: str) -> None:
        """Take it from the list and end its kernel; ``restore`` undoes. The files stay."""
        self._summary(conversation_id)
        self.stop(conversation_id)
        self.client.stop(conversation_id)
        self.publisher.publish_durably(conversation_id, ConversationChanged(deleted=True))

    def restore(self, conversation_id: str) -> ConversationSummary:
        """Undo ``delete``. Raises NotFound."""
        with self.storage.lock:
            self._summary(conversation_id, deleted=True)
            self.publisher.publish_durably(conversation_id, ConversationChanged(deleted=False))
        return self._summary(conversation_id)

    def subscribe(self, conversation_id: str | None, after: int | None) -> Subscription:
        """Listen to one conversation, or to all with None. Raises NotFound."""
        if conversation_id is not None:
            self._summary(conversation_id)
        return self.publisher.subscribe(conversation_id, after)

    # --- turns ---------------------------------------------------------------------------------

    def ask(
        self, conversation_id: str, prompt: str, model: str | None = None,
        attachments: Attachments | None = None,
    ) -> str:  # fmt: skip
        """Begin a turn and return its id. Raises NotFound, NoModel, InvalidValue, Conflict."""
        summary = self._summary(conversation_id)
        attachments = attachments or []
        if not prompt.strip() and not attachments:
            raise InvalidValue("The prompt is empty.", hint="Write what you want to know.")
        self._notebooks.resume(conversation_id)
        workspace = self.workspace(conversation_id)
        for attachment in attachments:
            workspace.open(attachment.path)[0].close()
        name, port = self._ports.model_for(model or summary.model)
        turn = TurnStarted(turn_id=new_id(), prompt=prompt, model=name, attachments=attachments)
        self._turns.begin(summary, turn, port)
        return turn.turn_id

    def retry(self, conversation_id: str, turn_id: str) -> str:
        """Ask the same again, as a new turn. Raises NotFound, Conflict."""
        turn = self._turn(conversation_id, turn_id)
        return self.ask(conversation_id, turn.prompt, turn.model, list(turn.attachments))

    def requests(self, conversation_id: str, turn_id: str) -> Rows:
        """What was sent to the model for a turn, byte for byte, without keys; when, how much.

        Raises NotFound.
        """
        self._turn(conversation_id, turn_id)
        kept = self._store.requests(conversation_id, turn_id)
        rows: dict[str, dict[str, Any]] = {row["request_id"]: {**row} for row in kept}
        for published in self._store.events(conversation_id, 0) if rows else ():
            event = published.event
            if isinstance(event, ModelRequestSent) and event.request_id in rows:
                sent = {"at": published.at, "bytes": event.bytes, "sha256": event.sha256}
                rows[event.request_id].update(sent)
        return list(rows.values())

    def stop(self, conversation_id: str) -> None:
        """End the turn and a replay, interrupt the kernel; harmless when nothing runs.

        Raises NotFound.
        """
        self._summary(conversation_id)
        self._turns.stop(conversation_id)
        # A replay interrupts its own cell; a second interrupt could reach the one after it.
        rebuilding = self._replays.rebuilding(conversation_id)
        self._replays.stop(conversation_id)
        if not rebuilding and self.client.running(conversation_id):
            self.client.interrupt(conversation_id)

    # --- the kernel ----------------------------------------------------------------------------

    def run_cell(self, conversation_id: str, code: str, after_cell: str | None = None) -> str:
        """Run the person's own code and return the cell's id. Raises NotFound."""
        self._summary(conversation_id)
        self.reruns.refuse_rebuilding(conversation_id)
        cell_id = new_id()
        self.execute(
            conversation_id,
            Execute(
                cell_id=cell_id,
                code=code,
                origin="person",
                after_cell=after_cell,
                installs=installs_packages(code),
            ),
        )
        return cell_id

    def install(self, conversation_id: str, packages: Names) -> str:
        """Install packages for the conversation, as a cell. Raises NotFound, InvalidValue,
        Conflict where code cannot have a network."""
        self._summary(conversation_id)
        code = install_code(packages)
        if self._ports.level() == "landlock":
            raise Conflict(
                "In a sandbox by Landlock nothing can be installed from here.",
                hint=f"Outside: {self._start(conversation_id).python} -m pip install "
                + " ".join(packages),
            )
        return self.run_cell(conversation_id, code)

    def execute(self, conversation_id: str, command: Execute) -> None:
        """Hand a cell to the kernel, which is started if need be."""
        self._notebooks.resume(conversation_id)
        self.client.ensure_kernel(conversation_id, self._start(conversation_id))
        self.client.execute(conversation_id, command)

    def decide(
        self, conversation_id: str, cell_id: str, *, run: bool, code: str | None = None,
        remember: bool = False,
    ) -> None:  # fmt: skip
        """Answer what a cell or a call waits for. Raises NotFound, Conflict, InvalidValue."""
        part = self._askable(conversation_id, cell_id)
        if code is not None and isinstance(part, ToolPart):
            raise InvalidValue("code: the arguments of a tool cannot be changed.")
        if code is not None and not code.strip():
            raise InvalidValue("code: there is nothing to run.")
        if code is not None and not run:
            raise InvalidValue("code: it goes with run only.")
        decision = Decision(run=run, code=code, remember=remember and run)
        self._turns.desk.answer(conversation_id, cell_id, decision)

    def _askable(self, conversation_id: str, id: str) -> CellPart | ToolPart:
        for turn in self.transcript(conversation_id).turns:
            for part in turn.parts:
                if isinstance(part, CellPart) and part.cell_id == id:
                    return part
                if isinstance(part, ToolPart) and part.call_id == id:
                    return part
        raise NotFound(f"There is no cell {id} in this conversation.")

    def reply_input(self, conversation_id: str, cell_id: str, text: str) -> None:
        """Answer ``input()``. Raises NotFound, Conflict when the cell asks nothing."""
        if self.cell(conversation_id, cell_id).input is None:
            raise Conflict("This cell is not waiting for input.")
        self.publisher.publish(conversation_id, InputReplied(cell_id=cell_id))
        self.client.input_reply(conversation_id, InputReply(cell_id=cell_id, text=text))

    def kernel(self, conversation_id: str, action: str, *, consent: bool = False) -> None:
        """``interrupt``, ``restart`` or ``restore``. Raises NotFound, InvalidValue, Conflict."""
        self._summary(conversation_id)
        if action != "restore":
            self._replays.stop_rebuild(conversation_id)
        match action:
            case "restore":
                self.reruns.restore(conversation_id, consent=consent)
            case "interrupt":
                self.client.interrupt(conversation_id)
            case "restart":
                start = self._start(conversation_id)
                self.client.ensure_kernel(conversation_id, start)
                self.client.restart(conversation_id)
            case _:
                raise InvalidValue(
                    f"The kernel cannot {action!r}.", hint="interrupt, restart, restore"
                )

    def query(self, conversation_id: str, query: Query) -> QueryAnswered:
        """Ask the kernel what variables hold. Raises NotFound, KernelError."""
        self._summary(conversation_id)
        return self.client.query(conversation_id, query)

    def choose_environment(self, conversation_id: str, kernel: str, python: str) -> None:
        """Run in an installed kernelspec, or on an interpreter; with neither in the default.

        A kernel that lives makes room for the new one. Raises NotFound, InvalidValue, Conflict.
        """
        self._summary(conversation_id)
        chosen = self._ports.environments.chosen(kernel, python)
        if self._running(conversation_id):
            raise Conflict("Code is running in this conversation.", hint="Wait for it, or stop it.")
        self.publisher.publish_durably(
            conversation_id,
            ConversationChanged(
                kernel_name=kernel, python=chosen.python if python else "",
                language=chosen.language,
            ),
        )  # fmt: skip
        if self.transcript(conversation_id).kernel.state != "parked":
            self.kernel(conversation_id, "restart")

    def mend_environment(self, conversation_id: str) -> Mended:
        """Install ipykernel for the conversation's interpreter, and start the kernel anew.

        Raises NotFound, Conflict.
        """
        self._summary(conversation_id)
        start = self._ports.kernel_start(conversation_id)
        if start.kernel_name is not None:
            raise Conflict("This conversation runs in a kernelspec, not on an interpreter.")
        mended = self._mends.run(start.python)
        if mended.ok:
            self.kernel(conversation_id, "restart")
        return mended

    # --- files and the rest --------------------------------------------------------------------

    def workspace(self, conversation_id: str) -> Workspace:
        """The conversation's folder, made on first use. Raises NotFound."""
        self._summary(conversation_id)
        return self._ports.workspace_for(conversation_id)

    def profile(self, conversation_id: str, path: str) -> Profile:
        """What is in a file. Raises NotFound, InvalidValue, Forbidden."""
        return self._ports.profiles.profile(self.workspace(conversation_id), path)

    def files_changed(self, conversation_id: str, files: FileChanges) -> None:
        """Tell that files came, changed or went outside a cell."""
        self.publisher.publish(conversation_id, FilesChanged(files=files))

    def output_file(self, conversation_id: str, cell_id: str) -> Path | None:
        """Where the whole text output of a cell lies, if it printed any."""
        self._summary(conversation_id)
        if not CELL_ID.fullmatch(cell_id):
            return None
        path = self._output_dir / conversation_id / f"{cell_id}.txt"
        return path if path.is_file() else None

    # --- notebooks -----------------------------------------------------------------------------

    def notebook(self, conversation_id: str) -> dict[str, Any]:
        """The conversation as an nbformat v4 notebook. Raises NotFound."""
        return notebook(self.transcript(conversation_id), self.kernelspec(conversation_id))

    def export(self, conversation_id: str, format: str) -> tuple[str, Rendered]:
        """The title, and the conversation in a format of ``notebook.FORMATS``. Raises NotFound."""
        transcript = self.transcript(conversation_id)
        made = notebook(transcript, self.kernelspec(conversation_id))
        return transcript.title, render(made, format, transcript.title)

    def import_notebook(self, value: object, name: str, title: str | None = None) -> Transcript:
        """A notebook as a new conversation, without its variables. Raises InvalidValue."""
        found = read_notebook(value, name)
        conversation_id = new_id()
        title = found.title if title is None else title
        here = self._ports.environments.of(None, None)
        events = stored_events(conversation_id, found, here.language)
        self.publisher.call(
            lambda: self._store.create_conversation(conversation_id, now(), title, found.model)
        )
        # Nobody listens to a conversation that is not there yet: it is told of when it is whole.
        self.publisher.call(lambda: self._store.append(events), timeout=60.0)
        change = ConversationChanged(
            title=title, model=found.model, rules=found.rules, kept=found.kept,
            network=self._ports.network, language=here.foreign,
        )  # fmt: skip
        self.publisher.publish(conversation_id, change)
        # It belongs at the top of the list, whenever it was first held.
        self.publisher.publish_durably(conversation_id, FilesChanged(files=FileChanges()))
        return self.transcript(conversation_id)

    def keep_next(self, place: Place) -> None:
        """Keep the next conversation that is begun in a notebook there."""
        self._to_keep = place

    def keep_notebook(self, conversation_id: str, place: Place | None = None) -> str:
        """Keep it in a notebook, in its workspace or at ``place``; the path. Raises NotFound."""
        title = self._summary(conversation_id).title
        if place is not None:
            self._notebooks.keep(conversation_id, place)
            return str(place.folder / (place.name or ""))
        if kept := self.transcript(conversation_id).notebook:
            self._notebooks.resume(conversation_id)
            return kept
        name = self._notebooks.keep_inside(conversation_id, title)
        self.files_changed(conversation_id, FileChanges())
        return name

    def drop_notebook(self, conversation_id: str) -> None:
        """Keep it no longer; the file stays. Raises NotFound."""
        self._summary(conversation_id)
        self._notebooks.drop(conversation_id)
        self.publisher.publish_durably(conversation_id, ConversationChanged(notebook=""))

    def kernelspec(self, conversation_id: str) -> dict[str, str]:
        """The kernelspec that a conversation runs in, as a notebook names it."""
        summary = self._store.conversation(conversation_id, deleted=True)
        return self._ports.environments.of_row(summary).spec

    def models(self) -> tuple[ModelRows, str | None]:
        """The rows of the dropdown, and which one is the default."""
        return self._ports.models()

    def kernels(self) -> Rows:
        """Interpreters and kernelspecs that can be chosen."""
        return self._ports.environments.rows()

    def close(self, timeout: float = 3.0) -> None:
        """Stop every turn, wait for them within ``timeout`` seconds, store what is left."""
        self._mends.close()
        self._replays.close(timeout / 2)
        self._turns.close(timeout)
        self.publisher.close()
        self._notebooks.close()

    # --- inside --------------------------------------------------------------------------------

    def _summary(self, conversation_id: str, *, deleted: bool = False) -> ConversationSummary:
        summary = self._store.conversation(conversation_id, deleted=deleted)
        if summary is None:
            raise NotFound(f"There is no conversation {conversation_id}.")
        return summary

    def _start(self, conversation_id: str) -> StartKernel:
        return self._ports.start_of(self._summary(conversation_id))

    def _check_network(self, network: bool | None) -> None:
        """Raises Conflict for what the level of the sandbox does not let be chosen."""
        level = self._ports.level()
        if network is False and level == "none":
            raise Conflict(
                "Without a sandbox code always has the network.", hint="Install bubblewrap."
            )
        if network and level == "landlock":
            raise Conflict(
                "In a sandbox by Landlock code cannot have a network: it could not be kept away "
                "from this computer's own services.",
                hint="Install bubblewrap.",
            )

    def _switch(self, conversation_id: str, network: bool) -> None:
        """Tell the kernel; where there is none the state is told here."""
        if not self.client.set_network(conversation_id, network):
            kernel = self.transcript(conversation_id).kernel
            status = self._parked(network)
            why = {"state": kernel.state, "reason": kernel.reason, "hint": kernel.hint}
            self.publisher.publish_durably(conversation_id, status.model_copy(update=why))

    def _parked(self, network: bool) -> KernelStatus:
        """What there is before a kernel: the cage it will get, and whether that has a network."""
        level = self._ports.level()
        reaches = level in ("none", "ask") or (network and level == "bwrap")
        return KernelStatus(
            state="parked", sandbox="none" if level == "ask" else level, network=reaches
        )

    def _turn(self, conversation_id: str, turn_id: str) -> Turn:
        for turn in self.transcript(conversation_id).turns:
            if turn.turn_id == turn_id:
                return turn
        raise NotFound(f"There is no turn {turn_id} in this conversation.")

    def _running(self, conversation_id: str) -> bool:
        return self._turns.running(conversation_id) or self.client.running(conversation_id)

    def _recover(self) -> None:
        """Close what a crash or a shutdown left open, with the reason (R2)."""
        for conversation_id in self._store.unfinished():
            summary = self._store.conversation(conversation_id, deleted=True)
            if summary is None:
                continue
            open_parts = [
                Published(conversation_id=conversation_id, at=now(), event=delta)
                for delta in self._store.open_parts(conversation_id)
            ]
            left = fold(summary, chain(self._store.events(conversation_id, 0), open_parts))
            self.reruns.put_back(left)
            for event in closing_events(left, RESTARTED):
                self.publisher.publish(conversation_id, event)
            parked = KernelStatus(state="parked", reason=f"{RESTARTED} The variables are gone.")
            self.publisher.publish_durably(conversation_id, parked)
