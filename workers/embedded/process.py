"""Processes that cannot outlive their parent, and a way to recognise one again after a restart."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PR_SET_PDEATHSIG = 1  # prctl(2)
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
STARTTIME = 22 - 3  # field 22 of proc_pid_stat(5), counted from field 3, which follows the name


@dataclass(frozen=True)
class ProcessMark:
    """One process for all time: a pid alone is given away again, a pid with its start time is not."""

    pid: int
    started: str  # which boot, and when after it: a corrected system clock changes neither
    command: str = field(compare=False)  # for people; just after a spawn it may still be empty

    @classmethod
    def of(cls, pid: int) -> "ProcessMark | None":
        """Mark a living process; None if it is gone, a zombie included."""
        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return cls(pid, _started(process), " ".join(process.cmdline()[:2]))
        except (psutil.Error, OSError):
            return None

    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        return ProcessMark.of(self.pid) == self

    def group_is_ours(self) -> bool:
        """Whether the process leads a group of its own, so that the group may be signalled as one."""
        return _group(self.pid) == self.pid

    def send(self, number: signal.Signals) -> None:
        """Signal the process and the group it leads; a process that is gone is no error."""
        if not self.is_alive():
            return
        with suppress(ProcessLookupError, PermissionError):
            (os.killpg if self.group_is_ours() else os.kill)(self.pid, number)


def _started(process: psutil.Process) -> str:
    stat = Path(f"/proc/{process.pid}/stat")
    if not stat.exists():
        return f"{process.create_time():.0f}"
    after_name = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return f"{BOOT_ID.read_text(encoding='ascii').strip()} {after_name[STARTTIME]}"


def survivors(leader: ProcessMark) -> list[ProcessMark]:
    """Return what still runs of the group that this process led.

    A pid is not given away while a group has that number, so without a leader the members can only be ours.
    """
    if leader.is_alive():
        return [leader]
    if psutil.pid_exists(leader.pid):
        return []
    members = (ProcessMark.of(pid) for pid in psutil.pids() if _group(pid) == leader.pid)
    return [mark for mark in members if mark]


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def end_leftovers(marks: list[ProcessMark], seconds: float = 3.0) -> list[ProcessMark]:
    """End those processes of a killed stack that still run, politely, then not; return the ones found."""
    found = [survivor for mark in marks for survivor in survivors(mark)]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for mark in found:
            mark.send(number)
        _wait_until_gone(found, seconds)
    return found


def _wait_until_gone(marks: list[ProcessMark], seconds: float) -> None:
    alive = []
    for mark in marks:
        with suppress(psutil.NoSuchProcess):
            if mark.is_alive():
                alive.append(psutil.Process(mark.pid))
    psutil.wait_procs(alive, timeout=seconds)


def dies_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Return a hook for the forked child: the kernel sends it `number` when its parent dies, however it dies.

    Only Linux can. The hook runs between fork and exec, so everything that it needs is loaded before.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def hook() -> None:
        prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return hook


def grant_search(path: Path) -> list[Path]:
    """Let other users pass through (not list) every folder above `path`; return the folders changed.

    Root needs this: Postgres refuses to run as root, and its own user must reach its files.
    """
    changed = []
    for folder in reversed(path.absolute().parents):
        mode = folder.stat().st_mode
        if not mode & 0o001 and folder.stat().st_uid == os.geteuid():
            folder.chmod(mode | 0o001)
            changed.append(folder)
    return changed
