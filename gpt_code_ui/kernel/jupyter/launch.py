"""How a kernel is started: its connection file, its command line, and why it did not come up."""

import os
import re
import secrets
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.connect import write_connection_file
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel

from gpt_code_ui.errors import IpykernelMissing, KernelStartFailed
from gpt_code_ui.kernel import installer, mending, startup
from gpt_code_ui.kernel import relay as relay_module
from gpt_code_ui.kernel.process import Ended
from gpt_code_ui.protocol import StartKernel

SOCKET_PATH_BYTES = 107
LOG_LINES = 12
PYTHON = re.compile(r"python[\d.]*")
IPYKERNEL = ("ipykernel_launcher", "ipykernel")
# Runs our file in a namespace of its own: the person's stays empty.
PREPARE = "__import__('runpy').run_path({path!r}) and None"


@dataclass(frozen=True)
class KernelCommand:
    """How a kernel is called; ``by_message``: it takes interrupts on the control channel.

    ``python``: the interpreter in it; ``folder``: its kernelspec's; ``reads``: files of ours,
    which it runs before the first cell; without any it answers no questions about variables.
    ``relay``: what stands before it, where it may know no other sockets than TCP.
    """

    argv: list[str]
    env: Mapping[str, str]
    by_message: bool
    python: str | None = None
    folder: str | None = None
    reads: tuple[str, ...] = ()
    relay: tuple[str, ...] = ()


def kernel_command(start: StartKernel, run_dir: Path) -> KernelCommand:
    """The command for what the person chose. Raises KernelStartFailed for what is not there."""
    if not Path(start.workspace).is_dir():
        raise KernelStartFailed(f"The working folder is not there: {start.workspace}")
    file = str(connection_file(run_dir))
    if start.kernel_name is not None:
        return spec_command(start, file)
    if shutil.which(start.python) is None:
        raise KernelStartFailed(
            f"There is no Python interpreter at {start.python}.",
            hint="Choose another with --python, or install it there.",
        )
    argv = [
        start.python, "-m", "ipykernel_launcher", "-f", file,
        "--HistoryManager.enabled=False", preparation(),
    ]  # fmt: skip
    return KernelCommand(argv, {}, by_message=True, python=start.python, reads=our_files())


def preparation() -> str:
    """The flag by which ipykernel runs our file before the first cell."""
    return f"--IPKernelApp.exec_lines={PREPARE.format(path=startup.__file__)}"


def our_files() -> tuple[str, ...]:
    """What of ours runs inside a Python kernel."""
    inside = Path(startup.__file__).with_name("inside")
    return (str(startup.__file__), str(installer.__file__), str(inside))


def spec_command(start: StartKernel, file: str) -> KernelCommand:
    """The command of an installed kernelspec. Raises KernelStartFailed."""
    spec = find_spec(start.kernel_name or "", start.python)
    argv = [part.replace("{resource_dir}", spec.resource_dir) for part in spec.argv]
    if argv[0] in ("python", "python3"):
        argv[0] = python_of(spec.resource_dir)
    is_python = PYTHON.fullmatch(Path(argv[0]).name) is not None
    # Landlock lets nobody connect by TCP; there a kernel has to know the sockets of its folder.
    relay = () if is_python or start.sandbox == "landlock" else relay_command(file)
    own = relay[-2] if relay else file
    argv = [part.replace("{connection_file}", own) for part in argv]
    ours = is_python and any(part in IPYKERNEL for part in argv)
    argv += [preparation()] if ours else []
    return KernelCommand(
        argv, spec.env, by_message=spec.interrupt_mode == "message",
        python=argv[0] if is_python else None, folder=spec.resource_dir,
        reads=our_files() if ours else (), relay=relay,
    )  # fmt: skip


def find_spec(name: str, python: str) -> KernelSpec:
    """An installed kernelspec; those beside the interpreter come first.

    Raises KernelStartFailed.
    """
    beside = str(Path(python).parent.parent / "share" / "jupyter" / "kernels")
    manager = KernelSpecManager()
    manager.kernel_dirs = [beside, *manager.kernel_dirs]
    try:
        return manager.get_kernel_spec(name)
    except NoSuchKernel as error:
        raise KernelStartFailed(
            f"There is no kernel named {name!r}.",
            hint="`jupyter kernelspec list` names those that are installed.",
        ) from error


def python_of(folder: str) -> str:
    """The interpreter that a kernelspec means by ``python``: that of the prefix it lies in."""
    prefix = Path(folder).parents[3] if len(Path(folder).parents) > 3 else Path(folder)
    beside = prefix / "bin" / "python"
    return str(beside) if beside.is_file() else sys.executable


def relay_command(file: str) -> tuple[str, ...]:
    """What has a kernel listen on TCP and be reached by the sockets that ``file`` names."""
    python = os.path.realpath(sys.executable)
    tcp_file = str(Path(file).with_name("t.json"))
    return (python, "-I", "-S", str(relay_module.__file__), file, tcp_file, "--")


def connection_file(run_dir: Path) -> Path:
    """Where a kernel is told its sockets and its key."""
    return run_dir / "c.json"


def make_connection(run_dir: Path) -> Any:
    """Make ``run_dir`` with the connection file of a kernel that listens on sockets in it.

    Raises KernelStartFailed.
    """
    base = run_dir / "k"
    if len(os.fsencode(base)) + len("-5") > SOCKET_PATH_BYTES:
        raise KernelStartFailed(
            f"The path of the run folder is too long for sockets: {run_dir}",
            hint="Set XDG_RUNTIME_DIR or TMPDIR to a folder with a shorter path.",
        )
    make_run_dir(run_dir)
    key = secrets.token_hex(32).encode()
    _, connection = write_connection_file(
        str(connection_file(run_dir)), transport="ipc", ip=str(base), key=key
    )
    return connection


def make_run_dir(run_dir: Path) -> None:
    """Make a kernel's own folder, ours alone. Raises OSError."""
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)


def address(connection: Any, channel: str) -> str:
    """A channel's socket."""
    return f"ipc://{connection['ip']}-{connection[f'{channel}_port']}"


def start_failure(ended: Ended, python: str) -> KernelStartFailed:
    """Why a kernel did not come up, from how it ended and the last it wrote."""
    if re.search(r"No module named '?(ipykernel|ipykernel_launcher)\b", ended.log):
        return IpykernelMissing(
            f"ipykernel is not installed for {python}.", hint=shlex.join(mending.command(python))
        )
    tail = "\n".join(ended.log.splitlines()[-LOG_LINES:])
    return KernelStartFailed(
        f"The kernel {ended.how} while it was starting." + (f"\n{tail}" if tail else "")
    )
