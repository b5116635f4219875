"""Turns on their threads: at most one a conversation, and each ends with ``turn_finished``.

The lock of a conversation is held while a turn begins or ends, so that whoever has seen
``turn_finished`` can ask again at once.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Literal, Protocol

from gpt_code_ui.agent import request_sent, run_turn
from gpt_code_ui.approval import Asking, CreatedFiles, Desk, Known, WithoutPerson
from gpt_code_ui.context import Gauge, known_window
from gpt_code_ui.environments import Environment, Environments
from gpt_code_ui.errors import Conflict, GptCodeError
from gpt_code_ui.figures import Figures
from gpt_code_ui.history import model_messages
from gpt_code_ui.installs import installs_packages
from gpt_code_ui.look_at_image import Eyes, LookAtImage
from gpt_code_ui.news import News
from gpt_code_ui.pictures import Pictures
from gpt_code_ui.ports import Approver, Aside, Limits, Model, Stop, Tool
from gpt_code_ui.profiles import Profiles
from gpt_code_ui.prompt import with_rules
from gpt_code_ui.protocol import (
    CellPart,
    ChatMessage,
    ConversationChanged,
    ConversationSummary,
    Event,
    Execute,
    FilesTold,
    InputReply,
    ModelInfo,
    Query,
    QueryAnswered,
    RequestSent,
    SandboxLevel,
    StartKernel,
    Transcript,
    TurnFinished,
    TurnStarted,
)
from gpt_code_ui.publisher import Publisher
from gpt_code_ui.read_output import ReadOutput
from gpt_code_ui.risk import Folder
from gpt_code_ui.setting_types import Approve, Price
from gpt_code_ui.store import Store
from gpt_code_ui.transcript import Fold, closing_events, fold
from gpt_code_ui.workspace import Workspace

log = logging.getLogger(__name__)

TITLE_LENGTH = 60


class Kernels(Protocol):
    """The kernels of all conversations; none of these blocks or raises for an absent kernel."""

    def ensure_kernel(self, conversation_id: str, start: StartKernel) -> None:
        """Start the conversation's kernel unless one lives."""

    def execute(self, conversation_id: str, command: Execute) -> None:
        """Run a cell after those before it; ``cell_finished`` always comes."""

    def interrupt(self, conversation_id: str) -> None:
        """Interrupt what runs and drop what waits."""

    def restart(self, conversation_id: str) -> None:
        """End the kernel and start a fresh one."""

    def stop(self, conversation_id: str) -> None:
        """End the kernel."""

    def set_network(self, conversation_id: str, network: bool) -> bool:
        """Let code reach the network, or no longer; False where no kernel is there to say so."""
        ...

    def input_reply(self, conversation_id: str, reply: InputReply) -> None:
        """Answer a question of the running code."""

    def query(self, conversation_id: str, query: Query) -> QueryAnswered:
        """What variables hold. Waits for the kernel, in bounded time. Raises KernelError."""
        ...

    def running(self, conversation_id: str) -> bool:
        """Whether a cell runs or waits."""
        ...

    def has_cell(self, conversation_id: str, cell_id: str) -> bool:
        """Whether that cell runs or waits."""
        ...


class ToolSource(Protocol):
    """Where tools beside our own come from."""

    def wake(self) -> None:
        """Begin to have them ready; returns at once."""

    def tools(self, stop: Stop) -> Sequence[Tool]:
        """Those that are there, after a bounded wait."""
        ...


class NoTools:
    """No other tools."""

    def wake(self) -> None:
        """Nothing is to be done."""

    def tools(self, stop: Stop) -> Sequence[Tool]:
        """None."""
        return ()


@dataclass(frozen=True)
class ModelFacts:
    """What is set or learnt of a model: its window in tokens, what it costs, whether it sees."""

    window: int | None = None
    price: Price | None = None
    vision: bool | None = None


@dataclass(frozen=True)
class Ports:
    """What conversations need from outside, each chosen in the composition root.

    ``system_prompt`` gets whether there is a network, and the kernel's language. Not ``attended``:
    nobody is there to be asked, so what would be asked about is refused.
    ``network``: whether a new one begins with a network; ``level``: the sandbox that kernels get.
    """

    model_for: Callable[[str | None], tuple[str, Model]]
    models: Callable[[], tuple[list[ModelInfo], str | None]]
    workspace_for: Callable[[str], Workspace]
    kernel_start: Callable[[str], StartKernel]
    system_prompt: Callable[[Workspace, bool, str], str]
    environments: Environments = field(default_factory=Environments)
    profiles: Profiles = field(default_factory=Profiles)
    facts: Callable[[str], ModelFacts] = lambda _: ModelFacts()
    rules: str | None = None
    pictures: Pictures = field(default_factory=Pictures)
    figures: Figures = field(default_factory=Figures)
    vision_model: Callable[[], str | None] = lambda: None
    approve: Callable[[], Approve] = lambda: "risky"
    attended: bool = True
    more_tools: ToolSource = field(default_factory=NoTools)
    # A folder of ours for a branch, also of a conversation in the person's own.
    own_workspace: Callable[[str], Workspace] | None = None
    network: bool = False
    level: Callable[[], SandboxLevel | Literal["ask"]] = lambda: "bwrap"

    def start_of(self, summary: ConversationSummary) -> StartKernel:
        """The kernel that a conversation gets, with the network as it is set there."""
        start = self.kernel_start(summary.id)
        return start.model_copy(update={"network": bool(summary.network)})


