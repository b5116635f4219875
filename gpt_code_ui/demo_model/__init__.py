"""The demo: a scripted model behind the same port as a real one. It is no language model.

It keeps nothing between requests: what it does next follows from the messages alone, and every
number in its text was printed by code that ran. It reads a file, repairs what goes wrong with an
encoding or a title line, describes it, plots it, writes a result; and it runs typed Python.
"""

from gpt_code_ui.demo_model.model import DemoModel

__all__ = ["DemoModel"]
