import os
import signal
import socket
from collections.abc import Callable, Iterator

import pytest

from models import server
from tests.support.homes import temporary_home
from tests.workers.embedded.support import DEADLINE, RunningServices, fresh_settings, wait_until
from workers.embedded import postgres
from workers.embedded.connection import connect_temporal
from workers.embedded.process import ProcessMark
from workers.embedded.runtime import locate
from workers.embedded.status import describe

pytestmark = pytest.mark.e2e

Start = Callable[[], RunningServices]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the services on one home, as often as asked."""
    with temporary_home() as home:
        settings, started = fresh_settings(home), []

        def begin() -> RunningServices:
            started.append(RunningServices(settings))
            return started[-1]

        yield begin
        for running in started:
            running.end()


async def remember(running: RunningServices, word: str) -> None:
    """Leave something in Postgres and in Temporal."""
    located = locate(running.settings)
    assert located.database_url is not None
    await server.ensure_database(located.database_url, word)
    client = await connect_temporal(located)
    await client.start_workflow("NobodyRunsThis", id=word, task_queue="nobody")


async def remembers(running: RunningServices, word: str) -> bool:
    located = locate(running.settings)
    client = await connect_temporal(located)
    kept = await client.get_workflow_handle(word).describe()
    there = await server.answers(postgres.url(located.home, located.postgres_port, word))
    return there and kept.status is not None and kept.status.name == "RUNNING"


def gone(family: list[ProcessMark]) -> bool:
    return not any(mark.is_alive() for mark in family)


def ends_well(running: RunningServices, number: signal.Signals) -> None:
    """Send the signal; everything is gone in time, and Postgres was shut down, not cut off."""
    family = running.family()
    running.process.send_signal(number)
    assert running.process.wait(10) == 0
    assert gone(family)
    assert not (postgres.data_folder(running.settings.home) / "postmaster.pid").exists()


async def test_a_started_stack_can_be_found_and_stops_in_time_without_leaving_a_process(start: Start) -> None:
    running = start()
    running.healthy()
    found = describe(running.settings)
    assert found.healthy
    assert set(found.parts) == {"postgres", "temporal"}
    assert found.postgres == f"127.0.0.1:{running.settings.postgres_port}"
    assert found.temporal_ui == f"http://127.0.0.1:{running.settings.temporal_ui_port}"
    await remember(running, "found")
    assert await remembers(running, "found")
    ends_well(running, signal.SIGTERM)
    assert "Everstay has stopped." in running.output()


def test_a_second_copy_is_refused_and_killed_children_are_started_again(start: Start) -> None:
    running = start()
    running.healthy()
    second = start()
    assert second.process.wait(DEADLINE) == 1
    refusal = second.output()
    assert f"(pid {running.process.pid})" in refusal
    assert "everstay down" in refusal
    for name in ("temporal", "postgres"):
        is_started_again(running, name)
    ends_well(running, signal.SIGINT)
    said = running.output()
    for name in ("temporal", "postgres"):
        assert f"{name} died (killed by SIGKILL); restart in 0.5 s" in said


def is_started_again(running: RunningServices, name: str) -> None:
    before = running.state().parts[name].mark
    assert before is not None
    os.kill(before.pid, signal.SIGKILL)
    wait_until(lambda: running.state().parts[name].restarts >= 1, "the restart is counted")
    wait_until(lambda: running.state().is_healthy(), "it is healthy again")
    assert describe(running.settings).parts[name].pid != before.pid


async def test_after_any_kill_nothing_lives_on_and_a_new_start_goes_on(start: Start) -> None:
    first = start()
    first.healthy()
    await remember(first, "kept")
    family = first.family()
    first.process.kill()
    wait_until(lambda: gone(family), "the children died with their parent", 10)

    second = start()
    second.healthy()
    assert await remembers(second, "kept")
    for mark in [*second.family(), ProcessMark.of(second.process.pid)]:
        assert mark is not None
        mark.send(signal.SIGKILL)
    pid_file = postgres.data_folder(second.settings.home) / "postmaster.pid"
    second.process.wait(DEADLINE)
    pid_file.write_text(f"{os.getpid()}\n" + pid_file.read_text().split("\n", 1)[1])  # a stranger's by now

    third = start()
    third.healthy()
    assert await remembers(third, "kept")


def test_a_taken_port_is_named_with_its_holder_and_the_way_out() -> None:
    with temporary_home() as home, socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        refused = RunningServices(fresh_settings(home).model_copy(update={"postgres_port": taken}))
        assert refused.process.wait(DEADLINE) == 1
        message = refused.output()
    assert f"Port {taken} (Postgres, EVERSTAY_POSTGRES_PORT) is taken by" in message
    assert f"(pid {os.getpid()})" in message
    assert "--auto-ports" in message
