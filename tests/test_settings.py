from pathlib import Path

import pytest
from pydantic import SecretStr

from settings import PREFIX, Settings, SettingsError, load_settings
from tests.house.repository import ROOT

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable and no .env of the person who runs the tests."""
    import os

    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def documented() -> dict[str, str]:
    """The variables of .env.example with their values."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    assignments = [line.removeprefix("# ").partition("=") for line in lines if line.startswith(f"# {PREFIX}")]
    return {name: value for name, _, value in assignments}


def default_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def test_the_example_file_documents_every_variable_with_its_default_and_no_other() -> None:
    wanted = {
        PREFIX + name.upper(): default_text(field.default) for name, field in Settings.model_fields.items()
    }
    assert documented() == wanted


def test_the_example_file_says_what_each_variable_is_for_and_what_is_allowed() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert isinstance(field.json_schema_extra, dict)
        form = field.json_schema_extra["form"]
        assert f"# {field.description}\n# Allowed: {form}.\n# {PREFIX}{name.upper()}=" in text


def test_without_any_variable_the_embedded_stack_is_meant(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.home == tmp_path / ".everstay"
    assert settings.profile == "embedded"
    assert (settings.database_url, settings.temporal_address) == (None, None)
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.sendgrid_url == settings.simulators_url == "http://127.0.0.1:8025"


@pytest.mark.parametrize(
    ("name", "value", "form"),
    [
        ("API_PORT", "eighty", "a whole number from 1 to 65535"),
        ("API_PORT", "70000", "a whole number from 1 to 65535"),
        ("DATABASE_URL", "mysql://host/db", "postgresql://user:password@host:port/database"),
        ("TEMPORAL_ADDRESS", "localhost", "host:port"),
        ("TEMPORAL_TLS_CA", "missing.pem", "the path of an existing PEM file"),
        ("PUBLIC_URL", "everstay.example", "a URL that starts with http:// or https://"),
        ("PROFILE", "staging", "embedded or production"),
        ("SENDGRID_LOOKUP", "perhaps", "true or false"),
        ("SENDER_EMAIL", "nobody", "an e-mail address"),
        ("EMAIL_TIMEOUT_SECONDS", "60", "a number of seconds above 0, up to 10"),
        ("LOG_LEVEL", "loud", "debug, info, warning or error"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_the_allowed_form(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, form: str
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value) == f"{PREFIX}{name}: must be {form}."
    assert refused.value.exit_code == 2


def test_every_bad_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERSTAY_API_PORT", "x")
    monkeypatch.setenv("EVERSTAY_LOG_FORMAT", "xml")
    with pytest.raises(SettingsError, match=r"EVERSTAY_API_PORT(?s:.)*EVERSTAY_LOG_FORMAT"):
        load_settings()


def test_a_refused_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERSTAY_SECRET_KEY", "hunter2")
    with pytest.raises(SettingsError, match="EVERSTAY_SECRET_KEY") as refused:
        load_settings()
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_no_value_is_shown_when_settings_are_printed() -> None:
    settings = load_settings(
        database_url=f"postgresql://everstay:{SECRET}@db:5432/everstay",
        secret_key=SECRET,
        sendgrid_api_key=SECRET,
        temporal_api_key=SECRET,
    )
    assert SECRET not in f"{settings!r} {settings!s}"


def test_a_misspelt_variable_is_refused_with_the_nearest_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERSTAY_API_PROT", "8001")
    with pytest.raises(
        SettingsError, match=r"EVERSTAY_API_PROT: no such setting; did you mean EVERSTAY_API_PORT\?"
    ):
        load_settings()


def test_a_misspelt_variable_in_the_env_file_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("EVERSTAY_HOEM=/x\n")
    with pytest.raises(SettingsError, match="did you mean EVERSTAY_HOME"):
        load_settings()


def test_the_environment_wins_over_the_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("EVERSTAY_API_PORT=8001\nEVERSTAY_SENDER_NAME=From the file\nOTHER=1\n")
    monkeypatch.setenv("EVERSTAY_API_PORT", "8002")
    settings = load_settings()
    assert (settings.api_port, settings.sender_name) == (8002, "From the file")


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104 - what a container listens on
        ("::", "http://[::1]:8000"),
        ("fe80::1", "http://[fe80::1]:8000"),
        ("pages.internal", "http://pages.internal:8000"),
    ],
)
def test_this_machine_reaches_the_pages_wherever_they_listen(host: str, url: str) -> None:
    assert load_settings(api_host=host).local_url == url


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVERSTAY_SENDGRID_API_KEY", "")
    assert load_settings().sendgrid_api_key is None


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().api_port = 1  # type: ignore[misc] # the refusal is what is tested


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_spelling_of_a_postgres_url_is_understood(scheme: str) -> None:
    assert (
        load_settings(database_url=f"{scheme}://u:p@h:1/d").database_url == "postgresql+psycopg://u:p@h:1/d"
    )


def test_production_names_what_it_misses() -> None:
    with pytest.raises(
        SettingsError, match="EVERSTAY_DATABASE_URL, EVERSTAY_TEMPORAL_ADDRESS, EVERSTAY_SECRET_KEY"
    ):
        load_settings(profile="production")


def test_a_client_certificate_needs_its_key(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("x")
    with pytest.raises(SettingsError, match="give both or neither"):
        load_settings(temporal_tls_cert=tmp_path / "cert.pem")


@pytest.mark.parametrize(
    ("host", "key", "url"),
    [
        (None, None, "http://127.0.0.1:8025"),
        (None, SECRET, "https://api.sendgrid.com"),
        ("https://api.eu.sendgrid.com/", SECRET, "https://api.eu.sendgrid.com"),
    ],
)
def test_mail_leaves_this_machine_only_when_a_key_or_a_host_is_set(
    host: str | None, key: str | None, url: str
) -> None:
    assert load_settings(sendgrid_host=host, sendgrid_api_key=key).sendgrid_url == url


def test_the_signing_key_is_the_given_one_or_the_kept_one(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    with pytest.raises(SettingsError, match="EVERSTAY_SECRET_KEY: not set"):
        _ = settings.signing_key
    (tmp_path / "secret_key").write_text(SECRET + "\n")
    assert settings.signing_key == SECRET
    given = SecretStr("x" * 32)
    assert settings.model_copy(update={"secret_key": given}).signing_key == "x" * 32
