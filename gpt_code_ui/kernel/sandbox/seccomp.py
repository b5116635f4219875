"""The system calls that no kernel gets, as a filter for Linux's seccomp; standard library only.

In a cage with a network of its own this keeps new namespaces, other people's keyrings and the
kernel's less guarded doors shut. Under Landlock, which knows neither UDP nor Unix sockets nor file
modes, it has to do more: see ``Rules``. Numbers from the kernel's own tables (asm/unistd.h).
"""

import platform
import struct
from collections.abc import Iterable
from dataclasses import dataclass

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
EPERM, ENOSYS, EACCES, EAFNOSUPPORT, PRETEND = 1, 38, 13, 97, 0
LOAD, EQUAL, AT_LEAST, ANY_BIT, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
X32_BIT = 0x40000000
CLONE_NAMESPACES = 0x7E020080  # CLONE_NEW*: mount, cgroup, uts, ipc, user, pid, network, time
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
STREAM, TYPE_MASK, NETLINK_ROUTE = 1, 0xF, 0
MSG_FASTOPEN = 0x20000000

AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# name: (x86_64, aarch64); None where the machine has no such call.
CALLS: dict[str, tuple[int | None, int | None]] = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "pidfd_getfd": (438, 438), "perf_event_open": (298, 241),
    "bpf": (321, 280), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97), "setns": (308, 268),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "open_by_handle_at": (304, 265),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "swapon": (167, 224),
    "swapoff": (168, 225), "reboot": (169, 142), "acct": (163, 89), "quotactl": (179, 60),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266),
    "adjtimex": (159, 171), "syslog": (103, 116), "fanotify_init": (300, 262),
    "lookup_dcookie": (212, 18), "vhangup": (153, 58), "iopl": (172, None), "ioperm": (173, None),
    "uselib": (134, None), "sysfs": (139, None),
}  # fmt: skip
# Under Landlock only: what it does not know, or what a namespace would have kept apart.
SHARED = {
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190),
    "semop": (65, 193), "semctl": (66, 191), "msgget": (68, 186), "msgsnd": (69, 189),
    "msgrcv": (70, 188), "msgctl": (71, 187), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14),
    "lremovexattr": (198, 15), "fremovexattr": (199, 16),
}  # fmt: skip
# Landlock cannot stop a change of mode, owner or time of any file that is ours. Programs that copy
# files do these on their way: they are told it went well, and nothing is done.
PRETENDED = {
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88),
}  # fmt: skip
CLONE, CLONE3, PRLIMIT64 = (56, 220), (435, 435), (302, 261)
SOCKET, CONNECT = (41, 198), (42, 203)
SENDTO, SENDMSG, SENDMMSG = (44, 206), (46, 211), (307, 269)


@dataclass(frozen=True)
class Rules:
    """``sockets``: ``own`` in a network namespace, ``listen`` where only being connected to, by
    name in a folder, is allowed, ``none``. ``landlock``: also refuse what that leaves open."""

    sockets: str = "own"
    landlock: bool = False


def machine() -> str | None:
    """The machine's name if there is a filter for it."""
    name = platform.machine()
    return name if name in AUDIT else None


def program(rules: Rules, name: str) -> bytes:
    """The filter as the array of ``struct sock_filter`` that the system and bwrap read."""
    column = list(AUDIT).index(name)
    lines = [_line(LOAD, ARCHITECTURE), _line(EQUAL, AUDIT[name], 1, 0), _line(RETURN, KILL)]
    lines += [_line(LOAD, NUMBER)]
    if name == "x86_64":
        lines += [_line(AT_LEAST, X32_BIT, 0, 1), _refuse(EPERM)]
    lines += _each((call[column] for call in CALLS.values()), EPERM)
    # A filter cannot look into the structure that clone3 takes; libraries then use clone.
    lines += _each([CLONE3[column]], ENOSYS)
    if rules.landlock:
        lines += _each((call[column] for call in SHARED.values()), EPERM)
        lines += _each((call[column] for call in PRETENDED.values()), PRETEND)
        # Only its own limits are a program's business.
        lines += _flag(PRLIMIT64[column], 0, 0xFFFFFFFF)
    if rules.sockets != "own":
        lines += _each([CONNECT[column]], EACCES)
        lines += _flag(SENDTO[column], 3, MSG_FASTOPEN)
        lines += _flag(SENDMSG[column], 2, MSG_FASTOPEN)
        lines += _flag(SENDMMSG[column], 3, MSG_FASTOPEN)
    lines += _flag(CLONE[column], 0, CLONE_NAMESPACES)
    lines += _socket(SOCKET[column], rules)
    lines += [_line(RETURN, ALLOW)]
    return b"".join(lines)


def _line(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _refuse(errno: int) -> bytes:
    return _line(RETURN, ERRNO | errno)


def _each(numbers: Iterable[int | None], errno: int) -> list[bytes]:
    return [
        line for number in numbers if number is not None
        for line in (_line(EQUAL, number, 0, 1), _refuse(errno))
    ]  # fmt: skip


def _argument(index: int) -> bytes:
    """Its lower half, which is all of these arguments that counts; little-endian machines."""
    return _line(LOAD, ARGUMENTS + 8 * index)


def _block(number: int, inside: list[bytes]) -> list[bytes]:
    """``inside`` for one call; the number is loaded again after it."""
    return [
        _line(EQUAL, number, 0, len(inside) + 1), *inside, _line(LOAD, NUMBER),
    ]  # fmt: skip


def _flag(number: int, index: int, bits: int) -> list[bytes]:
    """Refuse a call when one of ``bits`` is set in an argument."""
    return _block(number, [_argument(index), _line(ANY_BIT, bits, 0, 1), _refuse(EPERM)])


def _socket(number: int, rules: Rules) -> list[bytes]:
    """Which sockets can be made. libzmq aborts where it cannot make one of AF_NETLINK."""
    if rules.sockets == "none":
        return _block(number, [_refuse(EACCES)])
    done = _line(RETURN, ALLOW)
    netlink = [_argument(2), _line(EQUAL, NETLINK_ROUTE, 1, 0), _refuse(EAFNOSUPPORT), done]
    if rules.sockets == "own":
        unix = internet = [done]
    else:
        kind = [_argument(1), _line(AND, TYPE_MASK), _line(EQUAL, STREAM, 1, 0), _refuse(EACCES)]
        # Not even to listen: that takes a port by itself, which Landlock's rule of bind() misses.
        unix, internet = [*kind, done], [_refuse(EACCES)]
    lines = [_argument(0)]
    for family, rule in (
        (AF_UNIX, unix), (AF_NETLINK, netlink), (AF_INET, internet), (AF_INET6, internet),
    ):  # fmt: skip
        lines += [_line(EQUAL, family, 0, len(rule)), *rule]
    return _block(number, [*lines, _refuse(EAFNOSUPPORT)])
