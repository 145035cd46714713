"""The sample rows as a template database: filled once per test run, copied per test."""

from models.database import Database
from tests.support.aside import aside
from tests.support.postgres import create_database
from tests.support.sample_rows import Sample, fill

TEMPLATE = "everstay_sample"
CUSTOMERS = 30


def make_template(postgres_url: str, migrated_template: str, name: str = TEMPLATE) -> Sample:
    """Fill the template and close it, since an open database cannot be copied."""
    url = create_database(postgres_url, name, migrated_template)
    return aside(lambda: _fill(url))


async def _fill(url: str) -> Sample:
    database = Database(url)
    try:
        async with database.transaction() as session:
            return await fill(session, customers=CUSTOMERS)
    finally:
        await database.close()
