"""Salesforce's outbound messages: SOAP, at most 100 notifications, unordered and sometimes repeated."""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError  # the types; defusedxml parses

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
ACK = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack>'
    "</notificationsResponse></soapenv:Body></soapenv:Envelope>"
)
"""What Salesforce wants to hear; with anything else it tries again, for up to a day."""


@dataclass(frozen=True)
class Notification:
    """One record that a flow or a workflow rule sent: the fields that it was told to send, as text."""

    id: str
    kind: str
    fields: dict[str, str]


def organization_of(body: bytes) -> str:
    """Return the organisation that a message says it is from, empty where it says nothing."""
    return next((each.text or "" for each in _all(_parsed(body), "OrganizationId")), "")


def notifications_in(body: bytes) -> list[Notification]:
    """Return the notifications; raises ValueError for what is no such message."""
    found = [_notification(each) for each in _all(_parsed(body), "Notification")]
    if not found:
        raise ValueError("the body holds no Notification: send it from a Salesforce outbound message")
    return found


def _parsed(body: bytes) -> Element:
    try:
        root: Element = fromstring(body)
    except (ParseError, DefusedXmlException, LookupError) as error:
        raise ValueError(f"the body is no XML: {type(error).__name__}") from error
    return root


def _all(root: Element, name: str) -> Iterator[Element]:
    return (each for each in root.iter() if _local(each.tag) == name)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _notification(element: Element) -> Notification:
    record = next(_all(element, "sObject"), None)
    if record is None:
        raise ValueError("a Notification holds no sObject")
    own = next((each.text or "" for each in element if _local(each.tag) == "Id"), "")
    kind = record.get(TYPE, "").rpartition(":")[2]
    fields = {_local(each.tag): (each.text or "").strip() for each in record}
    return Notification(own, kind, {name: value for name, value in fields.items() if value})
