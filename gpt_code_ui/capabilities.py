"""What is known of each model at each endpoint, learnt from its answers and never asked for.

An endpoint that refuses a part of a request says so; ``adapted`` reads what it says and tells how
to ask instead. A fact is remembered only when the answer that followed from it was good.
"""

import json
import logging
import re
import threading
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from gpt_code_ui.private_file import write_private

log = logging.getLogger(__name__)

SMALLEST_WINDOW, LARGEST_WINDOW = 128, 100_000_000
MOST_MODELS = 2000
PICTURES = "image_url"
_NUMBER = r"(\d[\d,._]*\d)"
_WINDOWS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf'"n_ctx\\*"\s*:\s*{_NUMBER}',
        rf"(?:context|model|sequence|input) (?:length|window|size)(?: limit)?"
        rf"(?: is| of| for this model is|:| =)?(?: only| just)?[ (:=]*{_NUMBER}",
        rf"(?:available|max(?:imum)?) context[ \w]*\({_NUMBER}",
        rf"\bn_ctx\b[ (:=]*{_NUMBER}",
        rf"max_model_len\b\D{{0,12}}{_NUMBER}",
        rf"number of tokens allowed \({_NUMBER}",
        rf"too (?:long|large)\W.{{0,40}}> *{_NUMBER} max",
        rf"max_new_tokens\W.{{0,20}}<=? *{_NUMBER}",
    )
)
_REFUSES = (
    r"unsupported|(?:not|n't|no longer) (?:be )?(?:support|permit|allow|accept|available)|forbidden"
    r"|unrecogni[sz]ed|unknown|unexpected|deprecated|extra inputs|only the default|(?:in|not )valid"
)
_NO_STREAM = re.compile(
    r"verified to stream"
    r"|stream(?:ing)?\W.{0,40}(?:unsupported|(?:not|n't)\W.{0,20}(?:support|allow))"
    r"|(?:not|n't) (?:support|allow)\w*.{0,30}\bstream(?:ing)?\b|\bstream\W.{0,20}must be false",
    re.IGNORECASE,
)
_NOT_BOTH = re.compile(r"\btools?\b with stream|stream\w*\W.{0,40}with tools?\b", re.IGNORECASE)
_NO_TOOLS = re.compile(
    r"(?:tools?|function.?call(?:ing|s)?)\b.{0,60}(?:not supported|unsupported|not enabled"
    r"|not available|requires? --)|(?:not|n't) (?:support|allow).{0,40}(?:tool|function)"
    r"|unsupported.{0,30}\btools?\b|endpoints found that support (?:the provided .)?tool",
    re.IGNORECASE,
)
_NO_SYSTEM = re.compile(
    r"\bsystem.{0,3} (?:role|messages?|prompts?|instructions?)\b.{0,30}(?:not|n't|un)\W?(?:\w+ )?"
    r"(?:support|enabled|allow)|does not support .{0,3}system\b"
    r"|developer instruction is not enabled|only user.{0,20}assistant.{0,20}roles are supported",
    re.IGNORECASE,
)
_BRIDGES = re.compile(r"role\W{1,6}user\W{1,6}after role\W{1,6}tool\b", re.IGNORECASE)
_NO_REASONING = re.compile(
    rf"reasoning_content.{{0,80}}(?:{_REFUSES})|(?:{_REFUSES}).{{0,60}}reasoning_content",
    re.IGNORECASE,
)
_WANTS_REASONING = re.compile(
    r"reasoning_content.{0,120}(?:must|missing|required|pass)|missing.{0,20}reasoning_content",
    re.IGNORECASE,
)

# A model that takes text only says so in many ways; the second half are servers whose content can
# only be text at all.
_NO_VISION = re.compile(
    r"image_url\b.{0,40}only supported by certain"
    r"|images?[ _](?:input|content|url|part)s?\b.{0,60}"
    r"(?:(?:not|n't) (?:be )?(?:support|enabl|avail|allow|accept)|unsupported)"
    r"|(?:not|n't) (?:support|accept|handle|process|have)\w*.{0,40}"
    r"\b(?:images?|vision|visual|multi-?modal|pictures?)\b(?!.{0,20}(?:larger|format|size|type))"
    r"|endpoints found that support (?:the )?image|missing data required for image"
    r"|(?:not|n't) (?:a |an |compiled for )?(?:multi-?modal|vision)|at most 0 image|mmproj"
    r"|only (?:support|accept|take)s? text|text[- ]only model"
    r"|unknown variant\W{0,4}image_url|invalid type: sequence, expected a string"
    r"|ChatCompletionRequestContent|content.{0,20}(?:must|should) be a (?:valid )?string"
    r"|Input should be \W{0,3}text\b",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"\bimages?\b|image_url|\bvision\b|multi-?modal|\bpictures?\b", re.IGNORECASE)
