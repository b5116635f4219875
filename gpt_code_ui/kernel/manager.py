"""The kernel manager's process: ``python -m gpt_code_ui.kernel.manager``, a LaunchRecord on stdin.

Hands the web process's commands to the session they are for. Invariant: when standard input
closes, or on SIGTERM, every kernel ends with all it started, and the run folder is removed.
"""

import asyncio
import contextlib
import ipaddress
import itertools
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import assert_never

from pydantic import ValidationError

from gpt_code_ui.bus import Bus, Receive, SnakeBus
from gpt_code_ui.kernel import warden
from gpt_code_ui.kernel.cage import Cages
from gpt_code_ui.kernel.cell import not_run_events
from gpt_code_ui.kernel.jupyter import Context
from gpt_code_ui.kernel.network import Outside, Reach, Upstream
from gpt_code_ui.kernel.outbox import Outbox
from gpt_code_ui.kernel.outputs import OutputLimits
from gpt_code_ui.kernel.process import Children, output_of
from gpt_code_ui.kernel.sandbox import fonts
from gpt_code_ui.kernel.sandbox.environment import package_hosts, proxies
from gpt_code_ui.kernel.session import KernelSession
from gpt_code_ui.kernel.starting import Services
from gpt_code_ui.protocol import (
    CommandMessage,
    Execute,
    InputReply,
    InterruptKernel,
    LaunchRecord,
    NetworkOptions,
    Query,
    QueryAnswered,
    RestartKernel,
    SetNetwork,
    StartKernel,
    StopKernel,
)

log = logging.getLogger(__name__)

CLOSE_S = 3.0
IO_THREADS = 1
# Two threads take turns on each message; by default one would wait up to 5 ms for the other.
SWITCH_S = 0.0005


class Manager:
    """All sessions. Used on the loop's thread, except for ``receive``."""

    def __init__(
        self, record: LaunchRecord, connect: Callable[[Receive], Bus], *, adopts: bool = True
    ) -> None:
        """``adopts``: whatever becomes a child of this process is killed; see Children."""
        self._record = record
        self._run_dir = Path(record.run_dir)
        self._loop = asyncio.get_running_loop()
        self._children = Children(self._loop, adopts=adopts)
        self._context = Context(IO_THREADS)
        self._sessions: dict[str, KernelSession] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._over = False
        self._settings: asyncio.Task[str] | None = None
        self._bus = connect(self.receive)
        self._services = Services(
            children=self._children,
            context=self._context,
            outbox=Outbox(self._bus),
            limits=OutputLimits(
                inline_bytes=record.output_inline_bytes,
                image_bytes=record.image_inline_bytes,
                file_bytes=record.output_file_bytes,
            ),
            run_dir=self._run_dir,
            cages=Cages(self._children, record.cage, self._run_dir),
            bounds=record.cage,
            outside=outside(record.network),
            matplotlibrc=self._matplotlibrc,
            kernel_numbers=itertools.count(1),
        )

    def receive(self, body: bytes) -> None:
        """A message of the web process, on the bus's thread."""
        # The loop is closed when the last commands come.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._obey, body)

    def _obey(self, body: bytes) -> None:
        if self._over:
            return
        try:
            message = CommandMessage.model_validate_json(body)
        except ValidationError as error:
            log.warning("dropped a command that is none: %s", error)
            return
        conversation_id, command = message.conversation_id, message.command
        session = self._sessions.get(conversation_id)
        if isinstance(command, StartKernel):
            self._start(conversation_id, command)
        elif session is not None:
            self._hand_over(conversation_id, session, command)
        elif isinstance(command, Execute):
            name = command.answer_to or conversation_id
            for event in not_run_events(command, "No kernel was started for this conversation."):
                self._services.outbox.send(name, event)
        elif isinstance(command, Query):
            answer = QueryAnswered(query_id=command.query_id, content={"state": "parked"})
            self._services.outbox.send(conversation_id, answer)

    def _start(self, conversation_id: str, command: StartKernel) -> None:
        session = self._sessions.get(conversation_id)
        if session is None:
            self._sessions[conversation_id] = KernelSession(
                conversation_id, command, self._services
            )
        else:
            session.start(command)

    def _hand_over(
        self,
        conversation_id: str,
        session: KernelSession,
        command: Execute
        | InterruptKernel
        | RestartKernel
        | StopKernel
        | InputReply
        | SetNetwork
        | Query,
    ) -> None:
        match command:
            case Execute():
                session.execute(command)
            case InterruptKernel():
                session.interrupt()
            case RestartKernel():
                session.restart()
            case InputReply():
                session.input_reply(command)
            case SetNetwork():
                session.set_network(command.network)
            case Query():
                session.query(command)
            case StopKernel():
                del self._sessions[conversation_id]
                closing = self._loop.create_task(session.close())
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
            case _:
                assert_never(command)

    async def _matplotlibrc(self) -> str:
        """Settings for figures; the installed fonts are asked for once."""
        if self._settings is None:
            self._settings = self._loop.create_task(self._ask_fonts())
        return await asyncio.shield(self._settings)

    async def _ask_fonts(self) -> str:
        listing = await output_of(self._children, fonts.FONT_QUERY, self._run_dir / "fonts")
        return fonts.matplotlibrc(fonts.choose_families(listing))

    async def close(self) -> None:
        """End every kernel, the bus and the run folder. Commands that still come are not heard."""
        self._over = True
        closing = [self._loop.create_task(s.close()) for s in self._sessions.values()]
        self._sessions.clear()
        if closing or self._closing:
            await asyncio.wait([*closing, *self._closing], timeout=CLOSE_S)
        self._bus.close()
        self._children.close()
        self._context.destroy(linger=0)
        warden.remove_run(str(self._run_dir))


def outside(options: NetworkOptions) -> Outside:
    """The way out that kernels get where it is allowed, through the person's own proxy if any."""
    reach = Reach(options.private, tuple(ipaddress.ip_network(text) for text in options.also))
    hosts = frozenset((*options.packages, *package_hosts()))
    return Outside(Upstream(reach, proxies()), hosts)


async def run(record: LaunchRecord) -> None:
    """Be the manager until standard input closes or SIGTERM comes."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, over.set)

    def on_stdin() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            over.set()

    def connect(receive: Receive) -> Bus:
        return SnakeBus.connect(
            address=record.address,
            run_id=record.run_id,
            key=bytes.fromhex(record.key),
            on_receive=receive,
            on_peer=lambda present: log.debug("the web process is %s", "there" * present or "away"),
        )

    manager = Manager(record, connect)
    loop.add_reader(0, on_stdin)
    await over.wait()
    await manager.close()


def read_record() -> LaunchRecord:
    """The line on standard input; nothing after it is taken from the pipe."""
    line = bytearray()
    while not line.endswith(b"\n") and (data := os.read(0, 1)):
        line += data
    return LaunchRecord.model_validate_json(bytes(line))


def main() -> int:
    """Entry point of the process. 2: what came on standard input was no LaunchRecord."""
    # Ctrl-C goes to the whole terminal group; the web process decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warden.prctl(warden.PR_SET_DUMPABLE, 0)
    try:
        record = read_record()
    except ValidationError:
        sys.stderr.write("The kernel manager is started by gptcode, not by hand.\n")
        return 2
    sys.setswitchinterval(SWITCH_S)
    logging.basicConfig(level=record.log_level, format="%(levelname)s %(name)s: %(message)s")
    asyncio.run(run(record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
