"""A Local-Code-Interpreter config.json becomes a provider; what it does not become is told."""

import json
from pathlib import Path

import pytest

from gpt_code_ui.cli import main
from gpt_code_ui.models import Models
from gpt_code_ui.settings import load

KEY = "sk-from-the-file-012345"
AZURE = {
    "API_TYPE": "azure",
    "API_base": "https://corp.example",
    "API_VERSION": "2023-07-01-preview",
    "API_KEY": KEY,
    "MODEL": {
        "GPT-4": {"model_name": "our-gpt4", "available": True},
        "GPT-3.5": {"model_name": "our-gpt35", "available": False},
    },
    "model_context_window": {"our-gpt4": 8192},
    "surprise": 1,
}


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


def run(data_dir: Path, config: object, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    path = data_dir.parent / "config.json"
    path.write_text(config if isinstance(config, str) else json.dumps(config))
    code = main(["import-config", str(path), "--data-dir", str(data_dir)])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_azure_is_taken_over(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(data_dir, AZURE, capsys)
    assert code == 0
    assert KEY not in said
    assert said.splitlines() == [
        "took  API_TYPE: azure",
        "took  API_base",
        "took  API_VERSION: 2023-07-01-preview",
        "took  MODEL GPT-4: our-gpt4",
        "left  MODEL GPT-3.5: it is not available",
        "took  the model new conversations begin with: our-gpt4",
        "took  API_KEY, kept in a file only you can read",
        "left  model_context_window: to keep it, set "
        'GPTCODE_MODEL_CONTEXT_WINDOW={"our-gpt4": 8192}',
        "left  'surprise': it has no meaning here",
        "The provider is called 'imported' in the list of models.",
    ]
    models = Models(load({"data_dir": str(data_dir)}, {}, data_dir.parent))
    [shown] = models.book.shown()
    assert (shown["kind"], shown["base_url"]) == ("azure", "https://corp.example")
    assert (shown["key_in"], models.default()) == ("file", "imported/our-gpt4")


def test_a_second_import_replaces_the_first_and_nothing_else(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load({"data_dir": str(data_dir)}, {}, data_dir.parent)
    data_dir.mkdir(exist_ok=True)
    Models(settings).change([{"id": "other", "base_url": "http://o/v1", "key": "other-key-1"}])
    run(data_dir, AZURE, capsys)
    run(data_dir, {"API_KEY": "", "MODEL": {}}, capsys)
    found = [(one["id"], one["kind"], one["key_in"]) for one in Models(settings).book.shown()]
    assert found == [("other", "openai", "file"), ("imported", "openai", None)]


@pytest.mark.parametrize("config", ["{", "[]", "{}", {"API_base": "ftp://x", "MODEL": {}}])
def test_what_is_no_config_is_refused(
    data_dir: Path, config: object, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(data_dir, config, capsys)
    assert code == 2
    assert said.startswith("gptcode: ")


def test_a_file_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import-config"]) == 2
    assert "import-config needs a file" in capsys.readouterr().err
