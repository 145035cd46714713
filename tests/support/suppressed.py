"""Addresses that the simulated SendGrid holds back."""

import httpx

from integrations.simulators.account import SIMULATOR_API_KEY

KEY = {"authorization": f"Bearer {SIMULATOR_API_KEY}"}
GLOBAL, GROUP = "/v3/asm/suppressions/global", "/v3/asm/groups/7/suppressions"


async def bounce(http: httpx.AsyncClient, *addresses: str) -> None:
    """Let mail to them bounce at the provider."""
    for address in addresses:
        await http.put("/_control/faults", json={"fault": "bounce", "prefix": address})
        mail = {
            "personalizations": [{"to": [{"email": address}]}],
            "from": {"email": "maya@vendor.example"},
            "subject": "Hello",
            "content": [{"type": "text/plain", "value": "Hello"}],
        }
        assert (await http.post("/v3/mail/send", json=mail)).status_code == 202
    await http.delete("/_control/faults")
