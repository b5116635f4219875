"""How long to wait, in every shape that endpoints tell it."""

import time
from email.utils import formatdate

import pytest

from gpt_code_ui.retry_after import asked_to_wait, wait_in_words


@pytest.mark.parametrize(
    ("headers", "said", "wait"),
    [
        ({}, "", None),
        ({"retry-after": ""}, "", None),
        ({"retry-after": "0.5"}, "", 0.5),
        ({"retry-after": "-3"}, "", 0.0),
        ({"retry-after": "7", "retry-after-ms": "250"}, "", 0.25),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, "", 0.0),
        ({"retry-after": "soon"}, "", None),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after": "2"}, "Please try again in 20s.", 2.0),
        ({}, "Limit 3, Used 3. Please try again in 20s. Visit", 20.0),
        ({}, "Please try again in 6m0.5s.", 360.5),
        ({}, "Please try again in 120ms.", 0.12),
        ({}, "Please try again in 1h2m3s", 3723.0),
        ({}, "Please retry after 31 seconds", 31.0),
        ({}, '{"@type": "RetryInfo", "retryDelay": "34s"}', 34.0),
        ({}, "Please try again in a moment", None),
    ],
)
def test_the_wait(headers: dict[str, str], said: str, wait: float | None) -> None:
    assert asked_to_wait(headers, said) == (None if wait is None else pytest.approx(wait))


def test_a_date_is_counted_from_now() -> None:
    wait = asked_to_wait({"retry-after": formatdate(time.time() + 90, usegmt=True)})
    assert wait is not None and 85 < wait <= 90


def test_words_for_a_wait() -> None:
    told = [wait_in_words(seconds) for seconds in (0.2, 7, 600, 7300)]
    assert told == ["1 s", "7 s", "10 minutes", "2 hours"]
