"""Messages in the order that the strictest chat templates take: user and assistant in turn.

Mistral, Gemma, Perplexity and several local servers refuse two messages of one role in a row. Tool
results are not touched: they belong to their calls.
"""

from collections.abc import Iterable

from gpt_code_ui.protocol import AssistantMessage, ChatMessage, ToolMessage, UserMessage

BRIDGE = "I have read it."


def in_turn(messages: Iterable[ChatMessage]) -> list[ChatMessage]:
    """The messages with neighbours of one role joined."""
    joined: list[ChatMessage] = []
    for message in messages:
        last = joined[-1] if joined else None
        if isinstance(message, UserMessage) and isinstance(last, UserMessage):
            joined[-1] = UserMessage(
                text=_both(last.text, message.text), pictures=[*last.pictures, *message.pictures]
            )
        elif isinstance(message, AssistantMessage) and _is_said(last):
            assert isinstance(last, AssistantMessage)
            joined[-1] = message.model_copy(update={"text": _both(last.text, message.text)})
        else:
            joined.append(message)
    return joined


def bridged(messages: Iterable[ChatMessage]) -> list[ChatMessage]:
    """The messages with words of the assistant between a result and the user, as Mistral wants."""
    found: list[ChatMessage] = []
    for message in messages:
        if isinstance(message, UserMessage) and found and isinstance(found[-1], ToolMessage):
            found.append(AssistantMessage(text=BRIDGE))
        found.append(message)
    return found


def _is_said(message: ChatMessage | None) -> bool:
    """Whether it is an answer without calls: one with calls is followed by their results."""
    return isinstance(message, AssistantMessage) and not message.tool_calls


def _both(first: str, second: str) -> str:
    return "\n\n".join(text for text in (first, second) if text)
