"""A conversation as a Jupyter notebook, out and in again, and as the files made from a notebook.

What of ours has no place in the format stands in metadata under one name, ``gptcode``, so that a
notebook of ours becomes the same conversation again. A notebook of others keeps what it had.
"""

from gpt_code_ui.notebook.export import METADATA_KEY, PYTHON_SPEC, notebook
from gpt_code_ui.notebook.formats import FORMATS, Rendered, ipynb_text, render
from gpt_code_ui.notebook.reading import Imported, read_notebook

__all__ = [
    "FORMATS",
    "METADATA_KEY",
    "PYTHON_SPEC",
    "Imported",
    "Rendered",
    "ipynb_text",
    "notebook",
    "read_notebook",
    "render",
]
