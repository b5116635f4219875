"""What a proof leaves in an exported notebook: its result, package versions, hashes of inputs."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from gpt_code_ui.protocol import InputFile, Transcript

KEY = "gptcode"


def replay_note(transcript: Transcript) -> dict[str, Any] | None:
    """What a notebook's metadata says of the last proof; None without one."""
    proof = transcript.proof
    if proof is None:
        return None
    result = proof.result.model_dump(
        mode="json", exclude_none=True, exclude={"type", "replay_id", "purpose"}
    )
    return {"at": proof.at, "stale": proof.stale, **result}


def noted_inputs(metadata: Mapping[str, Any]) -> list[InputFile]:
    """The inputs that a notebook's metadata names; anybody may have written it."""
    try:
        return [InputFile.model_validate(one) for one in metadata[KEY]["replay"]["inputs"]]
    except (KeyError, TypeError, ValidationError):
        return []