@dataclass
class _Live:
    """The turn of a conversation: ``stop`` is there while one runs, the lock while one changes."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    stop: Stop | None = None
    thread: threading.Thread | None = None


def new_id() -> str:
    """A fresh id: 16 hexadecimal digits, safe in a path and a URL."""
    return uuid.uuid4().hex[:16]


def title_from(prompt: str) -> str:
    """A title made from the prompt's first line, without asking a model."""
    line = next((line.strip() for line in prompt.splitlines() if line.strip()), "")
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"


class TurnKernel:
    """The agent's Kernel port: one conversation's kernel, behind the shared client."""

    def __init__(
        self, kernels: Kernels, publisher: Publisher, conversation_id: str,
        start: Callable[[], StartKernel], installs: Callable[[str], bool],
    ) -> None:  # fmt: skip
        """``installs`` says of code that it was allowed to install packages."""
        self._kernels = kernels
        self._publisher = publisher
        self._id = conversation_id
        self._start = start
        self._installs = installs

    def run(
        self, cell_id: str, code: str, turn_id: str, stop: Stop, *, repaired: bool | None = None
    ) -> CellPart:
        """Run the cell to its end; a requested stop interrupts it."""
        command = Execute(
            cell_id=cell_id, code=code, origin="model", turn_id=turn_id, repaired=repaired,
            installs=self._installs(code),
        )  # fmt: skip
        watch = self._publisher.watch(self._id, cell_id)
        try:
            self._kernels.ensure_kernel(self._id, self._start())
            self._kernels.execute(self._id, command)
            with stop.on_request(lambda: self._kernels.interrupt(self._id)):
                cell = watch.wait()
        finally:
            self._publisher.unwatch(watch)
        if cell is None:
            return CellPart(cell_id=cell_id, code=code, origin="model", status="not_run")
        return cell


