"""Customers and people named by an address instead of a source's own id.

Calendars, mailboxes and chats know nobody's ids. Their facts say `mailto:ann@acme.example` (the person with
that address, or the customer with that domain) or `domain:acme.example`; whose that is, is looked up when
they are stored.
"""

from domain.mail_domains import clean_domain, company_domain

MAILTO, DOMAIN = "mailto:", "domain:"


def by_mail(address: str) -> str:
    """Name a person, or their employer, by an e-mail address."""
    return MAILTO + address.strip().lower()


def by_domain(domain: str) -> str:
    """Name a customer by its domain."""
    return DOMAIN + domain.strip().lower()


def is_address(name: str) -> bool:
    """Tell whether a name is an address and no id."""
    return name.startswith((MAILTO, DOMAIN))


def mail_in(name: str) -> str | None:
    """Return the e-mail address in a name."""
    return name.removeprefix(MAILTO) if name.startswith(MAILTO) else None


def domain_in(name: str) -> str | None:
    """Return the domain in a name; of an e-mail address too, where it is a company's."""
    if name.startswith(DOMAIN):
        return clean_domain(name.removeprefix(DOMAIN))
    return company_domain(mail_in(name))


def is_mail(text: object) -> bool:
    """Tell whether a text looks like an e-mail address."""
    local, at, domain = str(text or "").strip().rpartition("@")
    return bool(local and at and "." in domain and not any(each.isspace() for each in f"{local}{domain}"))
