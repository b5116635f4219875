"""Which models the page offers, from settings alone: no endpoint is asked before a turn."""

from urllib.parse import urlsplit

from gpt_code_ui.protocol import ModelInfo
from gpt_code_ui.setting_types import ModelChoice
from gpt_code_ui.settings import Settings

DEMO = ModelInfo(
    id="demo",
    name="Demo (scripted, not a language model)",
    provider="demo",
    tools=True,
    vision=False,
)
BUILT_IN = (
    ModelChoice("gpt-4o", "GPT-4o"),
    ModelChoice("gpt-4o-mini", "GPT-4o mini"),
    ModelChoice("gpt-4.1", "GPT-4.1"),
    ModelChoice("gpt-4.1-mini", "GPT-4.1 mini"),
)


def model_list(settings: Settings) -> tuple[list[ModelInfo], str | None]:
    """The rows of the dropdown, and the id of the default; no rows without an endpoint."""
    if settings.demo:
        return [DEMO], DEMO.id
    if settings.api_key is None and settings.base_url is None:
        return [], None
    choices = list(_named(settings))
    names = [choice.name for choice in choices]
    if settings.model is not None and settings.model not in names:
        choices.insert(0, ModelChoice(settings.model, settings.model))
    provider = provider_of(settings)
    rows = [ModelInfo(id=one.name, name=one.display_name, provider=provider) for one in choices]
    return rows, settings.model or rows[0].id


def _named(settings: Settings) -> tuple[ModelChoice, ...]:
    azure = settings.api_type == "azure"
    own, other = settings.models, settings.azure_deployments
    named = (other or own) if azure else (own or other)
    if named or settings.model is not None:
        return named
    return BUILT_IN


def provider_of(settings: Settings) -> str:
    """Who serves the models, in a word: ``openai``, ``azure``, or the endpoint's host."""
    if settings.api_type == "azure":
        return "azure"
    if settings.base_url is None:
        return "openai"
    parts = urlsplit(settings.base_url)
    if parts.hostname == "api.openai.com":
        return "openai"
    return parts.netloc.rpartition("@")[2]
