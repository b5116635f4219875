"""Events as rows: JSON that reads back as the very event that was stored."""

import json
import logging

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from gpt_code_ui.protocol import DELTA_TYPES, Event, Published, event_adapter

log = logging.getLogger(__name__)


def utf8(text: str) -> str:
    """``text`` without lone surrogates, which code may print and UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()


def encode(event: Event) -> tuple[Event, str]:
    """An event as it will be read back, and its JSON."""
    if event.type in DELTA_TYPES:
        raise ValueError(f"{event.type} is for the screen and is not stored")
    try:
        return event, event.model_dump_json(exclude_none=True)
    except PydanticSerializationError:
        body = utf8(json.dumps(event.model_dump(exclude_none=True), ensure_ascii=False))
        return event_adapter.validate_json(body), body


def decode(row: tuple[int, str, str, str]) -> Published | None:
    seq, conversation_id, at, body = row
    try:
        event = event_adapter.validate_json(body)
    except ValidationError as error:
        log.error("event %d of conversation %s cannot be read: %s", seq, conversation_id, error)
        return None
    return Published(seq=seq, conversation_id=conversation_id, at=at, event=event)
