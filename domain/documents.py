"""What all parts of a playbook share: strict, immutable, and texts whose names are known."""

from string import Template
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

END = "end"
TEXT_FIELDS = {"customer", "reason", "arr", "renewal_date", "contact", "offer_code"}


class Document(BaseModel):
    """Strict and immutable, as all parts of a playbook are."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)


def check_text(text: str) -> str:
    """Refuse a name that nothing fills."""
    names = set(Template(text).get_identifiers())
    unknown = names - TEXT_FIELDS
    if not Template(text).is_valid():
        raise ValueError("a $ stands before a name, such as $customer; write $$ for the sign itself")
    if unknown:
        message = f"unknown ${', $'.join(sorted(unknown))}; texts may use ${', $'.join(sorted(TEXT_FIELDS))}"
        raise ValueError(message)
    return text


Text = Annotated[str, AfterValidator(check_text)]
"""A sentence of a task, a warning or a prompt, with `$names` of the customer."""
