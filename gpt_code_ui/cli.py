"""The command ``gptcode``: flags, what is printed, signals, exit codes.

Exit code 2 is for what the person can mend, told in one line on stderr.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn, cast

from gpt_code_ui import __version__
from gpt_code_ui.errors import GptCodeError, StoreError, UsageError
from gpt_code_ui.setting_types import Approve
from gpt_code_ui.settings import SETTINGS, Setting, Settings, display_is_there, load, nearest

if TYPE_CHECKING:
    from gpt_code_ui.data_folder import DataFolder
    from gpt_code_ui.instance import Instance
    from gpt_code_ui.program import Program

STOP_S = 4.5
SWITCH_S = 0.0005
REDIRECT = "open.html"
DESCRIPTION = (
    "A local code interpreter with a page. `gptcode run PROMPT FILE...` does one turn without it, "
    "`gptcode doctor` checks the installation, `gptcode import-config PATH` takes over a "
    "Local-Code-Interpreter config.json, `gptcode mcp` is an MCP server on stdin and stdout, "
    "`gptcode verify NOTEBOOK` runs a notebook again and compares."
)
RUN_DESCRIPTION = (
    "One turn without a page: progress on stderr, the answer on stdout. Exit code 0: completed, "
    "1: not completed, 2: it could not be begun as it was given."
)
VERIFY_HELP = """usage: gptcode verify NOTEBOOK [--json] [--python PATH] [--kernel NAME]
                      [--sandbox LEVEL] [--network SWITCH] [--allow-root]

Runs the notebook again in a fresh kernel, on a fresh copy of the files beside
it, and compares every output. Nothing is changed. Exit code 0: reproduces,
1: differs, 3: it could not be run, 2: it could not be begun as it was given.
--json prints one JSON object; the other options are those of a start."""
# What only a page has use for.
OF_THE_PAGE = (
    "folder", "notebook", "host", "port", "allow_host", "no_browser", "token", "new_session",
    "dev_origin",
)  # fmt: skip


class _Parser(argparse.ArgumentParser):
    """Fails with our error instead of printing the whole usage."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint="gptcode --help lists the flags")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        command = COMMANDS.get(arguments[0]) if arguments else None
        if command is not None:
            return command(arguments[1:])
        return serve(_load(parse(arguments)))
    except (UsageError, StoreError) as error:
        hint = f" ({error.hint})" if error.hint else ""
        print(f"gptcode: {error.message}{hint}", file=sys.stderr)
        return 2


def parse(arguments: Sequence[str]) -> dict[str, object]:
    """The flags that were given, by setting name. Raises UsageError."""
    parser = _Parser(prog="gptcode", description=DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"gptcode {__version__}")
    for row in SETTINGS:
        _add(parser, row)
    given, unknown = parser.parse_known_args(arguments)
    if unknown:
        _refuse(unknown[0], ["--version", "--help"])
    return vars(given)


def parse_run(arguments: Sequence[str]) -> dict[str, object]:
    """What was given to ``run``: its own words and the settings. Raises UsageError."""
    parser = _Parser(prog="gptcode run", description=RUN_DESCRIPTION, allow_abbrev=False)
    parser.add_argument("prompt", metavar="PROMPT", help="what to do; - reads it from stdin")
    parser.add_argument("files", nargs="*", metavar="FILE", help="files to do it with, as copies")
    parser.add_argument("-o", "--output", metavar="OUT.ipynb", help="keep a notebook there")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    for row in SETTINGS:
        if row.name not in OF_THE_PAGE:
            _add(parser, row)
    given, unknown = parser.parse_known_intermixed_args(arguments)
    if unknown:
        _refuse(unknown[0], ["-o", "--json", "--help"])
    return vars(given)


def _refuse(argument: str, others: Sequence[str]) -> NoReturn:
    flag = argument.partition("=")[0]
    known = [row.flag for row in SETTINGS if row.flag] + list(others)
    kind = "flag" if flag.startswith("-") else "argument"
    raise UsageError(
        f"unknown {kind} {flag}", hint=nearest(flag, known) or "gptcode --help lists the flags"
    )


