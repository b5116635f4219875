"""Runs a command where no cage works: ``python -m tests.no_sandbox COMMAND...``.

A filter of system calls, as a container has one, refuses namespaces and Landlock.
"""

import ctypes
import os
import sys

from gpt_code_ui.kernel.sandbox import landlock, seccomp

UNSHARE, SETNS = "unshare", "setns"


def rules(name: str) -> bytes:
    """The filter: nothing but what a cage is made of is refused."""
    column = list(seccomp.AUDIT).index(name)
    line, each = seccomp._line, seccomp._each
    lines = [line(seccomp.LOAD, seccomp.NUMBER)]
    lines += each([seccomp.CALLS[call][column] for call in (UNSHARE, SETNS)], seccomp.EPERM)
    lines += each([landlock.CREATE_RULESET, seccomp.CLONE3[column]], seccomp.ENOSYS)
    lines += seccomp._flag(seccomp.CLONE[column], 0, seccomp.CLONE_NAMESPACES)
    return b"".join([*lines, line(seccomp.RETURN, seccomp.ALLOW)])


def main() -> None:
    """Install the filter and become the command."""
    name = seccomp.machine()
    assert name is not None
    ctypes.CDLL(None).prctl(landlock.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    landlock._install(rules(name))
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
