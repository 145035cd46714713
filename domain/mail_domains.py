"""Which part of an e-mail address names a company, and which only a mail provider."""

FREE = frozenset(
    """
    aol.com fastmail.com free.fr gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net googlemail.com hey.com
    hotmail.co.uk hotmail.com hotmail.fr icloud.com laposte.net libero.it live.com mac.com mail.com mail.ru
    me.com msn.com naver.com orange.fr outlook.com proton.me protonmail.com qq.com t-online.de tutanota.com
    web.de yahoo.co.jp yahoo.co.uk yahoo.com yahoo.de yahoo.fr yandex.ru ymail.com zoho.com 126.com 163.com
    """.split()  # noqa: SIM905 - a table
)
"""Domains at which anybody may have an address: they name no company."""


def clean_domain(text: str | None) -> str | None:
    """Return a domain as it is compared: lower case, without scheme, `www.`, path or port."""
    if not text:
        return None
    host = text.strip().lower().removeprefix("https://").removeprefix("http://").removeprefix("www.")
    host = host.split("/", 1)[0].split(":", 1)[0].rstrip(".")
    return host if "." in host and " " not in host else None


def company_domain(email: str | None) -> str | None:
    """Return the domain of an address, None where it is a free mail provider's."""
    if not email or "@" not in email:
        return None
    domain = clean_domain(email.rsplit("@", 1)[1])
    return None if domain in FREE else domain
