"""Who serves models: what is configured, what was found on this computer, and the keys to both."""

from gpt_code_ui.providers.book import Provider, ProviderBook
from gpt_code_ui.providers.keys import KeyStore
from gpt_code_ui.providers.local import LocalServer, LocalServers

__all__ = ["KeyStore", "LocalServer", "LocalServers", "Provider", "ProviderBook"]
