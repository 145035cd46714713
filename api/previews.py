"""Shows what a run would send, rendered as the sending activity renders it, and sends nothing."""

from dataclasses import dataclass
from pathlib import Path

from activities.letters import Letterhead
from domain.errors import MessageTemplateError
from domain.links import LinkMaker
from domain.playbook_contacts import SendEmail
from domain.ports import EmailAddress
from domain.time import BusinessInstant
from integrations.invitations import CalendarInvitations
from integrations.jinja_renderer import JinjaMessageRenderer
from models.previews import Pending
from models.sends import SendContext
from settings import Settings

TEMPLATES = Path(__file__).resolve().parents[1] / "playbooks" / "templates"
NOT_A_DELIVERY = "preview"
SLOT = "The time is the one that would be proposed now; another is chosen where it is taken meanwhile."


@dataclass(frozen=True)
class Preview:
    """A message as its reader would see it in a reader of plain text, or why there is none."""

    step_id: str
    kind: str
    to: str = ""
    sender: str = ""
    subject: str = ""
    text: str = ""
    problem: str = ""
    note: str = ""


def preview(settings: Settings, pending: Pending, now: BusinessInstant) -> Preview:
    """Render what is pending, with what is known of its reader now."""
    step, order, context = pending.step, pending.order, pending.context
    if order is None or context is None:
        return _other(pending)
    if context.person is None:
        return Preview(step.id, step.kind, problem="Nobody whom the step means can be reached now.")
    letter = SendEmail(to=order.to, template=order.template, purpose=order.purpose)
    links = LinkMaker(settings.base_url, settings.signing_key)
    address = EmailAddress(settings.sender_email, settings.sender_name)
    head = Letterhead(JinjaMessageRenderer(TEMPLATES), links, address, CalendarInvitations())
    try:
        message = head.write(context, letter, NOT_A_DELIVERY, now)
    except MessageTemplateError as error:
        return Preview(step.id, step.kind, problem=str(error))
    text = message.text
    for link in own_links(links, context):
        text = text.replace(link, f"{settings.base_url}/…")
    to = f"{message.to.name} <{message.to.email}>"
    note = SLOT if context.meeting is not None else ""
    return Preview(step.id, step.kind, to, message.sender.name or "", message.subject, text, note=note)


def own_links(links: LinkMaker, context: SendContext) -> list[str]:
    """Return links that act for the reader: whoever previews must not follow them."""
    assert context.person is not None  # noqa: S101 - the caller looked
    contact_id = context.person.contact_id
    found = [make(contact_id) for make in (links.preferences, links.unsubscribe, links.booking)]
    if context.meeting is not None:
        answers = ("accepted", "declined", "another_time", "")
        found += [links.meeting(context.meeting.id, contact_id, answer) for answer in answers]
    return found


def _other(pending: Pending) -> Preview:
    """Return a step that sends no mail in the words of its document."""
    step = pending.step
    told = step.in_app_prompt or step.offer
    if told is None:
        return Preview(step.id, step.kind, problem="This step sends nothing.")
    return Preview(step.id, step.kind, subject=told.title, text=told.body)
