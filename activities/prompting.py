"""The step `in_app_prompt`: rows that the customer's own product asks for and shows."""

from domain.ports import Clock
from models.database import Database
from models.prompts import offer_prompts
from models.step_records import Became, LoadedVisit


class PromptPerformer:
    """Offers prompts, all in one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take what an offer needs."""
        self._database, self._clock = database, clock

    async def perform(self, loaded: LoadedVisit) -> Became:
        """Offer, put off, or say why not."""
        async with self._database.transaction() as session:
            return await offer_prompts(session, loaded, self._clock.now(), self._clock.wall_now())