def _add(parser: argparse.ArgumentParser, row: Setting) -> None:
    name = row.flag or row.name
    if row.name == "folder":
        parser.add_argument(name, nargs="?", metavar=row.metavar, help=row.help)
    elif row.name == "notebook":
        parser.add_argument("-n", name, nargs="?", const=".", metavar="PATH", help=row.help)
    elif row.flag is None:
        return
    elif row.is_switch:
        parser.add_argument(name, action="store_const", const=True, help=row.help)
    elif isinstance(row.default, tuple):
        parser.add_argument(name, action="append", metavar=row.metavar, help=row.help)
    else:
        parser.add_argument(name, metavar=row.metavar, help=row.help)


def _load(flags: Mapping[str, object]) -> Settings:
    """The settings, unless they would come from a ``.env`` that code may have written."""
    from gpt_code_ui.trusted_dotenv import TrustedDotenv

    dotenv = Path.cwd() / ".env"
    # As they are without it: it does not vouch for itself.
    without = load(flags, folder=Path(os.devnull))
    trusted = TrustedDotenv(without.data_dir)
    if not without.trust_env:
        trusted.check(dotenv)
    settings = load(flags)
    trusted.note(dotenv, settings.folder)
    return settings


def serve(settings: Settings) -> int:
    """Serve until a signal comes."""
    from gpt_code_ui.containment import check_root
    from gpt_code_ui.data_folder import DataFolder
    from gpt_code_ui.instance import Instance
    from gpt_code_ui.kept_notebooks import place_for
    from gpt_code_ui.program import check_host

    check_root(settings)
    _check_page(settings)
    check_host(settings)
    if settings.notebook is not None:
        place_for(settings.notebook)
    data = DataFolder(settings.data_dir)
    instance = Instance.acquire(settings.data_dir)
    if instance is None:
        return _open_running(settings)
    with _signals() as signalled:
        try:
            with _program(settings, instance, data) as program:
                program.start()
                _announce(settings, program)
                _wait(signalled)
        finally:
            (settings.data_dir / REDIRECT).unlink(missing_ok=True)
    return 0


@contextlib.contextmanager
def _program(
    settings: Settings, instance: "Instance", data: "DataFolder", *, serves: bool = True
) -> "Iterator[Program]":
    """A program that was built, with its log; ended in time whatever happens."""
    from gpt_code_ui.logs import SafeFormatter, start_logging, stop_logging
    from gpt_code_ui.program import Program

    _hide_memory()
    # Output passes through three threads here: waiting 5 ms for each beside a busy one would show.
    sys.setswitchinterval(SWITCH_S)
    keys = (spec.api_key for spec in settings.providers)
    secrets = filter(None, (*settings.secrets, *keys))
    log = start_logging(settings.log_file, settings.log_level, secrets)
    try:
        formatter = log.formatter
        assert isinstance(formatter, SafeFormatter)
        program = Program(settings, instance, data, conceal=formatter.conceal, serves=serves)
        try:
            yield program
        finally:
            _stop_in_time(program.stop)
    finally:
        stop_logging(log)


# --- other commands ----------------------------------------------------------------------------


def _doctor(arguments: Sequence[str]) -> int:
    from gpt_code_ui.doctor import examine

    return examine(_load(parse(arguments)))


def _run(arguments: Sequence[str]) -> int:
    """``gptcode run PROMPT [FILE ...]``: one turn, without a page."""
    from gpt_code_ui.headless import HeadlessRun, Order

    given = parse_run(arguments)
    as_json = bool(given.pop("json"))
    prompt, files, output = given.pop("prompt"), given.pop("files"), given.pop("output")
    text = sys.stdin.read() if prompt == "-" else str(prompt)
    paths = tuple(map(Path, files)) if isinstance(files, list) else ()
    order = Order(text, paths, Path(str(output)) if output else None).checked()
    with _headless(_load(given)) as (program, signalled):
        run = HeadlessRun(program.conversations, _say)
        with _stopped_by(signalled, run.stop):
            try:
                outcome = run.run(order)
            except (UsageError, StoreError):
                raise
            except GptCodeError as error:
                hint = f" ({error.hint})" if error.hint else ""
                _say(f"{error.message}{hint}")
                return 1
    if as_json:
        print(json.dumps(asdict(outcome), ensure_ascii=False, indent=2), flush=True)
    elif outcome.answer:
        print(outcome.answer, flush=True)
    return outcome.exit_code


