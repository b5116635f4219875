"""``gptcode doctor``: what a start needs, looked at one by one, each with its mend."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from gpt_code_ui import __version__
from gpt_code_ui.containment import WORDS, cage_options, contain
from gpt_code_ui.data_folder import DataFolder, check_folder
from gpt_code_ui.disk_use import disk_use, said
from gpt_code_ui.errors import UsageError
from gpt_code_ui.instance import Instance
from gpt_code_ui.kernel import mending
from gpt_code_ui.kernelspecs import kernelspecs
from gpt_code_ui.mcp.book import McpBook
from gpt_code_ui.models import Models
from gpt_code_ui.server import listen
from gpt_code_ui.settings import Settings
from gpt_code_ui.web.page import STATIC, bundle_is_there

PYTHON_S = 30.0
DISTRIBUTION = "gpt-code-ui"
ENTRY = b"gpt_code_ui.cli"


@dataclass(frozen=True)
class Finding:
    """What one look gave; ``mend`` is None when all is well."""

    text: str
    mend: str | None = None


def examine(settings: Settings) -> int:
    """Print a line for each check; 0 when nothing is to be mended, else 1."""
    print(f"GPT-Code UI {__version__}, Python {sys.version.split()[0]}")
    broken = 0
    for name, check in CHECKS:
        finding = check(settings)
        broken += finding.mend is not None
        mark = "ok  " if finding.mend is None else "mend"
        advice = f": {finding.mend}" if finding.mend else ""
        print(f"{mark}  {name:<11}  {finding.text}{advice}")
    return 1 if broken else 0


def check_model(settings: Settings) -> Finding:
    """Is there a model to ask?"""
    models = Models(settings)
    default = models.default()
    if default is None and models.book.all():
        return Finding("a provider, and no model chosen: the page shows its models")
    if default is None:
        return Finding(
            "no key and no endpoint",
            "set OPENAI_API_KEY, or OPENAI_BASE_URL for a local endpoint, or start with --demo",
        )
    if settings.api_type == "azure" and settings.base_url is None and not settings.demo:
        return Finding("azure without an address", "set OPENAI_BASE_URL")
    return Finding(f"{default} at {models.provider_name(default)}")


def check_mcp(settings: Settings) -> Finding:
    """Can the MCP servers that are configured be started?"""
    listed = McpBook(settings).all()
    wanted = [one.spec for one in listed if one.spec.enabled]
    missing = [spec for spec in wanted if spec.command and not shutil.which(spec.command)]
    if missing:
        names = ", ".join(f"{spec.command} of {spec.name}" for spec in missing)
        return Finding(f"{names} is not there", "install it, or change the server on the page")
    if not listed:
        return Finding("no MCP servers")
    off = len(listed) - len(wanted)
    names = ", ".join(spec.name for spec in wanted) or "none"
    return Finding(f"{names}{f', and {off} switched off' if off else ''}")


def check_kernel(settings: Settings) -> Finding:
    """Can the interpreter that runs code start a kernel?"""
    if settings.kernel is not None:
        names = [row["name"] for row in kernelspecs(settings.python)]
        if settings.kernel not in names:
            known = ", ".join(names) or "none"
            return Finding(f"no kernelspec {settings.kernel}", f"choose one of: {known}")
        return Finding(f"kernelspec {settings.kernel}")
    python = str(settings.python)
    command = [python, "-c", "import ipykernel; print(ipykernel.__version__)"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PYTHON_S, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(f"{python} does not run ({error})", "choose another with --python")
    if done.returncode != 0:
        return Finding(f"{python} has no ipykernel", shlex.join(mending.command(python)))
    return Finding(f"{python} with ipykernel {done.stdout.strip()}")


def check_sandbox(settings: Settings) -> Finding:
    """How far is the code that runs kept from everything else?"""
    try:
        choice = contain(settings)
        cage_options(settings)
    except UsageError as error:
        return Finding(error.message, error.hint or "choose another with --sandbox")
    level = choice.level or "none"
    if choice.wanted == "none" or not choice.missed:
        return Finding(WORDS[level])
    return Finding(f"{WORDS[level]}. {choice.why}", choice.mend)


def check_page(settings: Settings) -> Finding:
    """Is the page built?"""
    if bundle_is_there():
        return Finding(str(STATIC))
    return Finding("the page is not built", "run `make page` in the checkout, or install the wheel")


def check_data(settings: Settings) -> Finding:
    """Can the data folder be written, and the person's own folder be worked in?"""
    try:
        data = DataFolder(settings.data_dir)
        if settings.folder is not None:
            check_folder(settings.folder, data.path)
    except UsageError as error:
        return Finding(error.message, error.hint or "choose another folder")
    return Finding(f"{settings.data_dir}{_uses(data)}")


def _uses(data: DataFolder) -> str:
    """How much the conversations in it take, and which takes most."""
    uses = disk_use(data.path)
    if not uses:
        return ""
    total, most = sum(use.total for use in uses), uses[0]
    return (
        f": {said(total)} in {len(uses)} conversation{'s' * (len(uses) != 1)}, "
        f"most in {most.conversation_id} ({said(most.total)})"
    )


def check_port(settings: Settings) -> Finding:
    """Is the port free, or taken by the gptcode that a second start would open?"""
    where = f"{settings.host} port {settings.port}"
    try:
        instance = Instance.acquire(settings.data_dir)
    except UsageError as error:
        return Finding(error.message, error.hint)
    if instance is None:
        return Finding("a gptcode runs on this data folder; a second start opens it")
    try:
        listen(settings.host, settings.port).close()
    except UsageError as error:
        return Finding(error.message, error.hint or "choose another with --port")
    finally:
        instance.release()
    return Finding(f"{where} is free")


def check_older(settings: Settings) -> Finding:
    """Is the older project of the same name in the way?"""
    found = list(_older())
    if found:
        return Finding(
            "; ".join(found),
            f"{sys.executable} -m pip uninstall {DISTRIBUTION}, then install again",
        )
    return Finding("no older gpt-code-ui in the way")


def _older() -> Iterator[str]:
    for one in distributions(name=DISTRIBUTION):
        if one.version.startswith("0."):
            yield f"gpt-code-ui {one.version}, an older project of this name, is installed"
    command = shutil.which("gptcode")
    if command is not None and not _is_ours(Path(command)):
        yield f"the command {command} is not this program"


def _is_ours(command: Path) -> bool:
    try:
        return ENTRY in command.read_bytes()
    except OSError:
        return False


CHECKS: tuple[tuple[str, Callable[[Settings], Finding]], ...] = (
    ("model", check_model),
    ("mcp", check_mcp),
    ("kernel", check_kernel),
    ("sandbox", check_sandbox),
    ("page", check_page),
    ("data folder", check_data),
    ("port", check_port),
    ("older", check_older),
)
