"""One running gptcode: every object is built here and handed to the next, and ended in reverse.

It listens before anything slow is built, so whoever connects early waits instead of being refused.
"""

import ipaddress
import secrets
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from gpt_code_ui.containment import Containment, cage_options, contain
from gpt_code_ui.context import told_for
from gpt_code_ui.conversations import Conversations
from gpt_code_ui.data_folder import DataFolder, check_folder
from gpt_code_ui.environments import Environment, Environments
from gpt_code_ui.errors import UsageError
from gpt_code_ui.figures import Figures
from gpt_code_ui.instance import Instance
from gpt_code_ui.kept_notebooks import KeptNotebooks, place_for
from gpt_code_ui.kernel.client import KernelClient
from gpt_code_ui.mcp.book import McpBook
from gpt_code_ui.mcp.servers import McpServers
from gpt_code_ui.models import Models
from gpt_code_ui.page_choices import PageChoices
from gpt_code_ui.pictures import PictureLimits, Pictures
from gpt_code_ui.ports import Limits
from gpt_code_ui.profiles import Profiles
from gpt_code_ui.prompt import system_prompt
from gpt_code_ui.protocol import KeepVersions, NetworkOptions, StartKernel
from gpt_code_ui.publisher import Publisher
from gpt_code_ui.reader_cage import ReaderCage
from gpt_code_ui.server import HttpServer, listen
from gpt_code_ui.settings import Settings
from gpt_code_ui.silent_kernel import Hearers
from gpt_code_ui.store import Store
from gpt_code_ui.supervisor import LaunchOptions, Supervisor
from gpt_code_ui.turns import ModelFacts, Ports
from gpt_code_ui.web import create_app
from gpt_code_ui.web.guard import Guard
from gpt_code_ui.web.sessions import Sessions
from gpt_code_ui.workspace import Workspace

# Unix sockets lie below the run folder, and their paths may have 107 bytes at most.
LONGEST_RUN_DIR = 60
TURNS_STOP_S = 1.5
MANAGER_STOP_S = 2.0
WILDCARDS = ("0.0.0.0", "::", "[::]")


