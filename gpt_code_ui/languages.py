"""The languages of kernels, by the names that kernelspecs give them, in lower case.

A language that is not in the table is one all the same, known by its own name.
"""

from collections.abc import Mapping

# How people write it, and the other words that models put on a block of it.
_KNOWN: Mapping[str, tuple[str, frozenset[str]]] = {
    "python": ("Python", frozenset({"python3", "py", "py3", "ipython"})),
    "bash": ("Bash", frozenset({"sh", "shell", "zsh"})),
    "typescript": ("TypeScript", frozenset({"ts", "javascript", "js", "deno"})),
    "javascript": ("JavaScript", frozenset({"js", "node", "typescript", "ts"})),
    "r": ("R", frozenset({"rlang"})),
    "julia": ("Julia", frozenset({"jl"})),
    "c++": ("C++", frozenset({"cpp", "cxx", "c++17", "c++20"})),
    "c++17": ("C++17", frozenset({"cpp", "cxx", "c++"})),
    "rust": ("Rust", frozenset({"rs"})),
    "go": ("Go", frozenset({"golang"})),
    "ruby": ("Ruby", frozenset({"rb"})),
    "octave": ("Octave", frozenset({"matlab"})),
    "sql": ("SQL", frozenset({"sqlite", "postgresql", "mysql"})),
    "ocaml": ("OCaml", frozenset({"ml"})),
    "c#": ("C#", frozenset({"csharp", "cs"})),
    "f#": ("F#", frozenset({"fsharp", "fs"})),
}
_SAME: Mapping[str, str] = {"ipython": "python", "python3": "python", "sh": "bash", "shell": "bash"}


def plain_language(name: str) -> str:
    """The name under which it is kept; ``unknown`` where a kernelspec names none."""
    lower = name.strip().lower()
    return _SAME.get(lower, lower) or "unknown"


def shown_language(language: str) -> str:
    """As people write it."""
    known = _KNOWN.get(language)
    return known[0] if known else language.capitalize()


def words_for(language: str) -> frozenset[str]:
    """The words of a fenced block of it, in lower case."""
    known = _KNOWN.get(language)
    return (known[1] if known else frozenset()) | {language}
