"""One table of settings, five sources, and clear words for what cannot be used."""

import os
import sys
from pathlib import Path

import pytest

from gpt_code_ui.errors import UsageError
from gpt_code_ui.model_list import DEMO, model_list
from gpt_code_ui.protocol import ModelInfo
from gpt_code_ui.setting_types import ModelChoice, Price
from gpt_code_ui.settings import SETTINGS, default_data_dir, display_is_there, find_python, load


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def test_each_source_beats_the_one_before(here: Path, data: Path) -> None:
    flags: dict[str, object] = {"data_dir": str(data)}
    environ: dict[str, str] = {}
    assert load(flags, environ, here).port == 8080
    (data / "config.toml").write_text("port = 1\n")
    assert load(flags, environ, here).port == 1
    (here / ".env").write_text("WEB_PORT=2\n")
    assert load(flags, environ, here).port == 2
    environ["WEB_PORT"] = "3"
    assert load(flags, environ, here).port == 3
    environ["GPTCODE_PORT"] = "4"
    assert load(flags, environ, here).port == 4
    flags["port"] = "5"
    assert load(flags, environ, here).port == 5


def test_nothing_reaches_the_environment(here: Path, data: Path) -> None:
    (here / ".env").write_text("OPENAI_API_KEY=sk-from-the-file\n")
    before = dict(os.environ)
    assert load({"data_dir": str(data)}, None, here).api_key == "sk-from-the-file"
    assert dict(os.environ) == before


def test_every_setting_has_a_variable_and_a_word_of_help() -> None:
    for row in SETTINGS:
        assert row.env[0] == f"GPTCODE_{row.name.upper()}"
        assert row.help and not row.help.endswith(".")
        assert row.flag in (None, "--" + row.name.replace("_", "-"))
    assert len({name for row in SETTINGS for name in row.env}) == sum(
        len(row.env) for row in SETTINGS
    )


def test_the_environment_of_gpt_code_ui_works(here: Path, data: Path) -> None:
    environ = {
        "OPENAI_API_KEY": "sk-1",
        "OPENAI_API_BASE": "https://example.org/v1/",
        "OPENAI_API_TYPE": "azure",
        "OPENAI_API_VERSION": "2024-02-01",
        "OPENAI_EXTRA_HEADERS": '{"X-Team": "blue"}',
        "OPENAI_API_LOGLEVEL": "DEBUG",
        "OPENAI_MODELS": '[{"displayName": "GPT-4o", "name": "gpt-4o"}]',
        "AZURE_OPENAI_DEPLOYMENTS": '[{"displayName": "Ours", "name": "ours"}]',
        "WEB_PORT": "8081",
        "SNAKEMQ_PORT": "8765",
        "API_PORT": "5010",
        "OPENAI_ORGANIZATION": "not ours to read",
    }
    settings = load({"data_dir": str(data)}, environ, here)
    assert settings.api_key == "sk-1"
    assert settings.base_url == "https://example.org/v1"
    assert settings.api_type == "azure"
    assert settings.api_version == "2024-02-01"
    assert settings.extra_headers == (("X-Team", "blue"),)
    assert settings.api_log_level == "debug"
    assert settings.models == (ModelChoice("gpt-4o", "GPT-4o"),)
    assert settings.azure_deployments == (ModelChoice("ours", "Ours"),)
    assert (settings.port, settings.snakemq_port) == (8081, 8765)
    assert len(settings.notes) == 1 and "API_PORT" in settings.notes[0]
    environ["OPENAI_BASE_URL"] = "http://localhost:11434/v1"
    assert load({"data_dir": str(data)}, environ, here).base_url == "http://localhost:11434/v1"


def test_an_empty_variable_counts_as_not_set(here: Path, data: Path) -> None:
    settings = load({"data_dir": str(data)}, {"OPENAI_API_KEY": "", "WEB_PORT": ""}, here)
    assert (settings.api_key, settings.port) == (None, 8080)


def test_the_config_file_has_types_of_its_own(here: Path, data: Path) -> None:
    (data / "config.toml").write_text(
        'demo = true\nallow_host = ["a", "b:1"]\nmodels = [{name = "m", displayName = "M"}]\n'
        'extra_headers = {X-A = "1"}\nlog_file = "/tmp/x.log"\n'
    )
    settings = load({"data_dir": str(data)}, {}, here)
    assert settings.demo is True
    assert settings.allow_host == ("a", "b:1")
    assert settings.models == (ModelChoice("m", "M"),)
    assert settings.extra_headers == (("X-A", "1"),)
    assert settings.log_file == Path("/tmp/x.log")


