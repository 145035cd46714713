import asyncio

import pytest

from workers import beside


async def test_a_loop_that_fails_starts_again_and_takes_nobody_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "BACK_OFF_SECONDS", (0.0,))
    tries, alive = 0, asyncio.Event()

    async def job() -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            message = "Postgres is away"
            raise ConnectionError(message)
        alive.set()
        await asyncio.Event().wait()

    loop = asyncio.create_task(beside.supervised("job", job))
    await asyncio.wait_for(alive.wait(), 5)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    assert tries == 3
    assert loop.cancelled()
