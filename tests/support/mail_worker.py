"""A process that mails warnings and stops around a send, so that a test can kill it there."""

from integrations.sendgrid_sender import SendGridEmailSender, SendGridOptions
from integrations.simulators.account import SIMULATOR_API_KEY
from models.clock import open_clock
from models.database import Database
from tests.support.forked import Told
from tests.support.office import letterhead
from tests.support.worker_at import Point, StoppingSender
from workers.heads_up_mail import HeadsUpMail


def simulated(url: str) -> SendGridEmailSender:
    """The real adapter, against the simulator there."""
    return SendGridEmailSender(
        SendGridOptions(SIMULATOR_API_KEY, url, 5.0, has_look_up=True, settle_seconds=0.0)
    )


async def mail_until_killed(told: Told, database_url: str, simulator: str, point: str) -> None:
    """Go round once and stop at the point, for ever."""
    database = Database(database_url)
    clock = await open_clock(database)
    sender = StoppingSender(simulated(simulator), Point(point, told))
    await HeadsUpMail(database, clock, sender, letterhead()).round()