class Turns:
    """The turns that run, by conversation. Every method may be called from any thread."""

    def __init__(
        self, store: Store, kernels: Kernels, publisher: Publisher, ports: Ports, limits: Limits,
        output_file: Callable[[str, str], Path | None],
        settle: Callable[[str, Stop], None] = lambda *_: None,
    ) -> None:  # fmt: skip
        """``output_file`` finds the whole output of a cell, by conversation and cell; ``settle``
        waits until the conversation's kernel and files are what they should be.
        """
        self._settle = settle
        self._store = store
        self._kernels = kernels
        self._publisher = publisher
        self._ports = ports
        self._limits = limits
        self._output_file = output_file
        self._lock = threading.Lock()
        self._live: dict[str, _Live] = {}
        self._gauges: dict[str, Gauge] = {}
        self._closed = False
        self.desk = Desk()

    def begin(self, summary: ConversationSummary, turn: TurnStarted, model: Model) -> None:
        """Store ``turn_started`` and start answering. Raises Conflict, StoreError."""
        live = self._of(summary.id)
        with live.lock:
            if live.stop is not None:
                raise Conflict(
                    "A turn is running in this conversation.", hint="Wait for it, or stop it."
                )
            if self._closed:
                raise Conflict("GPT-Code UI is shutting down.")
            # Before anybody can know of the turn: from then on it can be stopped.
            stop = live.stop = Stop()
            try:
                self._announce(summary, turn)
            except BaseException:
                live.stop = None
                raise
            live.thread = threading.Thread(
                target=self._run,
                args=(summary, turn, model, live, stop),
                name=f"turn-{turn.turn_id}",
                daemon=True,
            )
            live.thread.start()

    def stop(self, conversation_id: str) -> None:
        """Ask the conversation's turn to end; nothing happens without one."""
        stop = self._of(conversation_id).stop
        if stop is not None:
            stop.request()

    def running(self, conversation_id: str) -> bool:
        """Whether a turn runs."""
        return self._of(conversation_id).stop is not None

    def close(self, timeout: float) -> None:
        """Begin no more, ask all to end, and wait ``timeout`` seconds in all at most."""
        self._closed = True
        with self._lock:
            live = list(self._live.values())
        for one in live:
            if one.stop is not None:
                one.stop.request()
        deadline = time.monotonic() + timeout
        for one in live:
            if one.thread is not None:
                one.thread.join(max(0.0, deadline - time.monotonic()))

    def _of(self, conversation_id: str) -> _Live:
        with self._lock:
            return self._live.setdefault(conversation_id, _Live())

    def _announce(self, summary: ConversationSummary, turn: TurnStarted) -> None:
        # What can fail comes first: once it is told of, a turn runs to its end.
        start = self._ports.start_of(summary)
        self._publisher.publish_durably(summary.id, turn)
        title = None if summary.title else title_from(turn.prompt) or None
        model = turn.model if turn.model != summary.model else None
        if title or model:
            self._publisher.publish(summary.id, ConversationChanged(title=title, model=model))
        # The kernel, and the servers of other tools, come up while the rest is made ready.
        self._ports.more_tools.wake()
        self._kernels.ensure_kernel(summary.id, start)

    def _run(
        self,
        summary: ConversationSummary,
        turn: TurnStarted,
        model: Model,
        live: _Live,
        stop: Stop,
    ) -> None:
        with self._always_finishing(summary, turn, live):
            for event in self._events(summary, turn, model, stop):
                if isinstance(event, TurnFinished):
                    self._finish(summary.id, live, event)
                else:
                    self._publisher.publish(summary.id, event)

    def _events(
        self, summary: ConversationSummary, turn: TurnStarted, model: Model, stop: Stop
    ) -> Iterator[Event]:
        aside = Aside(lambda name: self._ports.facts(name).price)
        workspace = self._ports.workspace_for(summary.id)
        self._settle(summary.id, stop)
        self._tell_files(summary, turn, workspace, stop)
        transcript, news = self._told_so_far(summary)
        language = self._environment(summary).language
        return run_turn(
            turn,
            model_messages(transcript, output_bytes=self._limits.output_bytes, news=news.by_turn),
            model,
            TurnKernel(
                self._kernels,
                self._publisher,
                summary.id,
                lambda: self._start(summary),
                self._may_install,
            ),
            self._limits,
            stop,
            system=with_rules(
                self._ports.system_prompt(workspace, bool(transcript.network), language),
                self._ports.rules,
                transcript.rules,
            ),
            language=language,
            new_id=new_id,
            on_request=lambda *sent: self._keep(summary, turn, *sent),
            gauge=self._gauge(turn.model),
            price=self._ports.facts(turn.model).price,
            tools=[
                self._reader(summary),
                *self._eyes(summary, turn, workspace, aside),
                *self._ports.more_tools.tools(stop),
            ],
            pictures=lambda messages: self._pictures(turn.model, messages, workspace, stop),
            aside=aside,
            approver=self._approver(summary, workspace),
        )

    def _keep(
        self, summary: ConversationSummary, turn: TurnStarted, request_id: str, url: str, body: str
    ) -> None:
        self._publisher.call(
            lambda: self._store.save_request(summary.id, turn.turn_id, request_id, url, body)
        )

    def _pictures(
        self, model: str, messages: Sequence[ChatMessage], workspace: Workspace, stop: Stop
    ) -> list[ChatMessage]:
        """Messages as they may be sent; for a model that is known not to see nothing is read."""
        if self._ports.facts(model).vision is False:
            return list(messages)
        return self._ports.pictures.load(messages, workspace, lambda: stop.requested)

    def _eyes(
        self, summary: ConversationSummary, turn: TurnStarted, workspace: Workspace, aside: Aside
    ) -> list[LookAtImage]:
        """The tool that asks the second model, where one is set."""
        name = self._ports.vision_model()
        if name is None or name == turn.model:
            return []

        def sent(request: RequestSent) -> None:
            request_id = new_id()
            self._keep(summary, turn, request_id, request.url, request.body)
            self._publisher.publish(summary.id, request_sent(turn.turn_id, request_id, request))

        eyes = Eyes(
            model=lambda: self._ports.model_for(name),
            picture=lambda picture: self._ports.pictures.one(picture, workspace),
            cells=lambda: self._cells(summary),
            sent=sent,
            aside=aside,
        )
        return [LookAtImage(turn.turn_id, eyes)]

    def _may_install(self, code: str) -> bool:
        """Code comes here once it was allowed; where nothing is asked nobody allowed anything."""
        return self._ports.approve() != "never" and installs_packages(code)

    def _start(self, summary: ConversationSummary) -> StartKernel:
        """The kernel as it is set now, which may have changed since the turn began."""
        return self._ports.start_of(self._store.conversation(summary.id) or summary)

    def _as_stored(self, summary: ConversationSummary) -> Transcript:
        return fold(summary, self._store.events(summary.id, 0))

    def _environment(self, summary: ConversationSummary) -> Environment:
        return self._ports.environments.of_row(summary)

    def _approver(self, summary: ConversationSummary, workspace: Workspace) -> Approver:
        ports, environment = self._ports, self._environment(summary)
        asking = Asking(
            self.desk, summary.id, ports.approve, lambda: self._known(summary, workspace),
            language=environment.language, our_grammar=environment.our_grammar,
        )  # fmt: skip
        return asking if ports.attended else WithoutPerson(asking)

    def _known(self, summary: ConversationSummary, workspace: Workspace) -> Known:
        """What the log and the folder say now."""
        self._publisher.call(lambda: None)  # what has happened is stored
        told, created = Fold(summary), CreatedFiles()
        for published in self._store.events(summary.id, 0):
            told.apply(published)
            created.apply(published)
        transcript, files = told.transcript(), workspace.snapshot()
        ran = [
            part.code
            for turn in transcript.turns
            for part in turn.parts
            if isinstance(part, CellPart) and part.status not in ("writing", "waiting", "not_run")
        ]
        folder = Folder(
            brought=frozenset(files.files) - created.paths, all=frozenset(files.files),
            complete=files.complete,
        )  # fmt: skip
        return Known(earlier=ran, folder=folder, allowed=transcript.allowed or ())

    def _reader(self, summary: ConversationSummary) -> ReadOutput:
        return ReadOutput(
            lambda: self._cells(summary), lambda cell_id: self._output_file(summary.id, cell_id)
        )

    def _cells(self, summary: ConversationSummary) -> list[CellPart]:
        self._publisher.call(lambda: None)  # what has happened is stored
        turns = self._as_stored(summary).turns
        return [part for turn in turns for part in turn.parts if isinstance(part, CellPart)]

    def _told_so_far(self, summary: ConversationSummary) -> tuple[Transcript, News]:
        told, news = Fold(summary), News()
        for published in self._store.events(summary.id, 0):
            told.apply(published)
            news.apply(published)
        return told.transcript(), news

    def _gauge(self, model: str) -> Gauge:
        """What the turns of all conversations have learnt of the model's window."""
        with self._lock:
            if model not in self._gauges:
                self._gauges[model] = Gauge(lambda: self._window(model))
            return self._gauges[model]

    def _window(self, model: str) -> int:
        return self._ports.facts(model).window or known_window(model)

    def _tell_files(
        self, summary: ConversationSummary, turn: TurnStarted, workspace: Workspace, stop: Stop
    ) -> None:
        """Store what the model has not been told of the files, before it is asked anything."""
        transcript = self._as_stored(summary)
        before = {file.path: file for one in transcript.turns for file in one.told or ()}
        attached = [attachment.path for attachment in turn.attachments]
        told = self._ports.profiles.told(workspace, attached, before, lambda: stop.requested)
        # Our own notebook says nothing that the model does not know.
        told = [file for file in told if file.path != transcript.notebook]
        if told:
            event = FilesTold(turn_id=turn.turn_id, files=told)
            self._publisher.publish_durably(summary.id, event)

    @contextmanager
    def _always_finishing(
        self, summary: ConversationSummary, turn: TurnStarted, live: _Live
    ) -> Iterator[None]:
        """A turn finishes, even by a fault of ours."""
        try:
            yield
        except Exception as error:
            log.exception("turn %s failed", turn.turn_id)
            ours = error if isinstance(error, GptCodeError) else GptCodeError(
                "Something went wrong inside GPT-Code UI.", hint="The log has the details."
            )  # fmt: skip
            self._close_parts(summary, turn, ours.message)
            finished = TurnFinished(turn_id=turn.turn_id, status="failed", error=ours.body())
            self._finish(summary.id, live, finished)

    def _close_parts(self, summary: ConversationSummary, turn: TurnStarted, reason: str) -> None:
        self._publisher.call(lambda: None)
        upto, open_parts = self._publisher.open_parts(summary.id)
        whole = fold(summary, chain(self._store.events(summary.id, 0, upto), open_parts))
        mine = [one for one in whole.turns if one.turn_id == turn.turn_id]
        for event in closing_events(whole.model_copy(update={"turns": mine}), reason):
            if not isinstance(event, TurnFinished):
                self._publisher.publish(summary.id, event)

    def _finish(self, conversation_id: str, live: _Live, event: TurnFinished) -> None:
        with live.lock:
            live.stop = None
            self.desk.forget(conversation_id)
            self._publisher.publish(conversation_id, event)
