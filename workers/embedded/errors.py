from domain.errors import EverstayError


class StackNotRunningError(EverstayError):
    """The stack is not running: start it with make up."""


class StackRunningError(EverstayError):
    """Everstay already runs on {home} (pid {pid}): see `everstay status`, or stop it with `everstay down`."""


class PortTakenError(EverstayError):
    """{lines} Free them, set the named variables, or let `everstay up --auto-ports` choose free ones."""


class StartFailedError(EverstayError):
    """{name} did not start: {reason}. Its log is {log}; it ends with these lines. {tail}"""  # noqa: D400 - ends with a log

    def __str__(self) -> str:
        """Put the log lines below the sentence."""
        return super().__str__().replace(" it ends with these lines. ", " it ends with these lines:\n")


class BinaryMissingError(EverstayError):
    """{program} is missing at {place}: run `make setup`, or reinstall the package {package}."""


class OldDataError(EverstayError):
    """{place} was made by Postgres {found}, and this is {wanted}: docs/runbook.md says how to move it."""
