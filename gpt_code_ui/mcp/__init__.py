"""The Model Context Protocol, both ways: the tools of others for our models, our kernel for others.

``servers`` holds the servers in the settings and what they offer, ``service`` is ``gptcode mcp``.
Only ``connection`` and ``service`` know the ``mcp`` package, which is imported when first needed.
"""
