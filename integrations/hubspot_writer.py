"""Writing at HubSpot: properties of companies, and notes. The token needs the scopes to write both."""

import html
from collections.abc import Mapping

from domain.errors import TransientProviderError, UncertainDeliveryError
from domain.time import BusinessInstant
from integrations.provider_http import ProviderHttp

NOTE_TO_COMPANY = 190
"""HubSpot's own type of an association from a note to a company."""


class HubSpotWriter:
    """Writes with one connection's token."""

    def __init__(self, http: ProviderHttp) -> None:
        """Take the connection."""
        self._http = http

    async def set_properties(self, company: str, properties: Mapping[str, str]) -> None:
        """Set properties; what is in doubt may be repeated, so it counts as not taken."""
        try:
            path = f"/crm/v3/objects/companies/{company}"
            await self._http.write("PATCH", path, {"properties": dict(properties)})
        except UncertainDeliveryError as error:
            raise TransientProviderError(**error.details) from None

    async def add_note(self, company: str, text: str, delivery_id: str, at: BusinessInstant) -> str:
        """Leave a note; its last line is what it is found by."""
        body = f"{html.escape(text)}<br><br>Everstay {delivery_id}"
        kind = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": NOTE_TO_COMPANY}
        note = {
            "properties": {"hs_timestamp": at.isoformat(), "hs_note_body": body},
            "associations": [{"to": {"id": company}, "types": [kind]}],
        }
        answer = await self._http.write("POST", "/crm/v3/objects/notes", note)
        return str(answer["id"])

    async def find_note(self, delivery_id: str) -> str | None:
        """Search for the note that carries this delivery id."""
        one = {"propertyName": "hs_note_body", "operator": "CONTAINS_TOKEN", "value": delivery_id}
        query = {"filterGroups": [{"filters": [one]}], "limit": 1}
        answer = await self._http.post("/crm/v3/objects/notes/search", query)
        return next((str(row["id"]) for row in answer["results"]), None)