class Program:
    """Builds on construction; ``start`` answers, ``stop`` ends everything within 5 s."""

    def __init__(
        self, settings: Settings, instance: Instance, data: DataFolder, *,
        conceal: Callable[[str], None] = lambda _: None, serves: bool = True,
    ) -> None:  # fmt: skip
        """``conceal`` hears of every key that may not show in the log; without ``serves`` there is
        no page and no port, only the conversations.
        """
        self._serves = serves
        self.url = ""
        self._settings = settings
        self._conceal = conceal
        self._data = data
        self._folder: Path | None = None
        self._server: HttpServer | None = None
        self._workspaces: dict[str, Workspace] = {}
        self._workspaces_lock = threading.Lock()
        self._endings = ExitStack()
        self._endings.callback(instance.release)
        try:
            self._build(instance)
        except BaseException:
            self._endings.close()
            raise

    def start(self) -> None:
        """Answer requests from now on."""
        assert self._server is not None
        self._server.start()

    def stop(self) -> None:
        """End turns, streams, kernels and the kernel manager; harmless when called again."""
        self._endings.close()

    def address(self) -> str:
        """Where to open the page, with a fresh code that is good once."""
        return f"{self.url}/#code={self._guard.new_code()}"

    def _build(self, instance: Instance) -> None:
        settings = self._settings
        # Before anything slow or shared: both refuse what cannot be.
        self._cage = cage_options(settings)
        self.containment = Containment(contain(settings), self._data.consent)
        if settings.folder is not None:
            self._folder = check_folder(settings.folder, self._data.path)
        sock = self._listen() if self._serves else None
        port = sock.getsockname()[1] if sock else 0
        folders = () if self._folder is None else (self._folder,)
        self._environments = Environments(str(settings.python), settings.kernel, folders)
        store = self._store = Store(self._data.log)
        self._endings.callback(store.close)
        publisher = Publisher(store)
        self._endings.callback(publisher.close)
        mcp = self._mcp = self._make_mcp()
        self._endings.callback(mcp.close)
        notebooks = KeptNotebooks(
            store,
            publisher,
            lambda id: self._workspace(id).root,
            lambda id: self._environment(id).spec,
        )
        hearers = Hearers(notebooks.publish)
        supervisor = self._start_manager(client := KernelClient(hearers.publish))
        self._endings.callback(self._stop_server)
        models = self.models = Models(settings, port=port, conceal=self._conceal)
        models.look()
        self._endings.callback(models.close)
        self._choices = PageChoices(settings)
        conversations = self.conversations = Conversations(
            store, client, publisher, self._ports(models, mcp), self._limits(), self._data.outputs,
            notebooks, hearers,
        )  # fmt: skip
        self._endings.callback(conversations.close, TURNS_STOP_S)
        # Servers wind up while all the rest ends.
        self._endings.callback(mcp.begin_close)
        if settings.notebook is not None and self._serves:
            conversations.keep_next(place_for(settings.notebook))
        if sock is not None:
            self._serve(sock, instance, supervisor)

    def _listen(self) -> socket.socket:
        settings = self._settings
        sock = listen(settings.host, settings.port)
        self._endings.callback(sock.close)
        self.url = f"http://{_shown(settings.host)}:{sock.getsockname()[1]}"
        return sock

    def _serve(self, sock: socket.socket, instance: Instance, supervisor: Supervisor) -> None:
        local_secret = secrets.token_urlsafe(32)
        self._guard = self._make_guard(sock.getsockname()[1], local_secret)
        app = create_app(
            self.conversations, self._settings, self._guard, lambda: supervisor.state,
            models=self.models, choices=self._choices, mcp=self._mcp,
            containment=self.containment,
        )  # fmt: skip
        self._server = HttpServer(sock, app)
        instance.announce(self.url, local_secret)

    def _stop_server(self) -> None:
        if self._server is not None:
            self._server.stop()

    def _make_guard(self, port: int, local_secret: str) -> Guard:
        settings = self._settings
        sessions = Sessions(self._data.sessions)
        if settings.new_session:
            sessions.drop_all()
        own = () if settings.host in WILDCARDS else (f"{_shown(settings.host)}:{port}",)
        return Guard(
            token=settings.token or secrets.token_urlsafe(32), local_secret=local_secret,
            sessions=sessions, port=port, hosts=(*settings.allow_host, *own),
            dev_origin=settings.dev_origin,
        )  # fmt: skip

    def _start_manager(self, client: KernelClient) -> Supervisor:
        run_dir = make_run_dir()
        self._endings.callback(shutil.rmtree, run_dir, ignore_errors=True)
        options = LaunchOptions(
            output_file_bytes=self._settings.output_file_bytes,
            log_level=self._settings.log_level.upper(),
            tcp_port=self._settings.snakemq_port,
            cage=self._cage,
            network=NetworkOptions(private=self._settings.network_private),
        )
        # Ended after the manager: it may wait for one to come back, and tells when none will.
        self._endings.callback(client.close)
        supervisor = Supervisor(run_dir=run_dir, client=client, options=options)
        self._endings.callback(supervisor.stop, MANAGER_STOP_S)
        supervisor.start()
        return supervisor

    def _make_mcp(self) -> McpServers:
        settings = self._settings
        return McpServers(
            McpBook(settings, conceal=self._conceal),
            start_s=settings.mcp_start_seconds,
            call_s=settings.mcp_call_seconds,
            output_bytes=settings.model_output_bytes,
        )

    def _ports(self, models: Models, mcp: McpServers) -> Ports:
        settings = self._settings
        reader = self._reader_cage()
        return Ports(
            model_for=models.model_for,
            models=models.rows,
            workspace_for=self._workspace,
            own_workspace=self._own_workspace,
            kernel_start=self._kernel_start,
            facts=lambda model: self._facts(model, models),
            rules=settings.rules,
            more_tools=mcp,
            network=settings.network == "on",
            level=lambda: self.containment.level,
            system_prompt=self._prompt_for,
            environments=self._environments,
            profiles=Profiles(settings.share, reader),
            pictures=Pictures(
                PictureLimits(settings.image_bytes, settings.image_edge, settings.image_count),
                reader,
            ),
            figures=Figures(reader),
            vision_model=models.vision_model,
            approve=self._choices.approve,
            attended=self._serves,
        )

    def _prompt_for(self, workspace: Workspace, network: bool, language: str) -> str:
        level = self.containment.level
        shown = "none" if level == "ask" else level
        return system_prompt(workspace.list(), shown, network=network, language=language)

    def _reader_cage(self) -> ReaderCage:
        level = self.containment.level
        return ReaderCage("none" if level == "ask" else level, self._cage.hidden)

    def _facts(self, model: str, models: Models) -> ModelFacts:
        settings = self._settings
        window = told_for(model, dict(settings.model_context_window))
        prices = {price.model: price for price in settings.prices}
        known = models.known(model)
        return ModelFacts(
            window=window or known.context_window,
            price=told_for(model, prices),
            vision=known.vision,
        )

    def _limits(self) -> Limits:
        settings = self._settings
        return Limits(
            max_rounds=settings.max_rounds,
            max_repairs=settings.max_repairs,
            output_bytes=settings.model_output_bytes,
        )

    def _workspace(self, conversation_id: str) -> Workspace:
        """The conversation's folder, swept of what a crash left when it is first used."""
        with self._workspaces_lock:
            workspace = self._workspaces.get(conversation_id)
            if workspace is None:
                root = self._data.workspace(conversation_id, self._folder)
                in_place = not root.is_relative_to(self._data.path)
                workspace = Workspace(root, in_place=in_place)
                if not in_place:
                    workspace.sweep()
                self._workspaces[conversation_id] = workspace
        return workspace

    def _own_workspace(self, conversation_id: str) -> Workspace:
        """A folder of ours for a conversation that has none yet."""
        self._data.workspace(conversation_id, None)
        return self._workspace(conversation_id)

    def _environment(self, conversation_id: str) -> Environment:
        """What the conversation chose to run in."""
        row = self._store.conversation(conversation_id, deleted=True)
        return self._environments.of_row(row)

    def _kernel_start(self, conversation_id: str) -> StartKernel:
        chosen = self._environment(conversation_id)
        return StartKernel(
            workspace=str(self._workspace(conversation_id).root),
            python=chosen.python,
            kernel_name=chosen.kernel_name,
            language=chosen.foreign,
            output_dir=str(self._data.output_dir(conversation_id)),
            sandbox=self.containment.level,
            versions=self._keep(conversation_id),
            packages=str(self._data.packages(conversation_id)),
        )

    def _keep(self, conversation_id: str) -> KeepVersions:
        """What is kept of files before cells change them; little of the person's own folder."""
        settings = self._settings
        in_place = self._workspace(conversation_id).in_place
        total = settings.snapshot_folder_bytes if in_place else settings.snapshot_bytes
        return KeepVersions(
            dir=str(self._data.version_dir(conversation_id)),
            file_bytes=min(settings.snapshot_file_bytes, total), total_bytes=total,
            in_place=in_place,
        )  # fmt: skip


def check_host(settings: Settings) -> None:
    """Raises UsageError where the whole network could try a token that nobody chose."""
    if is_loopback(settings.host) or settings.token is not None:
        return
    raise UsageError(
        f"--host {settings.host} opens this computer to the network and needs a token",
        hint="set GPTCODE_TOKEN to a long random text",
    )


def is_loopback(host: str) -> bool:
    """Whether only this computer can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def make_run_dir() -> Path:
    """A fresh private folder, with a path short enough for sockets below it. Raises UsageError."""
    try:
        path = Path(tempfile.mkdtemp(prefix="gptcode-"))
    except OSError as error:
        raise UsageError(
            f"the temporary folder cannot be used: {error.strerror}",
            hint="name another one in TMPDIR",
        ) from error
    if len(str(path)) <= LONGEST_RUN_DIR or not Path("/tmp").is_dir():
        return path
    path.rmdir()
    return Path(tempfile.mkdtemp(prefix="gptcode-", dir="/tmp"))


def _shown(host: str) -> str:
    """The host as it stands in an address."""
    if host in WILDCARDS:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
