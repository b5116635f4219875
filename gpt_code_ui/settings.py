"""Every setting, as one table: the fields of ``Settings``, each with its names, parser and help.

A later source beats an earlier one: default, ``config.toml`` in the data folder, ``.env`` in the
working folder, environment, flag. Unknown names are refused, secrets are masked in ``repr``, and
nothing is ever written back to the environment.
"""

import difflib
import os
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args

from gpt_code_ui import setting_types as kind
from gpt_code_ui.errors import UsageError
from gpt_code_ui.interpreters import interpreter_in
from gpt_code_ui.kernel.sandbox.ladder import Wanted
from gpt_code_ui.mcp.spec import LONGEST_CALL_S, McpServerSpec, mcp_server_list
from gpt_code_ui.provider_types import ProviderSpec, provider_list
from gpt_code_ui.setting_types import ModelChoice, Price
from gpt_code_ui.told import Share

PREFIX = "GPTCODE_"
CONFIG_FILE = "config.toml"
MASK = "********"


def _row(
    parse: Callable[[object], object], help: str, *, flag: str | None = None,
    metavar: str | None = None, env: tuple[str, ...] = (), secret: bool = False,
) -> Mapping[str, Any]:  # fmt: skip
    """A row of the table. ``env`` are names beside GPTCODE_<NAME>, which comes first."""
    return {
        "parse": parse, "help": help, "flag": flag, "metavar": metavar, "env": env,
        "secret": secret,
    }  # fmt: skip


