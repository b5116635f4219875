"""Numbers, acknowledgements and resending, by themselves."""

import pytest

from gpt_code_ui.bus.reliable import Inbox, Numbered, Outbox, Resume


def test_outbox_resends_what_the_peer_has_not() -> None:
    outbox = Outbox()
    for body in (b"a", b"b", b"c", b"d"):
        outbox.put(body, 0)
    assert [outbox.take(), outbox.take(), outbox.take()] == [
        Numbered(1, b"a"),
        Numbered(2, b"b"),
        Numbered(3, b"c"),
    ]
    outbox.acknowledge(1)
    assert outbox.first == 2
    outbox.resume(2)
    assert [outbox.take(), outbox.take(), outbox.take()] == [
        Numbered(3, b"c"),
        Numbered(4, b"d"),
        None,
    ]
    outbox.acknowledge(99)
    assert outbox.first == 5


def test_inbox_takes_each_number_once_and_notices_a_hole() -> None:
    inbox = Inbox()
    inbox.resume(b"life", 1)
    assert inbox.accept(Numbered(1, b"a"))
    assert not inbox.accept(Numbered(1, b"a"))
    with pytest.raises(ValueError, match="message 3 came after 1"):
        inbox.accept(Numbered(3, b"c"))
    inbox.resume(b"life", 1)
    assert not inbox.accept(Numbered(1, b"a"))
    inbox.resume(b"next life", 7)
    assert inbox.accept(Numbered(7, b"g"))
    assert inbox.received == 7


def test_inbox_owes_until_it_pays() -> None:
    inbox = Inbox()
    inbox.resume(b"life", 1)
    assert not inbox.owes
    inbox.accept(Numbered(1, b"a"))
    assert inbox.owes
    assert not inbox.overdue
    inbox.accept(Numbered(2, bytes(2_000_000)))
    assert inbox.overdue
    assert inbox.paid() == 2
    assert not inbox.owes


def test_resume_survives_the_wire() -> None:
    resume = Resume(b"e" * 16, b"k" * 16, 12, 7)
    assert Resume.unpack(resume.pack()) == resume
    with pytest.raises(ValueError, match="bytes"):
        Resume.unpack(b"short")
