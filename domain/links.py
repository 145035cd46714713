"""Links that a message carries: they name a person by a signed token, so that no one can guess another's."""

import base64
import datetime as dt
import hashlib
import hmac
import uuid
from dataclasses import dataclass

from domain.vocabulary import Purpose


@dataclass(frozen=True)
class BillingLink:
    """What a link to the page of a case names: the case, who got the letter, and the business day of it."""

    case_id: uuid.UUID
    contact_id: uuid.UUID
    written_on: dt.date


@dataclass(frozen=True)
class LinkMaker:
    """Makes and checks the links to our own pages. `secret` is the installation's key."""

    public_url: str
    secret: str

    def token(self, contact_id: uuid.UUID) -> str:
        """Return the token that stands for a contact in a link."""
        return f"{contact_id.hex}-{self._signature(contact_id)}"

    def contact_of(self, token: str) -> uuid.UUID | None:
        """Return whom a token stands for, None for one that we did not make."""
        name, _, signature = token.partition("-")
        try:
            contact_id = uuid.UUID(hex=name)
        except ValueError:
            return None
        genuine = hmac.compare_digest(signature.encode(), self._signature(contact_id).encode())
        return contact_id if genuine else None

    def preferences(self, contact_id: uuid.UUID) -> str:
        """Return the page where a person chooses what we write about."""
        return f"{self.public_url}/preferences/{self.token(contact_id)}"

    def unsubscribe(self, contact_id: uuid.UUID, purpose: Purpose | None = None) -> str:
        """Return the address that a POST ends mail of a class with, or all optional mail; a GET only asks."""
        if purpose is None:
            return f"{self.public_url}/unsubscribe/{self.token(contact_id)}"
        signature = self._sign(_class_bytes(contact_id, purpose))
        return f"{self.public_url}/unsubscribe/{contact_id.hex}.{purpose.value}-{signature}"

    def unsubscribe_of(self, token: str) -> tuple[uuid.UUID, Purpose | None] | None:
        """Return who opts out of which class (None is all), None for a token that we did not make."""
        names, _, signature = token.partition("-")
        name, dot, named = names.partition(".")
        if not dot:
            contact_id = self.contact_of(token)
            return (contact_id, None) if contact_id is not None else None
        try:
            contact_id, purpose = uuid.UUID(hex=name), Purpose(named)
        except ValueError:
            return None
        ours = self._sign(_class_bytes(contact_id, purpose))
        return (contact_id, purpose) if hmac.compare_digest(signature.encode(), ours.encode()) else None

    def booking(self, contact_id: uuid.UUID) -> str:
        """Return where a person asks for a call."""
        return f"{self.public_url}/talk/{self.token(contact_id)}"

    def meeting(self, meeting_id: uuid.UUID, contact_id: uuid.UUID, answer: str = "") -> str:
        """Return where a person answers an invitation; following it changes nothing, a button there does."""
        token = f"{meeting_id.hex}{contact_id.hex}-{self._sign(_meeting_bytes(meeting_id, contact_id))}"
        return f"{self.public_url}/meeting/{token}" + (f"?answer={answer}" if answer else "")

    def meeting_of(self, token: str) -> tuple[uuid.UUID, uuid.UUID] | None:
        """Return the meeting and the invited person of a token, None for one that we did not make."""
        names, _, signature = token.partition("-")
        try:
            meeting_id, contact_id = uuid.UUID(hex=names[:32]), uuid.UUID(hex=names[32:])
        except ValueError:
            return None
        ours = self._sign(_meeting_bytes(meeting_id, contact_id))
        genuine = hmac.compare_digest(signature.encode(), ours.encode())
        return (meeting_id, contact_id) if genuine else None

    def billing(self, link: BillingLink) -> str:
        """Return where a person pays, enters another card or comes back; only a button does anything."""
        token = f"{_billing_name(link)}-{self._sign(_billing_bytes(link))}"
        return f"{self.public_url}/billing/{token}"

    def billing_of(self, token: str) -> BillingLink | None:
        """Return what a token names, None for one that we did not make."""
        names, _, signature = token.partition("-")
        try:
            case_id, contact_id = uuid.UUID(hex=names[:32]), uuid.UUID(hex=names[32:64])
            link = BillingLink(case_id, contact_id, dt.date.fromisoformat(names[64:]))
        except ValueError:
            return None
        ours = self._sign(_billing_bytes(link))
        genuine = names == _billing_name(link) and hmac.compare_digest(signature.encode(), ours.encode())
        return link if genuine else None

    def _signature(self, contact_id: uuid.UUID) -> str:
        return self._sign(contact_id.bytes)

    def _sign(self, named: bytes) -> str:
        digest = hmac.new(self.secret.encode(), named, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:18]).decode().rstrip("=")


def _class_bytes(contact_id: uuid.UUID, purpose: Purpose) -> bytes:
    """Return what a link out of one class signs, which is no other link's."""
    return b"unsubscribe/" + purpose.value.encode() + b"/" + contact_id.bytes


def _meeting_bytes(meeting_id: uuid.UUID, contact_id: uuid.UUID) -> bytes:
    """Return what is signed: longer than a contact's id, so that neither token passes for the other."""
    return b"meeting/" + meeting_id.bytes + contact_id.bytes


def _billing_name(link: BillingLink) -> str:
    return f"{link.case_id.hex}{link.contact_id.hex}{link.written_on:%Y%m%d}"


def _billing_bytes(link: BillingLink) -> bytes:
    """Return what is signed, the day with it: nobody makes an old link young."""
    return b"billing/" + _billing_name(link).encode()
