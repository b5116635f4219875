"""The pieces that only the composition root decides: models by name, and what it listens on."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpt_code_ui.data_folder import DataFolder
from gpt_code_ui.errors import NoModel, UsageError
from gpt_code_ui.instance import Instance
from gpt_code_ui.models import Models
from gpt_code_ui.program import Program, check_host, is_loopback, make_run_dir
from gpt_code_ui.settings import Settings, load


def settings(data: Path, **flags: object) -> Settings:
    return load({"data_dir": str(data), **flags}, {}, data.parent)


@pytest.fixture
def endpoint(data_dir: Path) -> Iterator[Models]:
    models = Models(settings(data_dir, base_url="http://127.0.0.1:1/v1", model="local"))
    yield models
    models.close()


def test_one_model_object_for_every_name(endpoint: Models) -> None:
    name, model = endpoint.model_for(None)
    assert name == "local"
    assert endpoint.model_for("other") == ("other", model)


def test_without_an_endpoint_there_is_no_model(data_dir: Path) -> None:
    with pytest.raises(NoModel) as failure:
        Models(settings(data_dir)).model_for("gpt-4o")
    assert failure.value.hint is not None and "--demo" in failure.value.hint


def test_the_demo_is_the_only_model_of_the_demo(data_dir: Path) -> None:
    models = Models(settings(data_dir, demo=True, api_key="k"))
    assert models.model_for(None)[0] == "demo"
    with pytest.raises(NoModel, match="this is the demo"):
        models.model_for("gpt-4o")
    models.close()


def test_the_network_is_opened_only_with_a_token_that_was_chosen(data_dir: Path) -> None:
    check_host(settings(data_dir))
    check_host(settings(data_dir, host="0.0.0.0", token="chosen"))
    with pytest.raises(UsageError, match="needs a token"):
        check_host(settings(data_dir, host="0.0.0.0"))
    assert [is_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "[::1]")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "192.168.1.2", "box")] == [False] * 4


def test_the_run_folder_is_short_and_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 80)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    path = make_run_dir()
    assert len(str(path)) <= 60
    assert path.stat().st_mode & 0o777 == 0o700
    path.rmdir()
    assert list(deep.iterdir()) == []


def test_a_start_that_fails_half_way_leaves_no_thread_and_lets_the_folder_go(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    data = DataFolder(data_dir)
    for _ in range(2):
        instance = Instance.acquire(data_dir)
        assert instance is not None
        with pytest.raises(UsageError, match="temporary folder") as failure:
            Program(settings(data_dir, port="0"), instance, data)
        assert failure.value.hint is not None and "TMPDIR" in failure.value.hint
    assert not [one for one in threading.enumerate() if one.name == "publisher"]
