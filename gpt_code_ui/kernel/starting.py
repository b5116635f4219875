"""How a conversation's kernel comes up, and what the sessions of a manager share for it."""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from gpt_code_ui.errors import KernelStartFailed
from gpt_code_ui.kernel.cage import Cages, Program
from gpt_code_ui.kernel.jupyter import (
    Context,
    JupyterKernel,
    KernelMessage,
    kernel_command,
    make_run_dir,
)
from gpt_code_ui.kernel.network import Network, Outside
from gpt_code_ui.kernel.outbox import Outbox
from gpt_code_ui.kernel.outputs import OutputLimits
from gpt_code_ui.kernel.process import Children
from gpt_code_ui.kernel.warden import remove_tree
from gpt_code_ui.protocol import CageOptions, StartKernel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Services:
    """What the sessions of a manager share. ``matplotlibrc`` gives settings for figures."""

    children: Children
    context: Context
    outbox: Outbox
    limits: OutputLimits
    run_dir: Path
    cages: Cages
    bounds: CageOptions
    outside: Outside
    matplotlibrc: Callable[[], Awaitable[str]]
    kernel_numbers: "itertools.count[int]"


async def start_kernel(
    start: StartKernel,
    services: Services,
    run_dir: Path,
    receive: Callable[[KernelMessage], None],
    network: Network,
) -> JupyterKernel:
    """A kernel that answers. Raises KernelStartFailed; cancelled or failed, it leaves nothing."""
    command = kernel_command(start, run_dir)
    program = Program(
        command.argv, command.env, command.python, command.folder, command.reads, command.relay
    )
    launch = await services.cages.launch(start, program, run_dir)
    if launch.proxied:
        await open_door(network, run_dir)
    kernel = JupyterKernel(
        launch,
        python=command.python or command.argv[0],
        by_message=command.by_message,
        answers=bool(command.reads),
        children=services.children,
        context=services.context,
        run_dir=run_dir,
        shared_dir=services.run_dir,
        receive=receive,
    )
    try:
        write_settings(run_dir, await services.matplotlibrc())
        await kernel.ready()
    except (Exception, asyncio.CancelledError):
        await kernel.close()
        network.close()
        raise
    return kernel


async def open_door(network: Network, run_dir: Path) -> None:
    """Have the proxy's socket there before the kernel. Raises KernelStartFailed."""
    try:
        make_run_dir(run_dir)
        await network.listen(run_dir)
    except OSError as error:
        remove_tree(str(run_dir))
        raise KernelStartFailed(f"The kernel could not be started: {error}") from error


def write_settings(run_dir: Path, matplotlibrc: str) -> None:
    """Fonts for figures; a kernel that already ended has no folder any more."""
    try:
        (run_dir / "matplotlibrc").write_text(matplotlibrc, encoding="utf-8")
    except OSError as error:
        log.debug("no matplotlib settings: %s", error)
