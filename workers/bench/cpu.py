"""Processor time of a process and its children: what work costs, whatever else the machine does."""

import psutil


def cpu_seconds(pid: int) -> float:
    """Return the seconds spent by a process, its children, and those of them that have ended."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(_spent(member) for member in family)


def _spent(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
