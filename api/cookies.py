"""The two cookies: a signed-in browser's session, and a guest's secret that its sign-in form is bound to."""

from litestar.datastructures import Cookie

from models.sessions import ABSOLUTE
from settings import Settings

SESSION, GUEST = "everstay_session", "everstay_guest"
GUEST_SECONDS = 3600


class Cookies:
    """Names and makes them. Over https the prefix ties them to this host and to Secure."""

    def __init__(self, settings: Settings) -> None:
        """Find out whether people come over https."""
        self.secure = settings.base_url.startswith("https://")
        prefix = "__Host-" if self.secure else ""
        self.session_name, self.guest_name = prefix + SESSION, prefix + GUEST

    def session(self, token: str) -> Cookie:
        """Keep a browser signed in; the server decides for how long."""
        return self._cookie(self.session_name, token, int(ABSOLUTE.total_seconds()))

    def guest(self, secret: str) -> Cookie:
        """Bind the sign-in form to this browser."""
        return self._cookie(self.guest_name, secret, GUEST_SECONDS)

    def ended(self) -> list[Cookie]:
        """Make the browser forget both."""
        return [self._cookie(name, "", 0) for name in (self.session_name, self.guest_name)]

    def _cookie(self, name: str, value: str, seconds: int) -> Cookie:
        return Cookie(
            name, value=value, max_age=seconds, path="/", httponly=True, secure=self.secure, samesite="lax"
        )
