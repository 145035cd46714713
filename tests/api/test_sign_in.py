import pytest

from models.database import Database
from tests.support.web import Client, sign_in, someone

pytestmark = pytest.mark.integration


async def test_the_right_password_opens_a_session_and_goes_on_where_it_was_asked(
    client: Client, database: Database
) -> None:
    await someone(database)
    answer = await sign_in(client, "CSM@example.com", next="/inbox?owner=me")
    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox?owner=me")
