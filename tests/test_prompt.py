"""The system prompt names the files, and their names can be read back."""

import pytest

from gpt_code_ui.prompt import MAX_FILES, files_named_in, system_prompt, with_rules
from gpt_code_ui.protocol import FileEntry, SandboxLevel


def entry(path: str, modified: float = 0, size: int = 1234) -> FileEntry:
    return FileEntry(path=path, size=size, modified=modified)


def test_an_empty_folder_is_said_to_be_empty() -> None:
    text = system_prompt([])
    assert "The folder is empty now." in text
    assert "execute_code" in text
    assert "{{" not in text
    assert files_named_in(text) == []


@pytest.mark.parametrize("level", ["bwrap", "landlock", "none"])
def test_the_model_is_told_of_the_cage(level: SandboxLevel) -> None:
    text = system_prompt([], level)
    assert "{{" not in text
    assert ("no network" in text, "%pip" in text) == (level != "none", level != "landlock")


def test_files_come_newest_first_whatever_their_name() -> None:
    names = ['a "b".csv', "北京 1.csv", "x\\y.txt", "sub/z, 5 bytes.csv"]
    text = system_prompt([entry(name, modified=at) for at, name in enumerate(names)])
    assert files_named_in(text) == list(reversed(names))
    assert '- "北京 1.csv", 1,234 bytes' in text


def test_many_files_are_cut_and_counted() -> None:
    text = system_prompt([entry(f"{number}.csv", modified=number) for number in range(205)])
    assert len(files_named_in(text)) == MAX_FILES
    assert "- and 5 more, not named here" in text


def test_house_rules_stand_at_the_end() -> None:
    assert with_rules("S\n") == "S\n"
    assert with_rules("S\n", None, "  ", "") == "S\n"
    whole = with_rules("S\n", "Be brief.\n", "Use polars.")
    heading = "# House rules\n\nThe person asks you to follow these in all you do:"
    assert whole == f"S\n\n{heading}\n\nBe brief.\n\nUse polars."


def test_the_model_is_told_whether_there_is_a_network() -> None:
    off, on = (system_prompt([], "bwrap", network=network) for network in (False, True))
    assert ("no network" in off, "by a proxy" in off) == (True, False)
    assert ("no network" in on, "by a proxy" in on) == (False, True)
    # These have it always, and never.
    assert system_prompt([], "none", network=False) == system_prompt([], "none", network=True)
    assert "no network" in system_prompt([], "landlock", network=True)