# fmt: off
@dataclass(frozen=True, repr=False, kw_only=True)
class Settings:
    """What the product was told, checked and typed. Paths are absolute."""

    folder: Path | None = field(default=None, metadata=_row(
        kind.a_path, "a folder to work in, in place; nothing is copied", metavar="FOLDER"))
    host: str = field(default="127.0.0.1", metadata=_row(
        kind.a_text, "the address to listen on", flag="--host", metavar="ADDRESS"))
    port: int = field(default=8080, metadata=_row(
        kind.a_number(0, 65535), "the port to listen on; 0 takes any free one",
        flag="--port", metavar="PORT", env=("WEB_PORT",)))
    allow_host: tuple[str, ...] = field(default=(), metadata=_row(
        kind.a_list, "a further Host header to answer to, for a forwarded port",
        flag="--allow-host", metavar="HOST[:PORT]"))
    no_browser: bool = field(default=False, metadata=_row(
        kind.a_switch, "do not open a browser", flag="--no-browser"))
    token: str | None = field(default=None, metadata=_row(
        kind.a_token, "the token for scripts (default: a random one)",
        flag="--token", metavar="TEXT", secret=True))
    data_dir: Path = field(metadata=_row(
        kind.a_path, "where conversations are kept (default: the platform's data folder)",
        flag="--data-dir", metavar="DIR"))
    log_file: Path | None = field(default=None, metadata=_row(
        kind.a_path, "write the log to this file", flag="--log-file", metavar="PATH"))
    log_level: str = field(default="info", metadata=_row(
        kind.a_choice(*kind.LEVELS), "how much the log file holds"))
    approve: str | None = field(default=None, metadata=_row(
        kind.a_choice(*get_args(kind.Approve)), "never, risky or always: what of a model's code "
        "and tools is asked about before they run (default: risky, or what was chosen on the page)",
        flag="--approve", metavar="WHEN"))
    demo: bool = field(default=False, metadata=_row(
        kind.a_switch, "a built-in scripted model: no key, no network", flag="--demo"))
    model: str | None = field(default=None, metadata=_row(
        kind.a_text, "the model new conversations begin with", flag="--model", metavar="NAME"))
    kernel: str | None = field(default=None, metadata=_row(
        kind.a_text, "the kernelspec to run code in (default: Python)",
        flag="--kernel", metavar="NAME"))
    python: Path = field(default=Path(sys.executable), metadata=_row(
        kind.a_path, "an interpreter or virtual environment with ipykernel (default: the active "
        "VIRTUAL_ENV or CONDA_PREFIX, else the product's own)", flag="--python", metavar="PATH"))
    notebook: Path | None = field(default=None, metadata=_row(
        kind.a_path, "`-n` for short: keep a notebook up to date with the conversation begun by "
        "this start, after every cell; without PATH in the working folder, named by its title",
        flag="--notebook", metavar="[PATH]"))
    sandbox: Wanted = field(default="auto", metadata=_row(
        kind.a_choice(*get_args(Wanted)), "the cage around code: auto takes the best that works "
        "here, bwrap or landlock insist on one, none goes without",
        flag="--sandbox", metavar="LEVEL"))
    network: kind.OnOff = field(default="off", metadata=_row(
        kind.a_choice(*get_args(kind.OnOff)), "whether the code of a new conversation may reach "
        "the network", flag="--network", metavar="SWITCH"))
    network_private: bool = field(default=False, metadata=_row(
        kind.a_switch, "let code with a network also reach addresses of the private network"))
    allow_read: tuple[Path, ...] = field(default=(), metadata=_row(
        kind.path_list, "a further folder that code may read, but not change; can be given again",
        flag="--allow-read", metavar="DIR"))
    allow_root: bool = field(default=False, metadata=_row(
        kind.a_switch, "start as root, in a container for example", flag="--allow-root"))
    trust_env: bool = field(default=False, metadata=_row(
        kind.a_switch, "believe the .env of a folder that code has worked in, though it was made "
        "or changed since", flag="--trust-env"))
    kernel_memory: kind.Amount = field(default=kind.Amount(percent=75), metadata=_row(
        kind.an_amount, "how much memory a kernel may use before it is ended: like 4GB, or a "
        "share of what the machine has (default: 75%)"))
    kernel_processes: int = field(default=512, metadata=_row(
        kind.a_number(32, 1_000_000), "how many processes and threads a kernel may have"))
    kernel_file_bytes: int = field(default=10 << 30, metadata=_row(
        kind.a_number(1 << 20, 1 << 50), "how large a file that code writes may become"))
    kernel_tmp_bytes: int = field(default=1 << 30, metadata=_row(
        kind.a_number(1 << 20, 1 << 50), "how much fits into /tmp of a kernel, which is memory"))
    workspace_bytes: int = field(default=20 << 30, metadata=_row(
        kind.a_number(1 << 20, 1 << 50), "by how much a working folder may grow before the cell "
        "that runs is interrupted"))
    workspace_files: int = field(default=200_000, metadata=_row(
        kind.a_number(100, 1_000_000_000), "by how many files, likewise"))
    disk_free_bytes: int = field(default=1 << 30, metadata=_row(
        kind.a_number(0, 1 << 50), "how much of the disk code has to leave free, likewise"))
    new_session: bool = field(default=False, metadata=_row(
        kind.a_switch, "forget every browser that was let in before", flag="--new-session"))
    dev_origin: str | None = field(default=None, metadata=_row(
        kind.an_origin, "allow a page served from elsewhere, for development",
        flag="--dev-origin", metavar="URL"))
    api_key: str | None = field(default=None, metadata=_row(
        kind.a_token, "the key of the model's endpoint", env=("OPENAI_API_KEY",), secret=True))
    base_url: str | None = field(default=None, metadata=_row(
        kind.a_url, "the address of the model's endpoint",
        env=("OPENAI_BASE_URL", "OPENAI_API_BASE")))
    api_type: str = field(default="open_ai", metadata=_row(
        kind.an_api_type, "the kind of endpoint: open_ai or azure", env=("OPENAI_API_TYPE",)))
    api_version: str | None = field(default=None, metadata=_row(
        kind.a_text, "the API version that Azure asks for", env=("OPENAI_API_VERSION",)))
    extra_headers: tuple[tuple[str, str], ...] = field(default=(), metadata=_row(
        kind.header_table, "headers to add to every model request, as a JSON object",
        env=("OPENAI_EXTRA_HEADERS",), secret=True))
    api_log_level: str = field(default="warning", metadata=_row(
        kind.a_choice(*kind.LEVELS), "how much the model client logs",
        env=("OPENAI_API_LOGLEVEL",)))
    models: tuple[ModelChoice, ...] = field(default=(), metadata=_row(
        kind.model_choices, "the models to choose from, as a JSON list",
        env=("OPENAI_MODELS",)))
    azure_deployments: tuple[ModelChoice, ...] = field(default=(), metadata=_row(
        kind.model_choices, "the same for Azure", env=("AZURE_OPENAI_DEPLOYMENTS",)))
    providers: tuple[ProviderSpec, ...] = field(default=(), metadata=_row(
        provider_list, "further providers, as a JSON list (`[[providers]]` in config.toml): id, "
        "name, kind (openai or azure), base_url, api_version, models, extra_headers, and key_env, "
        "the variable that holds the key", secret=True))
    find_local: bool = field(default=True, metadata=_row(
        kind.a_switch, "look for Ollama, LM Studio, llama.cpp and vLLM on this computer"))
    ollama_host: int | None = field(default=None, metadata=_row(
        kind.ollama_port, "where Ollama listens on this computer, as it is told to Ollama itself "
        "(default: port 11434)", env=("OLLAMA_HOST",)))
    mcp_servers: tuple[McpServerSpec, ...] = field(default=(), metadata=_row(
        mcp_server_list, "MCP servers whose tools models may call, as a JSON list "
        "(`[[mcp_servers]]` in config.toml): name, command, args, env and cwd, or url and headers; "
        'trust, enabled, timeout; or {"mcpServers": {...}} as other programs keep it',
        secret=True))
    mcp_start_seconds: int = field(default=5, metadata=_row(
        kind.a_number(0, 600), "how long a turn waits for an MCP server that is starting"))
    mcp_call_seconds: int = field(default=300, metadata=_row(
        kind.a_number(1, LONGEST_CALL_S), "how many seconds a call of an MCP server's tool may "
        "take; a server's own timeout comes first"))
    max_rounds: int = field(default=25, metadata=_row(
        kind.a_number(1, 1000), "how many times a turn may ask the model"))
    max_repairs: int = field(default=8, metadata=_row(
        kind.a_number(1, 1000), "how many repairs in a row may fail before a turn ends"))
    model_output_bytes: int = field(default=8192, metadata=_row(
        kind.a_number(256, 1 << 20), "how much of a cell's output the model gets to see"))
    share: Share = field(default="rows", metadata=_row(
        kind.a_choice(*get_args(Share)), "how much of a file the model is told unasked: schema "
        "(columns and types), summary (also extremes and missing values) or rows (also a few rows "
        "and lines)"))
    vision_model: str | None = field(default=None, metadata=_row(
        kind.a_text, "a second model that looks at pictures for one that cannot see, by its id in "
        "the dropdown; also set on the page"))
    image_bytes: int = field(default=600_000, metadata=_row(
        kind.a_number(10_000, 2_500_000), "how many bytes a picture for the model may have; a "
        "larger one is scaled down"))
    image_edge: int = field(default=1568, metadata=_row(
        kind.a_number(64, 8192), "how many pixels the longer edge of a picture for the model may "
        "have"))
    image_count: int = field(default=4, metadata=_row(
        kind.a_number(0, 100), "how many pictures a request to the model may have, the newest; 0 "
        "sends none"))
    cell_seconds: int = field(default=120, metadata=_row(
        kind.a_number(1, 1_000_000), "after how many seconds the page says that a cell is still "
        "running; it goes on until it is done or stopped"))
    rules: str | None = field(default=None, metadata=_row(
        kind.a_text, "house rules: what every model is told in every conversation, as text"))
    model_context_window: tuple[tuple[str, int], ...] = field(default=(), metadata=_row(
        kind.context_windows, "how many tokens a model reads at most: a number, or a JSON object "
        'by model, "*" for all others'))
    prices: tuple[Price, ...] = field(default=(), metadata=_row(
        kind.price_table, "dollars for a million tokens, by model (`[prices]` in config.toml): "
        '"gpt-4o" = {input = 2.5, output = 10}'))
    temperature: float | None = field(default=None, metadata=_row(
        kind.a_fraction(0, 2), "the temperature to ask models for (default: the model's own)"))
    max_output_tokens: int | None = field(default=None, metadata=_row(
        kind.a_number(16, 10_000_000), "how long an answer may be (default: the model's own)"))
    send_reasoning: str = field(default="auto", metadata=_row(
        kind.a_choice("auto", "always", "never"), "whether models get back what they thought: auto "
        "(where their endpoint asks for it), always or never"))
    output_file_bytes: int = field(default=2 << 30, metadata=_row(
        kind.a_number(1 << 16, 1 << 40), "how much of a cell's output is kept in a file"))
    snapshot_bytes: int = field(default=2 << 30, metadata=_row(
        kind.a_number(0, 1 << 44), "how much is kept of a conversation's files before cells "
        "change them, so that changes can be reverted; 0 keeps nothing"))
    snapshot_file_bytes: int = field(default=256 << 20, metadata=_row(
        kind.a_number(0, 1 << 44), "the largest file of which versions are kept"))
    snapshot_folder_bytes: int = field(default=64 << 20, metadata=_row(
        kind.a_number(0, 1 << 44), "how much is kept of a FOLDER that is worked in in place"))
    snakemq_port: int = field(default=0, metadata=_row(
        kind.a_number(0, 65535), "the port between the two processes, where it is TCP",
        env=("SNAKEMQ_PORT",)))
    api_port: int | None = field(default=None, metadata=_row(
        kind.a_number(0, 65535), "obsolete: accepted and not used", env=("API_PORT",)))
    # fmt: on

    def __repr__(self) -> str:
        shown = (f"{row.name}={row.shown(getattr(self, row.name))!r}" for row in SETTINGS)
        return f"Settings({', '.join(shown)})"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every text in here that nobody may see, a password in an address included."""
        who = kind.who_in(self.base_url or "")
        headers = (text for _, text in self.extra_headers)
        of_servers = (secret for spec in self.mcp_servers for secret in spec.secrets)
        texts = (self.api_key, self.token, *headers, who, who.partition(":")[2], *of_servers)
        return tuple(text for text in texts if text)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person should know about the settings they gave."""
        if self.api_port is None:
            return ()
        return ("API_PORT is obsolete: everything is served on one port (WEB_PORT).",)


