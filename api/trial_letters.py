"""A playbook's letters with a customer's real data: shown, and sent as test copies to whoever looks."""

import uuid
from dataclasses import dataclass, replace

from activities.letters import Letterhead
from api.previews import NOT_A_DELIVERY, TEMPLATES, own_links
from domain.errors import (
    MessageTemplateError,
    NotFoundError,
    PermanentProviderError,
    TransientProviderError,
    UncertainDeliveryError,
)
from domain.links import LinkMaker
from domain.playbook import Playbook
from domain.ports import Clock, EmailAddress, EmailMessage, EmailSender
from domain.vocabulary import EffectState, Purpose
from integrations.invitations import CalendarInvitations
from integrations.jinja_renderer import JinjaMessageRenderer
from models.database import Database
from models.effects import settle
from models.trial_letters import TrialLetter, claim_test, trial_letters
from models.users import User
from settings import Settings

MARK = "[Test]"


def write_trial_letter(settings: Settings, letter: TrialLetter, to: User, at: Clock) -> EmailMessage:
    """Render a customer's letter, addressed to one of ours, with links that act for nobody.

    Raises MessageTemplateError, and NotFoundError where the step would reach nobody.
    """
    context = letter.context
    if context.person is None:
        raise NotFoundError(what="person at the customer whom this step means", key=letter.step_id)
    links = LinkMaker(settings.base_url, settings.signing_key)
    address = EmailAddress(settings.sender_email, settings.sender_name)
    head = Letterhead(JinjaMessageRenderer(TEMPLATES), links, address, CalendarInvitations())
    message = head.write(context, letter.order, NOT_A_DELIVERY, at.now())
    text, html = message.text, message.html
    for link in own_links(links, context):
        text, html = text.replace(link, f"{settings.base_url}/"), html.replace(link, f"{settings.base_url}/")
    return replace(
        message,
        to=EmailAddress(to.email, to.name),
        subject=f"{MARK} {message.subject}",
        text=text,
        html=html,
        purpose=Purpose.TRANSACTIONAL,
        reply_to=None,
        categories=("test",),
        headers={},
        invitation="",
    )


@dataclass(frozen=True)
class Asked:
    """Which letter somebody wants a test copy of: a step of a document, for a customer."""

    user: User
    document: Playbook
    customer_id: uuid.UUID
    step_id: str


async def send_test(
    database: Database, settings: Settings, sender: EmailSender, clock: Clock, asked: Asked
) -> str:
    """Send a letter as the customer would get it to whoever asks; returns what became of it in words.

    Claimed before and settled after, as every effect.
    """
    user = asked.user
    async with database.transaction() as session:
        letters = await trial_letters(session, asked.document, asked.customer_id, clock.now())
        letter = next((each for each in letters if each.step_id == asked.step_id), None)
        if letter is None:
            raise NotFoundError(what="message step", key=asked.step_id)
        message = write_trial_letter(settings, letter, user, clock)
        effect = await claim_test(session, user.id, letter.order.template, sender.name, clock.wall_now())
    state, error, receipt, said = EffectState.SENT, None, None, f"A test copy is on its way to {user.email}."
    try:
        receipt = (await sender.send(replace(message, delivery_id=effect.delivery_id))).provider_message_id
    except UncertainDeliveryError as problem:
        state, error, said = EffectState.UNCERTAIN, str(problem), "Nobody can say whether the copy left."
    except (TransientProviderError, PermanentProviderError) as problem:
        state, error, said = EffectState.FAILED, str(problem), f"The copy did not leave: {problem}"
    async with database.transaction() as session:
        await settle(session, effect.key, state, clock.wall_now(), provider_message_id=receipt, error=error)
    return said


def show_letters(
    settings: Settings, letters: list[TrialLetter], user: User, clock: Clock
) -> list[tuple[TrialLetter, EmailMessage | None, str]]:
    """Return each letter rendered, or why it can't be."""
    shown: list[tuple[TrialLetter, EmailMessage | None, str]] = []
    for letter in letters:
        try:
            shown.append((letter, write_trial_letter(settings, letter, user, clock), ""))
        except (MessageTemplateError, NotFoundError) as error:
            shown.append((letter, None, str(error)))
    return shown