def test_secrets_are_masked(here: Path, data: Path) -> None:
    environ = {
        "OPENAI_API_KEY": "sk-hidden", "GPTCODE_TOKEN": "tok-hidden",
        "OPENAI_EXTRA_HEADERS": '{"Api-Key": "head-hidden"}',
        "OPENAI_BASE_URL": "https://me:pass-hidden@models.example:8443/v1",
    }  # fmt: skip
    settings = load({"data_dir": str(data)}, environ, here)
    shown = repr(settings)
    assert "hidden" not in shown
    assert "token='********'" in shown
    assert "base_url='https://********@models.example:8443/v1'" in shown
    assert settings.base_url == environ["OPENAI_BASE_URL"]
    assert settings.secrets == (
        "sk-hidden",
        "tok-hidden",
        "head-hidden",
        "me:pass-hidden",
        "pass-hidden",
    )
    assert load({"data_dir": str(data)}, {}, here).secrets == ()


@pytest.mark.parametrize(
    ("flags", "environ", "config", "message", "hint"),
    [
        ({}, {"GPTCODE_PROT": "1"}, "", "the environment has an unknown setting GPTCODE_PROT",
         "did you mean GPTCODE_PORT?"),
        ({}, {}, "prot = 1", "has an unknown setting prot", "did you mean port?"),
        ({}, {}, 'data_dir = "/x"', "has an unknown setting data_dir", None),
        ({}, {}, "port =", "cannot be read", None),
        ({"port": "abc"}, {}, "", "--port has to be a number, not 'abc'", None),
        ({"port": "65536"}, {}, "", "--port has to be from 0 to 65535, not 65536", None),
        ({}, {}, "port = true", "port has to be a number, not True", None),
        ({}, {"GPTCODE_DEMO": "perhaps"}, "", "GPTCODE_DEMO has to be true or false", None),
        ({}, {"OPENAI_BASE_URL": "ftp://x"}, "",
         "OPENAI_BASE_URL has to be an http or https address", None),
        ({}, {"OPENAI_MODELS": "{"}, "", "OPENAI_MODELS is not valid JSON", None),
        ({}, {"OPENAI_MODELS": '[{"displayName": "x"}]'}, "", "entry without a name", None),
        ({}, {"OPENAI_MODELS": '{"name": "x"}'}, "", "has to be a JSON list like", None),
        ({}, {"OPENAI_EXTRA_HEADERS": "[]"}, "", "has to be a JSON object like", None),
        ({}, {"OPENAI_API_TYPE": "bedrock"}, "", "has to be one of open_ai, azure", None),
        ({"token": "two words"}, {}, "", "--token may hold printable ASCII", None),
        ({"python": "/no/such/python"}, {}, "", "no Python interpreter", None),
        ({"dev_origin": "http://x/path"}, {}, "", "without a path", None),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(
    here: Path, data: Path, flags: dict[str, object], environ: dict[str, str], config: str,
    message: str, hint: str | None,
) -> None:  # fmt: skip
    (data / "config.toml").write_text(config)
    with pytest.raises(UsageError) as failure:
        load({"data_dir": str(data), **flags}, environ, here)
    assert message in failure.value.message
    if hint is not None:
        assert failure.value.hint == hint


def test_a_dotenv_that_is_no_text(here: Path, data: Path) -> None:
    (here / ".env").write_bytes(b"A=\xff\xfe\n")
    with pytest.raises(UsageError, match="cannot be read"):
        load({"data_dir": str(data)}, {}, here)


def test_the_data_folder_is_where_the_platform_keeps_data(tmp_path: Path) -> None:
    if sys.platform.startswith("linux"):
        assert default_data_dir({"XDG_DATA_HOME": str(tmp_path)}) == tmp_path / "gptcode"
    assert default_data_dir({}).name == "gptcode"


# --- python ------------------------------------------------------------------------------------


def test_the_interpreter_is_the_active_one_or_the_one_that_is_named(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    python = venv / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    assert find_python(None, {}) == Path(sys.executable)
    assert find_python(None, {"VIRTUAL_ENV": str(venv)}) == python
    assert find_python(None, {"CONDA_PREFIX": str(venv)}) == python
    assert find_python(None, {"VIRTUAL_ENV": str(tmp_path / "gone")}) == Path(sys.executable)
    assert find_python(venv, {}) == python
    assert find_python(python, {}) == python
    for wrong in (tmp_path, tmp_path / "none"):
        with pytest.raises(UsageError):
            find_python(wrong, {})


# --- models ------------------------------------------------------------------------------------


def models_of(data: Path, **environ: str) -> tuple[list[str], str | None]:
    rows, default = model_list(load({"data_dir": str(data)}, environ, data))
    return [f"{row.id}={row.name}@{row.provider}" for row in rows], default


def test_which_models_are_offered(data: Path) -> None:
    ours = '[{"displayName": "Ours", "name": "ours"}, {"name": "big"}]'
    assert models_of(data) == ([], None)
    built_in = models_of(data, OPENAI_API_KEY="k")
    assert built_in[1] == "gpt-4o"
    assert built_in[0][0] == "gpt-4o=GPT-4o@openai"
    assert models_of(data, OPENAI_API_KEY="k", OPENAI_MODELS=ours) == (
        ["ours=Ours@openai", "big=big@openai"], "ours",
    )  # fmt: skip
    local = {"OPENAI_BASE_URL": "http://localhost:11434/v1", "GPTCODE_MODEL": "qwen"}
    assert models_of(data, **local) == (["qwen=qwen@localhost:11434"], "qwen")
    assert models_of(data, **local, OPENAI_MODELS=ours) == (
        ["qwen=qwen@localhost:11434", "ours=Ours@localhost:11434", "big=big@localhost:11434"],
        "qwen",
    )
    azure = {"OPENAI_API_KEY": "k", "OPENAI_API_TYPE": "azure"}
    assert models_of(data, **azure, AZURE_OPENAI_DEPLOYMENTS=ours)[1] == "ours"
    assert models_of(data, OPENAI_API_KEY="k", GPTCODE_DEMO="1") == (
        ["demo=Demo (scripted, not a language model)@demo"], "demo",
    )  # fmt: skip
    assert isinstance(DEMO, ModelInfo)


def test_a_display_is_needed_for_a_browser() -> None:
    if sys.platform.startswith("linux"):
        assert not display_is_there({})
    assert display_is_there({"DISPLAY": ":0"})


def test_windows_and_prices_by_model(here: Path, data: Path) -> None:
    flags: dict[str, object] = {"data_dir": str(data)}
    (data / "config.toml").write_text(
        'model_context_window = 8192\n[prices]\n"gpt-4o" = {input = 2.5, output = 10}\n'
    )
    settings = load(flags, {}, here)
    assert settings.model_context_window == (("*", 8192),)
    assert settings.prices == (Price("gpt-4o", 2.5, 10.0),)
    assert settings.prices[0].of(1_000_000, 100_000) == 3.5
    table = {"GPTCODE_MODEL_CONTEXT_WINDOW": '{"qwen": 4096, "*": 16000}'}
    assert load(flags, table, here).model_context_window == (("qwen", 4096), ("*", 16000))
    plain = load(flags, {"GPTCODE_MODEL_CONTEXT_WINDOW": "4096"}, here)
    assert plain.model_context_window == (("*", 4096),)
    for bad in ("100", "[]", '{"a": "b"}', "x"):
        with pytest.raises(UsageError, match="GPTCODE_MODEL_CONTEXT_WINDOW"):
            load(flags, {"GPTCODE_MODEL_CONTEXT_WINDOW": bad}, here)
    for bad in ("[]", '{"m": 1}', '{"m": {"input": 1}}', '{"m": {"input": -1, "output": 1}}'):
        with pytest.raises(UsageError, match="GPTCODE_PRICES"):
            load(flags, {"GPTCODE_PRICES": bad}, here)


@pytest.mark.parametrize(
    ("said", "port"),
    [
        ("127.0.0.1:11500", 11500),
        (":11500", 11500),
        ("http://localhost:11500/", 11500),
        ("0.0.0.0:11500", 11500),
        ("[::1]:11500", 11500),
        ("0.0.0.0", None),
        ("gpu.example.org:11500", None),
        ("nonsense:port", None),
    ],
)
def test_where_ollama_listens_is_its_own_setting(
    here: Path, data: Path, said: str, port: int | None
) -> None:
    assert load({"data_dir": str(data)}, {"OLLAMA_HOST": said}, here).ollama_host == port
