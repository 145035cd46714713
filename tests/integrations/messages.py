from domain.ports import EmailAddress, EmailMessage
from domain.vocabulary import Purpose


def email(delivery_id: str = "delivery-1", to: str = "anna@globex.example", **headers: str) -> EmailMessage:
    return EmailMessage(
        delivery_id=delivery_id,
        to=EmailAddress(to, "Anna Bergström"),
        sender=EmailAddress("maya@vendor.example", "Maya Lind"),
        reply_to=EmailAddress("replies@vendor.example"),
        subject="Ein Gruß, Anna ✓",
        text="Hello Anna,\n\nhow is it going?\n",
        html='<p>Hello Anna, <a href="https://vendor.example/book?a=1&amp;b=2">how is it going?</a></p>',
        purpose=Purpose.LIFECYCLE,
        categories=("stay-in-touch", "retention"),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