_BAD_PICTURE = re.compile(
    r"(?:invalid|unsupported)[_ ]image|make sure|image[_ ](?:parse|size|format|too)|decod|corrupt"
    r"|damaged|too (?:large|big|many)|larger than|exceed|format|dimension|download|base64|flagged"
    r"|filter|polic|safety",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Capabilities:
    """What a model can do; None: not known yet.

    ``usage``: counts tokens of a stream when asked. ``max_completion_tokens``: wants that name for
    the limit of an answer, not ``max_tokens``. ``temperature``: takes one. ``reasoning``: thinks
    aloud. ``wants_reasoning``: has to be sent its own thinking back. ``opens_thinking``: its text
    begins inside the thinking. ``bridges``: wants words of its own between a result and the next
    message of the user. ``context_window`` in tokens.
    """

    streams: bool | None = None
    tools: bool | None = None
    vision: bool | None = None
    context_window: int | None = None
    max_completion_tokens: bool | None = None
    temperature: bool | None = None
    reasoning: bool | None = None
    wants_reasoning: bool | None = None
    usage: bool | None = None
    opens_thinking: bool | None = None
    system: bool | None = None
    bridges: bool | None = None

    def differences(self, before: "Capabilities") -> dict[str, Any]:
        """The facts that are not as before, by name."""
        old = asdict(before)
        return {name: value for name, value in asdict(self).items() if value != old[name]}


UNKNOWN = Capabilities()


def adapted(known: Capabilities, said: str, sent: Collection[str]) -> Capabilities | None:
    """What the refusal ``said`` tells beyond ``known``; None: it tells nothing that helps.

    ``sent``: the names of the fields in the request that was refused, and PICTURES if there were.
    """
    change: dict[str, Any] = {}
    if "stream_options" in sent and "stream_options" in said:
        change = {"usage": False}
    elif PICTURES in sent and _NO_VISION.search(said):
        change = {"vision": False}
    elif _names(said, "max_tokens", sent):
        change = {"max_completion_tokens": True}
    elif _names(said, "max_completion_tokens", sent):
        change = {"max_completion_tokens": False}
    elif _names(said, "temperature", sent):
        change = {"temperature": False}
    elif _WANTS_REASONING.search(said):
        change = {"wants_reasoning": True}
    elif _NO_REASONING.search(said):
        change = {"wants_reasoning": False}
    elif _NO_SYSTEM.search(said):
        change = {"system": False}
    elif _BRIDGES.search(said):
        change = {"bridges": True}
    elif "stream" in sent and _NOT_BOTH.search(said):
        change = {"streams": False}
    elif "tools" in sent and (_is_param(said, "tools") or _NO_TOOLS.search(said)):
        change = {"tools": False}
    elif "stream" in sent and (_is_param(said, "stream") or _NO_STREAM.search(said)):
        change = {"streams": False}
    elif (
        PICTURES in sent
        and _PICTURE.search(said)
        and re.search(_REFUSES, said, re.IGNORECASE)
        and not _BAD_PICTURE.search(said)
    ):
        change = {"vision": False}
    told = replace(known, **change)
    return told if told != known else None


def is_about_a_picture(said: str) -> bool:
    """Whether a refusal speaks of a picture, perhaps of this one only."""
    return _PICTURE.search(said) is not None


def _names(said: str, name: str, sent: Collection[str]) -> bool:
    if name not in sent or not re.search(rf"\b{name}\b", said):
        return False
    return _is_param(said, name) or re.search(_REFUSES, said, re.IGNORECASE) is not None


def _is_param(said: str, name: str) -> bool:
    return re.search(rf'"param\\*"\s*:\s*\\*"{name}\\*"', said) is not None


def window_in(said: str) -> int | None:
    """The context window that an error names, in tokens."""
    for pattern in _WINDOWS:
        found = pattern.search(said)
        if found:
            number = int(re.sub(r"\D", "", found.group(1)))
            if SMALLEST_WINDOW <= number <= LARGEST_WINDOW:
                return number
    return None


class CapabilityStore:
    """Keeps what is known by (base URL, model); in a file that only its owner can read.

    Without a path it forgets at the end. A file that cannot be read or written costs only memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, Capabilities]] | None = None

    def get(self, base_url: str, model: str) -> Capabilities:
        """What is known; all None for a model that never answered."""
        with self._lock:
            return self._read().get(_key(base_url), {}).get(model, UNKNOWN)

    def learn(self, base_url: str, model: str, **facts: bool | int | None) -> None:
        """Remember facts; those not named stay."""
        with self._lock:
            models = self._read().setdefault(_key(base_url), {})
            before = models.get(model, UNKNOWN)
            after = replace(before, **facts)  # type: ignore[arg-type]
            if after != before and (model in models or len(models) < MOST_MODELS):
                models[model] = after
                self._write()

    def forget(self, base_url: str, model: str) -> None:
        """Learn anew what the model takes: its server may have been started in another way.

        Its window stays, for only an error tells it.
        """
        with self._lock:
            models = self._read().get(_key(base_url), {})
            if model in models:
                models[model] = Capabilities(context_window=models[model].context_window)
                self._write()

    def _read(self) -> dict[str, dict[str, Capabilities]]:
        if self._known is None:
            self._known = _parsed(self._path)
        return self._known

    def _write(self) -> None:
        if self._path is None or self._known is None:
            return
        rows = {
            url: {model: _told(facts) for model, facts in models.items()}
            for url, models in self._known.items()
        }
        try:
            write_private(self._path, json.dumps(rows, indent=1, ensure_ascii=False).encode())
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error)


def _key(base_url: str) -> str:
    """The address without a password and without a last slash."""
    scheme, slashes, rest = base_url.rpartition("://")
    return f"{scheme}{slashes}{rest.rpartition('@')[2]}".rstrip("/")


def _told(facts: Capabilities) -> dict[str, Any]:
    return {name: value for name, value in asdict(facts).items() if value is not None}


def _parsed(path: Path | None) -> dict[str, dict[str, Capabilities]]:
    try:
        rows = json.loads(path.read_bytes()) if path is not None else {}
        return {
            url: {model: _facts(row) for model, row in models.items()}
            for url, models in rows.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
        log.warning("%s cannot be read and is begun anew: %s", path, error)
        return {}


def _facts(row: Mapping[str, Any]) -> Capabilities:
    kinds = {one.name: int if one.name == "context_window" else bool for one in fields(UNKNOWN)}
    good: dict[str, Any] = {
        name: value for name, value in row.items() if name in kinds and type(value) is kinds[name]
    }
    return Capabilities(**good)
