"""An imported notebook's events as rows of the log: each with a time, the last about the kernel.

Times that the notebook knows are kept; between them, and where it knows none, each event comes a
millisecond after the one before, for the order of what was run is told by times.
"""

from datetime import UTC, datetime, timedelta

from gpt_code_ui.languages import plain_language
from gpt_code_ui.notebook import Imported
from gpt_code_ui.protocol import CellStarted, Event, KernelStatus

GONE = "This conversation was imported: its variables and files are not here."
STEP = timedelta(milliseconds=1)
Row = tuple[str, str, Event]


def stored_events(conversation_id: str, found: Imported, language: str) -> list[Row]:
    """What is appended to the log. ``language`` is what the kernel here runs."""
    at = datetime.now(UTC) - len(found.events) * STEP
    rows: list[Row] = []
    written = plain_language(found.language)
    for known, event in found.events:
        if isinstance(event, CellStarted) and written != "python":
            event = event.model_copy(update={"language": written})
        given = _parsed(known)
        at = given or at + STEP
        rows.append((conversation_id, known if given and known else _written(at), event))
    reason = GONE
    if found.language.lower() != language.lower():
        reason += f" It was written in {found.language}; code here runs in {language}."
    rows.append((conversation_id, _written(at), KernelStatus(state="parked", reason=reason)))
    return rows


def _parsed(known: str | None) -> datetime | None:
    if known is None:
        return None
    try:
        at = datetime.fromisoformat(known)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
