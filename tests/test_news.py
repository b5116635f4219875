"""What the model is told of what happened without it."""

from gpt_code_ui.news import News
from gpt_code_ui.protocol import (
    Attachment,
    CellFinished,
    Event,
    FileChanges,
    FilesChanged,
    KernelState,
    KernelStatus,
    Published,
    TurnStarted,
)

GONE = "and its variables, imports and functions are gone"


def told(*events: Event) -> dict[str, str]:
    news = News()
    for event in events:
        news.apply(Published(conversation_id="c", at="", event=event))
    return news.by_turn


def turn(id: str, *attached: str) -> TurnStarted:
    files = [Attachment(path=path) for path in attached]
    return TurnStarted(turn_id=id, prompt="go", model="m", attachments=files)


def files(
    added: tuple[str, ...] = (), changed: tuple[str, ...] = (), removed: tuple[str, ...] = ()
) -> FilesChanged:
    return FilesChanged(
        files=FileChanges(added=list(added), changed=list(changed), removed=list(removed))
    )


def kernel(*states: KernelState) -> list[KernelStatus]:
    return [KernelStatus(state=state) for state in states]


RAN = CellFinished(cell_id="x", status="ok")


def test_nothing_is_news_before_the_first_turn() -> None:
    assert told(*kernel("starting", "idle"), files(("a.csv",)), turn("1"), turn("2")) == {}


def test_files_that_came_changed_and_went() -> None:
    events = [
        turn("1"), files(("a.csv", "b.csv")), files(removed=("old.csv", "b.csv")),
        files(("old2.csv",), changed=("c.csv", "a.csv")), files(removed=("r",)), files(("r",)),
        files(("attached.csv",)), turn("2", "attached.csv"), turn("3"),
    ]  # fmt: skip
    assert told(*events) == {
        "2": "files added: a.csv, old2.csv; files changed: c.csv, r; files removed: old.csv"
    }


def test_many_files_are_counted() -> None:
    many = tuple(f"{n}.txt" for n in range(25))
    assert told(turn("1"), files(many), turn("2"))["2"].endswith("19.txt and 5 more")


def test_variables_that_are_gone() -> None:
    restarted = kernel("restarting", "idle")
    events = [turn("1"), *kernel("starting", "idle"), RAN, *restarted, turn("2"), *restarted]
    assert told(*events, turn("3")) == {"2": f"the kernel was restarted, {GONE}"}
    assert told(RAN, *kernel("dead"), turn("1")) == {"1": f"the kernel was lost, {GONE}"}
    assert told(RAN, *kernel("parked"), turn("1")) == {"1": f"the kernel was ended, {GONE}"}


def test_a_kernel_that_had_run_nothing_has_nothing_to_lose() -> None:
    not_run = CellFinished(cell_id="x", status="not_run")
    assert told(turn("1"), not_run, *kernel("dead", "starting", "idle"), turn("2")) == {}
