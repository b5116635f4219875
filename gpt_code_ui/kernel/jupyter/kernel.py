"""A running kernel: its process, its channels, and what it can be asked to do."""

import asyncio
import json
import logging
from collections.abc import Callable
from hmac import compare_digest
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.session import DELIM, Session
from pydantic import ValidationError

from gpt_code_ui.errors import KernelStartFailed
from gpt_code_ui.kernel.jupyter.channel import Channel, Heart, open_socket
from gpt_code_ui.kernel.jupyter.launch import address, make_connection, start_failure
from gpt_code_ui.kernel.jupyter.messages import KernelMessage, read_message
from gpt_code_ui.kernel.process import Children, Ended, KernelProcess, Launch
from gpt_code_ui.kernel.warden import remove_tree

log = logging.getLogger(__name__)

START_S = 60.0
ASK_AGAIN_S = 0.25
SIGNED_PARTS = 4
# What reading a message may raise that was not made by a kernel of good will.
MALFORMED = (
    ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, ValidationError,
)  # fmt: skip
Context = zmq.Context[zmq.Socket[bytes]]


class JupyterKernel:
    """A running kernel. ``receive`` gets its messages, ``ended`` resolves when it is over.

    ``answers``: code of ours is in it and takes a ``question``.
    """

    def __init__(
        self,
        launch: Launch,
        *,
        python: str,
        by_message: bool,
        answers: bool = False,
        children: Children,
        context: Context,
        run_dir: Path,
        shared_dir: Path,
        receive: Callable[[KernelMessage], None],
    ) -> None:
        """Start the process. Raises KernelStartFailed for one that cannot be started at all."""
        self._receive = receive
        self._python = python
        self._by_message = by_message
        self.answers = answers
        self.sandbox, self.network = launch.level, launch.network
        connection = make_connection(run_dir)
        try:
            self._process = KernelProcess(children, launch, run_dir, shared_dir)
        except OSError as error:
            remove_tree(str(run_dir))
            raise KernelStartFailed(f"The kernel could not be started: {error}") from error
        self.pid = self._process.pid
        self.ended: asyncio.Future[Ended] = self._process.ended
        self._session = Session(key=str(connection["key"]).encode())
        self._news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._heard = self._informed = False
        self._connect(context, connection)
        self._heart = Heart(context, address(connection, "hb"))

    def _connect(self, context: Context, connection: Any) -> None:
        # One identity for all channels: a question comes back to whom sent the request.
        me = self._session.bsession

        def channel(name: str, kind: int, receive: Callable[[list[bytes]], None]) -> Channel:
            return Channel(open_socket(context, kind, address(connection, name), me), receive)

        self._iopub = channel("iopub", zmq.SUB, self._on_iopub)
        self._shell = channel("shell", zmq.DEALER, self._on_message)
        self._control = channel("control", zmq.DEALER, self._on_message)
        self._stdin = channel("stdin", zmq.DEALER, self._on_message)

    # --- messages ------------------------------------------------------------------------------

    def _on_iopub(self, parts: list[bytes]) -> None:
        if not self._heard:
            self._heard = True
            self._note_news()
        self._on_message(parts)

    def _on_message(self, parts: list[bytes]) -> None:
        try:
            kind, parent, content = self._opened(parts)
            if kind == "kernel_info_reply":
                self._informed = True
                self._note_news()
                return
            if kind == "interrupt_reply":
                # Code that awaits is told of the interrupt when the kernel's loop wakes next.
                self._send(self._shell, "kernel_info_request", {})
                return
            value = read_message(kind, parent, content)
        except MALFORMED as error:
            log.warning("dropped a message that is not of the protocol: %r", error)
            return
        if value is not None:
            self._receive(value)

    def _opened(self, parts: list[bytes]) -> tuple[str, str, dict[str, Any]]:
        """Type, parent's id and content of a message. Raises ValueError for a forged one.

        What ``Session.deserialize`` does beside this, dates above all, costs more than the rest.
        """
        first = parts.index(DELIM) + 1
        signature, *signed = parts[first : first + 1 + SIGNED_PARTS]
        if len(signed) < SIGNED_PARTS:
            raise ValueError("a message with parts missing")
        if not compare_digest(signature, self._session.sign(signed)):
            raise ValueError("a message with a wrong signature")
        header, parent, _, content = (
            json.loads(part.decode("utf-8", "replace")) for part in signed
        )
        return str(header["msg_type"]), str(parent.get("msg_id", "")), content

    def _note_news(self) -> None:
        if not self._news.done():
            self._news.set_result(None)

    def _send(self, channel: Channel, kind: str, content: dict[str, Any]) -> str:
        """Send a request; its message id. One the kernel can no longer take is lost with it."""
        message = self._session.msg(kind, content)
        try:
            self._session.send(channel.socket, message)
        except zmq.ZMQError as error:
            log.warning("the kernel does not take %s: %s", kind, error)
        channel.wake()
        return str(message["header"]["msg_id"])

    # --- life ----------------------------------------------------------------------------------

    async def ready(self, within: float = START_S) -> None:
        """Return when the kernel answers and its output is heard. Raises KernelStartFailed."""
        self._send(self._shell, "kernel_info_request", {})
        deadline = asyncio.get_running_loop().time() + within
        while not (self._heard and self._informed):
            remaining = deadline - asyncio.get_running_loop().time()
            # Answered and not heard: the subscription came too late for the output of the first.
            if self._informed:
                self._send(self._shell, "kernel_info_request", {})
                remaining = min(remaining, ASK_AGAIN_S)
            await self._something(max(0.0, remaining))
            if self.ended.done():
                raise start_failure(self.ended.result(), self._python)
            if remaining <= 0:
                raise KernelStartFailed(f"The kernel did not answer within {within:g} s.")

    async def _something(self, within: float) -> None:
        """Wait for an answer, for the first output, or for the end."""
        self._news = asyncio.get_running_loop().create_future()
        futures: list[asyncio.Future[Any]] = [self._news, self.ended]
        await asyncio.wait(futures, timeout=within, return_when=asyncio.FIRST_COMPLETED)

    def execute(self, code: str) -> str:
        """Run code; the id by which its messages name it."""
        return self._send(
            self._shell,
            "execute_request",
            {
                "code": code,
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": True,
                "stop_on_error": False,
            },
        )

    def question(self, content: dict[str, Any]) -> str:
        """Ask our own code in the kernel, beside what runs; the id by which the answer names it."""
        return self._send(self._control, "gptcode_question", content)

    def interrupt(self) -> None:
        """Ask the kernel to raise KeyboardInterrupt in what runs."""
        if self._by_message:
            self._send(self._control, "interrupt_request", {})
        else:
            self._process.interrupt()

    def answer(self, text: str) -> None:
        """The line the running code waits for."""
        self._send(self._stdin, "input_reply", {"value": text})

    def watch_heart(self, on_change: Callable[[bool], None]) -> None:
        """From now on tell when the kernel stops answering, and when it does again."""
        self._heart.watch(on_change)

    def rest_heart(self) -> None:
        """Nothing runs: nothing needs to be watched."""
        self._heart.rest()

    async def close(self) -> None:
        """End the kernel with everything it started, and the channels to it."""
        self._heart.close()
        await self._process.stop()
        for channel in (self._iopub, self._shell, self._control, self._stdin):
            channel.close()
