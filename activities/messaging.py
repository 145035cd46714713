"""Messages of runs: look where the run stands, send what it asks for, and look again behind it."""

from dataclasses import replace

from temporalio import activity

from activities.contracts import AdvanceInput, MessagingContract, SendEmailInput, SendEmailResult
from activities.intervention import InterventionActivities
from activities.letters import Letterhead
from activities.posting import Posting
from domain.ports import Clock, EmailSender
from models.database import Database
from models.playbooks import PlaybookShelf
from models.posts import RunPost
from models.step_visits import Visit


class MessagingActivities(MessagingContract):
    """Sends what runs ask for."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        shelf: PlaybookShelf,
        sender: EmailSender,
        letterhead: Letterhead,
    ) -> None:
        """Take what a send needs, and what advances its run."""
        self._shelf = shelf
        self._runs = InterventionActivities(database, clock, shelf)
        self._posting = Posting(database, clock, sender, letterhead)

    @activity.defn(name="send_email")
    async def send_email(self, request: SendEmailInput) -> SendEmailResult:
        """Send one message, or say why not, and advance its run; safe to repeat at any point."""
        visit = Visit(request.intervention_id, request.step_id, request.occurrence)
        look = AdvanceInput(request.intervention_id, request.seq, request.woken_for)
        if request.looks_first:
            wanted = await self._runs.look(look)
            if wanted.send is None:
                return SendEmailResult("", next=wanted)
            visit = Visit(request.intervention_id, wanted.send.step_id, wanted.send.occurrence)
        done = await self._posting.deliver(RunPost(visit, self._shelf))
        if not request.seq:
            return done
        return replace(done, next=await self._runs.look(look, sent=True))
