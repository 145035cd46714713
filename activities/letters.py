"""Turn a claimed message into a letter: words, links, sender and headers."""

from dataclasses import dataclass

from domain.invitations import Invitation, InvitationWriter, PlannedMeeting
from domain.links import BillingLink, LinkMaker
from domain.meeting_words import say_time
from domain.ports import EmailAddress, EmailMessage, MessageRenderer
from domain.time import BusinessInstant
from domain.vocabulary import Purpose
from models.addressees import Person
from models.sends import Order, SendContext


@dataclass(frozen=True)
class Letterhead:
    """What every message of this installation shares. The verified sender address carries the CSM's name."""

    renderer: MessageRenderer
    links: LinkMaker
    sender: EmailAddress
    invitations: InvitationWriter

    def write(
        self, context: SendContext, order: Order, delivery_id: str, now: BusinessInstant
    ) -> EmailMessage:
        """Render one message for one person."""
        person = context.person
        assert person is not None  # noqa: S101 - the guard let it pass
        links = {
            "preferences_url": self.links.preferences(person.contact_id),
            "unsubscribe_url": self.links.unsubscribe(person.contact_id),
            "booking_url": self.links.booking(person.contact_id),
            "billing_url": self._page(context, person, now),
        }
        values = {**context.values, "links": links, "business_date": now.date()}
        if context.meeting is not None:
            values |= self._about(context.meeting, person, links)
        rendered = self.renderer.render(order.template, person.locale, values)
        headers = {"X-Everstay-Business-Time": now.isoformat()}
        if order.purpose is not Purpose.TRANSACTIONAL:
            one_click = self.links.unsubscribe(person.contact_id, order.purpose)
            headers["List-Unsubscribe"] = f"<{one_click}>"
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return EmailMessage(
            delivery_id=delivery_id,
            to=EmailAddress(person.email, person.name),
            sender=EmailAddress(self.sender.email, str(context.values["sender"]["name"])),
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            purpose=order.purpose,
            reply_to=EmailAddress(context.reply_to) if context.reply_to else None,
            categories=(context.playbook_key, order.purpose.value),
            headers=headers,
            invitation=self._invitation(context.meeting, person, now) if context.meeting else "",
        )

    def _page(self, context: SendContext, person: Person, now: BusinessInstant) -> str:
        """Return where the reader pays or comes back, nothing where the letter has no such page."""
        if context.page_of is None:
            return ""
        return self.links.billing(BillingLink(context.page_of, person.contact_id, now.date()))

    def _about(self, meeting: PlannedMeeting, person: Person, links: dict[str, str]) -> dict[str, object]:
        """Return what an invitation says of its meeting, in the reader's language and time."""
        at = say_time(meeting.starts_at, meeting.time_zone, person.locale)
        told = {"title": meeting.title, "minutes": meeting.minutes, **vars(at)}
        answers = {"accept_url": "accepted", "decline_url": "declined", "propose_url": "another_time"}
        urls = {
            name: self.links.meeting(meeting.id, person.contact_id, answer)
            for name, answer in answers.items()
        }
        return {"meeting": told, "links": {**links, **urls}}

    def _invitation(self, meeting: PlannedMeeting, person: Person, now: BusinessInstant) -> str:
        """Return the same invitation for the reader's calendar."""
        url = self.links.meeting(meeting.id, person.contact_id)
        invitation = Invitation(
            meeting=meeting,
            organiser=meeting.organiser or self.sender,
            attendee=EmailAddress(person.email, person.name),
            sender=self.sender,
            description=f"{meeting.title}\n\n{url}",
            url=url,
            written_at=now,
        )
        return self.invitations.write(invitation)