@dataclass(frozen=True)
class Setting:
    """One row of the table. ``env`` lists every environment name, the first wins."""

    name: str
    parse: Callable[[object], object]
    default: object
    env: tuple[str, ...]
    flag: str | None
    metavar: str | None
    help: str
    secret: bool

    @property
    def is_switch(self) -> bool:
        """A flag without a value."""
        return self.parse is kind.a_switch

    def shown(self, value: object) -> object:
        """The value as it may be shown."""
        if self.parse is kind.a_url and isinstance(value, str) and (who := kind.who_in(value)):
            return value.replace(f"{who}@", f"{MASK}@", 1)
        return MASK if self.secret and value else value


def _table() -> Iterable[Setting]:
    for one in fields(Settings):
        row = one.metadata
        default = None if one.default is MISSING else one.default
        yield Setting(
            name=one.name, parse=row["parse"], default=default, flag=row["flag"],
            env=(PREFIX + one.name.upper(), *row["env"]),
            metavar=row["metavar"], help=row["help"], secret=row["secret"],
        )  # fmt: skip


SETTINGS: tuple[Setting, ...] = tuple(_table())
_BY_NAME = {row.name: row for row in SETTINGS}


def load(
    flags: Mapping[str, object],
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """Read every source. ``flags`` maps setting names to values; ``folder`` holds ``.env``.

    Raises UsageError for a name or value that cannot be used.
    """
    environ = os.environ if environ is None else environ
    dotenv_path = (folder or Path.cwd()) / ".env"
    dotenv = _read_dotenv(dotenv_path)
    _refuse_unknown(environ, "the environment")
    _refuse_unknown(dotenv, str(dotenv_path))
    named = [_Source("flag", flags), _Source("env", environ), _Source("env", dotenv)]
    data_dir = _find(_BY_NAME["data_dir"], named) or default_data_dir(environ)
    assert isinstance(data_dir, Path)
    sources = [*named, _Source("file", _read_config(data_dir / CONFIG_FILE))]
    values = {row.name: _find(row, sources) for row in SETTINGS}
    given = {name: value for name, value in values.items() if value is not None}
    python = find_python(values["python"], environ)
    settings = Settings(**(given | {"data_dir": data_dir, "python": python}))  # type: ignore[arg-type]
    keyed = (_with_key(spec, environ, dotenv) for spec in settings.providers)
    return replace(settings, providers=tuple(keyed))


def _with_key(spec: ProviderSpec, *variables: Mapping[str, object]) -> ProviderSpec:
    """The provider with the key that the variable it names holds, if it does."""
    for source in variables:
        value = source.get(spec.key_env) if spec.key_env else None
        if not value:
            continue
        try:
            return replace(spec, api_key=kind.a_token(value))
        except ValueError as error:
            raise UsageError(f"{spec.key_env} {error}", hint="copy the key once more") from error
    return spec


@dataclass(frozen=True)
class _Source:
    """Where values come from: a ``flag`` or ``file`` has setting names, ``env`` variables."""

    kind: str
    values: Mapping[str, object]

    def find(self, row: Setting) -> tuple[str, object] | None:
        """The name under which the setting is given here, and its raw value."""
        names = row.env if self.kind == "env" else (row.name,)
        for name in names:
            value = self.values.get(name)
            if value is not None and value != "":
                return (row.flag or row.name) if self.kind == "flag" else name, value
        return None


def _find(row: Setting, sources: Iterable[_Source]) -> object:
    for source in sources:
        found = source.find(row)
        if found is None:
            continue
        name, value = found
        try:
            return row.parse(value)
        except ValueError as error:
            raise UsageError(f"{name} {error}", hint=row.help) from error
    return None


def nearest(name: str, known: Iterable[str]) -> str | None:
    """A hint at what ``name`` was meant to be."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else None


def _refuse_unknown(values: Mapping[str, object], where: str) -> None:
    known = [name for row in SETTINGS for name in row.env if name.startswith(PREFIX)]
    for name in values:
        if name.startswith(PREFIX) and name not in known:
            raise UsageError(f"{where} has an unknown setting {name}", hint=nearest(name, known))


def _read_dotenv(path: Path) -> Mapping[str, object]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        return dotenv_values(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error


def _read_config(path: Path) -> Mapping[str, object]:
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    known = [row.name for row in SETTINGS if row.name not in ("data_dir", "folder", "notebook")]
    for name in values:
        if name not in known:
            raise UsageError(f"{path} has an unknown setting {name}", hint=nearest(name, known))
    return values


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """The platform's folder for a program's data. Raises UsageError without a home folder."""
    try:
        if sys.platform == "win32":
            base = environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Application Support"
        else:
            base = environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    except RuntimeError as error:
        raise UsageError("there is no home folder", hint="name one with --data-dir") from error
    return Path(base).absolute() / "gptcode"


def find_python(given: object, environ: Mapping[str, str]) -> Path:
    """The interpreter for kernels. Raises UsageError for a path without one.

    A link is kept as it is: a virtual environment is known by the path of its interpreter.
    """
    if isinstance(given, Path):
        found = interpreter_in(given)
        if found is None:
            raise UsageError(
                f"--python {given} is no Python interpreter and no virtual environment",
                hint="name a file like .venv/bin/python, or the folder .venv",
            )
        return found
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        active = environ.get(name)
        if active and (found := interpreter_in(Path(active).absolute())) is not None:
            return found
    return Path(sys.executable)


def display_is_there(environ: Mapping[str, str] | None = None) -> bool:
    """Whether a graphical browser could open; a text browser would take the terminal over."""
    environ = os.environ if environ is None else environ
    if sys.platform in ("win32", "darwin"):
        return True
    names = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME")
    return any(environ.get(name) for name in names)