def _say(line: str) -> None:
    print(f"gptcode: {line}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _headless(settings: Settings) -> "Iterator[tuple[Program, socket.socket]]":
    """A program without a page, on a data folder that is thrown away if the own one is in use."""
    from gpt_code_ui.containment import check_root, contain, refuse_to_ask
    from gpt_code_ui.data_folder import DataFolder
    from gpt_code_ui.instance import Instance

    check_root(settings)
    refuse_to_ask(contain(settings))
    with contextlib.ExitStack() as stack:
        data = DataFolder(settings.data_dir)
        instance = Instance.acquire(data.path)
        if instance is None:
            _say(f"{data.path} is in use by another gptcode: this run will not be in its list")
            name = stack.enter_context(tempfile.TemporaryDirectory(prefix="gptcode-run-"))
            data = DataFolder(Path(name) / "data")
            instance = Instance.acquire(data.path)
            assert instance is not None
        signalled = stack.enter_context(_signals())
        yield stack.enter_context(_program(settings, instance, data, serves=False)), signalled


@contextlib.contextmanager
def _stopped_by(signalled: socket.socket, stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` when a signal comes while the block runs."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            if signalled.recv(1):
                stop()

    thread = threading.Thread(target=watch, name="signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            signalled.shutdown(socket.SHUT_RD)
        thread.join()


def _import_config(arguments: Sequence[str]) -> int:
    """``gptcode import-config PATH``, with the flags of a start after it."""
    from gpt_code_ui.data_folder import DataFolder
    from gpt_code_ui.import_config import import_config

    if not arguments or arguments[0].startswith("-"):
        raise UsageError("import-config needs a file", hint="gptcode import-config config.json")
    settings = _load(parse(arguments[1:]))
    DataFolder(settings.data_dir)
    for line in import_config(Path(arguments[0]), settings):
        print(line)
    return 0


def _serve_mcp(arguments: Sequence[str]) -> int:
    """``gptcode mcp``: nothing but the protocol goes to stdout."""
    from gpt_code_ui.containment import check_root
    from gpt_code_ui.data_folder import check_folder
    from gpt_code_ui.logs import SafeFormatter, start_logging
    from gpt_code_ui.mcp.host import Host
    from gpt_code_ui.mcp.permission import Permission
    from gpt_code_ui.mcp.service import serve as serve_stdio
    from gpt_code_ui.program import check_host

    settings = _load(parse(arguments))
    check_root(settings)
    check_host(settings)
    if settings.folder is not None:
        check_folder(settings.folder, settings.data_dir)
    _hide_memory()
    keys = (spec.api_key for spec in settings.providers)
    secrets = filter(None, (*settings.secrets, *keys))
    log = start_logging(settings.log_file, settings.log_level, secrets)
    assert isinstance(log.formatter, SafeFormatter)
    host = Host(settings, log.formatter.conceal)
    permission = Permission(cast(Approve | None, settings.approve))
    return serve_stdio(host, permission, __version__, settings.model_output_bytes)


def _verify(arguments: Sequence[str]) -> int:
    """``gptcode verify NOTEBOOK [--json]``: 0 reproduces, 1 differs, 3 could not run, 2 usage."""
    from gpt_code_ui.containment import check_root
    from gpt_code_ui.errors import GptCodeError
    from gpt_code_ui.verify import report, verify

    if "--help" in arguments or "-h" in arguments:
        print(VERIFY_HELP)
        return 0
    given = [argument for argument in arguments if argument != "--json"]
    if not given or given[0].startswith("-"):
        raise UsageError("verify needs a notebook", hint="gptcode verify analysis.ipynb")
    path = Path(given[0])
    if not path.is_file():
        raise UsageError(f"there is no notebook {path}")
    settings = load(parse(given[1:]))
    check_root(settings)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        result = verify(path, settings, _show_progress)
    except UsageError:
        raise
    except GptCodeError as error:
        hint = f" ({error.hint})" if error.hint else ""
        print(f"gptcode: {error.message}{hint}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("gptcode: stopped", file=sys.stderr)
        return 3
    if "--json" in arguments:
        print(result.model_dump_json(exclude_none=True, exclude={"type", "replay_id", "purpose"}))
    else:
        print("\n".join(report(path, result)))
    return {"reproduces": 0, "differs": 1}.get(result.status, 3)


def _show_progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\rcell {done} of {total}", end="\n" if done == total else "", file=sys.stderr)


COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "doctor": _doctor,
    "import-config": _import_config,
    "mcp": _serve_mcp,
    "run": _run,
    "verify": _verify,
}


def _check_page(settings: Settings) -> None:
    from gpt_code_ui.web.page import bundle_is_there

    if settings.dev_origin is None and not bundle_is_there():
        raise UsageError(
            "the page is not built", hint="run `make page` in the checkout, or install the wheel"
        )


def _open_running(settings: Settings) -> int:
    from gpt_code_ui.instance import fresh_address

    address = fresh_address(settings.data_dir)
    print(f"GPT-Code UI runs already on this data folder: {address}", flush=True)
    if not settings.no_browser:
        _open_browser(settings.data_dir, address)
    return 0


def _announce(settings: Settings, program: "Program") -> None:
    from gpt_code_ui.program import is_loopback

    address, default = program.address(), program.models.default()
    for note in settings.notes:
        print(f"gptcode: {note}", file=sys.stderr)
    print(f"GPT-Code UI {__version__}")
    print(f"  open   {address}")
    if not is_loopback(settings.host):
        print(
            f"  listening on {settings.host}: whoever reaches {program.url} "
            "and has the token may run code"
        )
    print(f"  data   {settings.data_dir}")
    if settings.folder is not None:
        print(f"  folder {settings.folder}")
    print(f"  code   {program.containment.line()}")
    print(f"  model  {default or 'none yet: the page helps to choose one'}")
    print("Ctrl-C stops", flush=True)
    if not settings.no_browser:
        _open_browser(settings.data_dir, address)


def _open_browser(data_dir: Path, address: str) -> None:
    """Open the address by way of a private file: what is in argv, every user can read."""
    if not display_is_there():
        return
    path = data_dir / REDIRECT
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f'<!doctype html><meta http-equiv="refresh" content="0;url={escape(address)}">')
    open_it = threading.Thread(
        target=webbrowser.open, args=(path.as_uri(),), name="browser", daemon=True
    )
    open_it.start()


# --- signals -----------------------------------------------------------------------------------


@contextlib.contextmanager
def _signals() -> Iterator[socket.socket]:
    """A socket that gets a byte for every signal to stop; the second one ends at once.

    A handler that set an Event could meet the lock it needs held by the thread it interrupted.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    seen: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        if len(seen) > 1:
            os._exit(128 + number)

    before = {
        number: signal.signal(number, handle)
        for name in ("SIGINT", "SIGTERM", "SIGHUP")
        if (number := getattr(signal, name, None)) is not None
        and signal.getsignal(number) is not signal.SIG_IGN
    }
    old_fd = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(old_fd)
        for number, handler in before.items():
            signal.signal(number, handler)
        reader.close()
        writer.close()


def _wait(signalled: socket.socket) -> None:
    signalled.recv(1)


def _stop_in_time(stop: Callable[[], None]) -> None:
    overdue = threading.Timer(STOP_S, os._exit, args=(1,))
    overdue.name = "overdue"
    overdue.daemon = True
    overdue.start()
    try:
        stop()
    finally:
        overdue.cancel()


def _hide_memory() -> None:
    """Keep other programs of the same user, a kernel above all, from reading the key in memory."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    pr_set_dumpable = 4
    ctypes.CDLL(None).prctl(pr_set_dumpable, 0, 0, 0, 0)
