"""People of the sample rows at their browsers."""

from models.clock import wall_now
from models.database import Database
from models.sessions import start_session
from tests.support.sample_rows import Sample
from tests.support.web import SESSION, Client


async def come_as(browser: Client, database: Database, sample: Sample, name: str) -> None:
    """Sign a person of the sample in, without the form."""
    async with database.transaction() as session:
        token = await start_session(session, sample.users[name], wall_now())
    browser.cookies.set(SESSION, token)
