"""Figures in Chinese, Japanese and Korean out of the box: which fonts, and who chose others."""

from collections.abc import Mapping
from pathlib import Path

FAMILIES_WANTED = 3
# Lists the installed fonts that have Chinese glyphs, for ``choose_families``.
FONT_QUERY = ("fc-list", ":lang=zh", "--format=%{index}|%{style[0]}|%{family}\\n")


def own_matplotlibrc(env: Mapping[str, str]) -> Path | None:
    """The person's matplotlib settings, which are then left alone, by matplotlib's own rules."""
    if "MATPLOTLIBRC" in env:
        return Path(env["MATPLOTLIBRC"])
    home = Path(env.get("HOME") or Path.home())
    config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
    own = (
        Path(env["MPLCONFIGDIR"]) if "MPLCONFIGDIR" in env else None,
        config / "matplotlib",
        home / ".matplotlib",
    )
    files = (folder / "matplotlibrc" for folder in own if folder is not None)
    return next((file for file in files if file.is_file()), None)


def matplotlibrc(families: list[str]) -> str:
    """Settings under which a glyph that one family lacks is taken from the next.

    Only ``font.family`` itself falls back glyph by glyph, and only over families that are there.
    The last comes with matplotlib and has the minus sign that some Chinese ones lack. Nothing
    else is set: a figure without such glyphs looks as it does in any other Jupyter.
    """
    quoted = ", ".join(["sans-serif", *families, "DejaVu Sans"])
    return f"font.family: {quoted}\n"


def choose_families(listing: str) -> list[str]:
    """The families of ``index|style|family,...`` lines that matplotlib can use, best first.

    Of a collection (.ttc) it reads the first face only, so others would be names without a font.
    """
    found: dict[str, int] = {}
    for line in listing.splitlines():
        index, _, rest = line.partition("|")
        style, _, names = rest.partition("|")
        family = next((n for n in names.split(",") if n.isascii()), "")
        if index != "0" or not family or "," in family:
            continue
        score = sum(word in family for word in ("Serif", "Mono", "Ming", "Song", "Kai")) * 2
        score += style not in ("Regular", "Normal", "Book", "Medium", "Bold")
        found[family] = min(score, found.get(family, score))
    return sorted(found, key=lambda family: (found[family], family))[:FAMILIES_WANTED]
