"""The page's types are those of protocol.py."""

from scripts import gen_types


def test_the_pages_types_are_written_from_the_protocol() -> None:
    assert gen_types.TARGET.read_text(encoding="utf-8") == gen_types.render(), "run 'make types'"


def test_every_event_has_an_interface() -> None:
    text = gen_types.render()
    assert "export type ConversationEvent =\n  | KernelStatus\n  | TurnStarted" in text
    assert "  seq?: number;\n" in text
    assert " unknown" in text
    assert "Any" not in text
