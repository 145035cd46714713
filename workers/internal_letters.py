"""Turn a claimed mail to one of ours into words: links, sender and headers."""

from dataclasses import dataclass

from domain.heads_up_mail import MailKind
from domain.ports import EmailAddress, EmailMessage, MessageRenderer
from domain.vocabulary import Purpose
from models.given_up_endpoints import GivenUp
from models.heads_up_letters import InternalLetter

INTERNAL = "internal"
"""The provider's category of every such mail, so that it can be told from customers' mail."""
MOMENT = "%d %B %Y %H:%M UTC"
TEMPLATES = {
    MailKind.HEADS_UP: "heads-up",
    MailKind.MASS_ALERT: "mass-alert",
    MailKind.MASS_HELD: "mass-held",
    MailKind.DIGEST: "digest",
    MailKind.ENDPOINT: "endpoint",
}


@dataclass(frozen=True)
class InternalLetterhead:
    """What every mail to our own people shares."""

    renderer: MessageRenderer
    base_url: str
    sender: EmailAddress

    def write(self, letter: InternalLetter, delivery_id: str) -> EmailMessage:
        """Render one mail."""
        template = TEMPLATES[letter.kind]
        rendered = self.renderer.render(template, "en", self._values(letter))
        return EmailMessage(
            delivery_id=delivery_id,
            to=EmailAddress(letter.email, letter.name),
            sender=self.sender,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            purpose=Purpose.TRANSACTIONAL,
            categories=(INTERNAL, template),
            headers={"X-Everstay-Business-Time": letter.written_at.isoformat()},
        )

    def _endpoint(self, one: GivenUp) -> dict[str, object]:
        return {
            "key": one.key,
            "address": one.url,
            "since": f"{one.disabled_at:{MOMENT}}",
            "failing_since": f"{one.failing_since:{MOMENT}}",
            "reason": one.reason,
            "last_error": one.last_error or "",
            "waiting": one.waiting,
            "url": f"{self.base_url}/endpoints/{one.key}",
        }

    def _values(self, letter: InternalLetter) -> dict[str, object]:
        name, is_address = letter.name.strip(), "@" in letter.name
        links = {"inbox": f"{self.base_url}/inbox", "preferences": f"{self.base_url}/me/notifications"}
        customers = [{**one, "url": f"{self.base_url}/customers/{one['id']}"} for one in letter.customers]
        return {
            "reader": {"first_name": "" if is_address else name.split(" ")[0]},
            "customers": customers,
            "more_customers": letter.more_customers,
            "warnings": letter.warnings,
            "waiting": letter.waiting,
            "product_name": letter.product_name,
            "links": links,
            "endpoint": self._endpoint(letter.endpoint) if letter.endpoint else {},
        }
