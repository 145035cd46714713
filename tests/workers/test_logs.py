import logging
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
import structlog

from cli import build_app
from settings import Settings
from workers.logs import configure_logs

SECRET = "sk-live-of-nobody"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def fail(told: Callable[[str], object]) -> None:
    try:
        refuse(SECRET)
    except ValueError:
        told("it failed")


def refuse(password: str) -> None:
    message = f"a key of {len(password)} letters is refused"
    raise ValueError(message)


def says_why_without_secrets(said: str) -> bool:
    return "ValueError: a key of 17 letters is refused" in said and SECRET not in said


@pytest.mark.parametrize("log_format", ["console", "json"])
@pytest.mark.parametrize(
    "logger", [structlog.get_logger("everstay"), logging.getLogger("somebody")], ids=["ours", "foreign"]
)
def test_a_failure_in_a_part_is_logged_without_local_variables(
    log_format: Literal["console", "json"], logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(Settings(log_format=log_format))
    fail(logger.exception)
    assert says_why_without_secrets(capsys.readouterr().err)


def test_a_failure_in_a_command_is_logged_without_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    app = build_app()
    app.command("fail")(lambda: fail(structlog.get_logger().exception))
    app(["fail"], standalone_mode=False)
    assert says_why_without_secrets("".join(capsys.readouterr()))
