"""What installs packages: how it shows in code, and the code that does it for given names.

A hint only: it decides whether a cell that was allowed to run finds the servers of packages.
"""

import re
from collections.abc import Sequence

from gpt_code_ui.errors import InvalidValue

INSTALLS = re.compile(
    r"""^\s*(?:[%!]\s*)(?:\S*python[\d.]*\s+-m\s+)?pip3?\s+install\b
    |["']pip["']\s*,\s*["']install["']""",
    re.MULTILINE | re.VERBOSE,
)
# A name with extras and versions; no options, no address, no path.
REQUIREMENT = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[A-Za-z0-9._, -]+\])?"
    r"(?:(?:[=!<>~]=|[<>])[A-Za-z0-9.*+!_-]+(?:,(?:[=!<>~]=|[<>])[A-Za-z0-9.*+!_-]+)*)?"
)
MOST = 50


def installs_packages(code: str) -> bool:
    """Whether a line of the code is an installation by pip."""
    return INSTALLS.search(code) is not None


def install_code(packages: Sequence[str]) -> str:
    """The cell that installs packages. Raises InvalidValue for what is no name of one."""
    names = [one.strip() for one in packages]
    if not names or len(names) > MOST:
        raise InvalidValue(f"packages: between one and {MOST} names.")
    for name in names:
        if REQUIREMENT.fullmatch(name) is None:
            raise InvalidValue(
                f"packages: {name[:80]!r} is no name of a package.", hint="Like pandas or numpy>=2."
            )
    # What compares versions would be a redirection to the shell that runs the line.
    return "%pip install " + " ".join(f'"{n}"' if re.search(r"[<>!~*,\[]", n) else n for n in names)
