"""`everstay user …`: the people who sign in."""

import json
from typing import Annotated

import typer

from domain.vocabulary import Role

users = typer.Typer(no_args_is_help=True, help="The people who sign in, and what they may do.")

Email = Annotated[str, typer.Argument(help="The e-mail address that they sign in with.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Generate = Annotated[bool, typer.Option("--generate", help="Make a password and print it, once.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


def register(app: typer.Typer) -> None:
    """Add `everstay user`."""
    app.add_typer(users, name="user")


@users.command()
def add(  # noqa: PLR0913  the columns of a user, each an option
    email: Email,
    role: Annotated[Role, typer.Option(help="What they may do.")],
    name: Annotated[str, typer.Option(help="Their name.")] = "",
    title: Annotated[str, typer.Option(help="Their job title, shown under e-mails.")] = "",
    team: Annotated[str | None, typer.Option(help="Their team.")] = None,
    manager: Annotated[str | None, typer.Option(help="Their manager's e-mail address.")] = None,
    time_zone: Annotated[str, typer.Option(help="Such as Europe/Berlin.")] = "UTC",
    *,
    generate: Generate = False,
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Add someone, with a password from a prompt, from standard input or made here."""
    from workers.accounts import NewUser, add_account
    from workers.console import in_transaction, located_settings, read_password

    settings = located_settings()
    password, is_ours = read_password(generate=generate, from_stdin=password_stdin)
    wanted = NewUser(email, name, role, title, team, manager, time_zone)
    user = in_transaction(settings, lambda session: add_account(session, wanted, password))
    shown = {"email": user.email, "role": str(user.role), **({"password": password} if is_ours else {})}
    _tell(shown, f"{user.email} may sign in as {user.role}.", as_json=as_json)


@users.command()
def role(email: Email, role: Annotated[Role, typer.Argument(help="What they may do from now on.")]) -> None:
    """Change what someone may do, from their next request on."""
    from models.users import set_role
    from workers.console import in_transaction, located_settings

    user = in_transaction(located_settings(), lambda session: set_role(session, email, role))
    typer.echo(f"{user.email} is {user.role} now.")


@users.command()
def disable(email: Email) -> None:
    """End someone's access and every session of theirs, at once."""
    from models.clock import wall_now
    from models.users import disable_user
    from workers.console import in_transaction, located_settings

    user = in_transaction(located_settings(), lambda session: disable_user(session, email, wall_now()))
    typer.echo(f"{user.email} is disabled and signed out.")


@users.command()
def enable(email: Email) -> None:
    """Give a disabled user their access back."""
    from models.users import enable_user
    from workers.console import in_transaction, located_settings

    user = in_transaction(located_settings(), lambda session: enable_user(session, email))
    typer.echo(f"{user.email} may sign in again as {user.role}.")


@users.command()
def password(email: Email, *, generate: Generate = False, password_stdin: FromStdin = False) -> None:
    """Set a new password; every session of theirs ends."""
    from workers.accounts import change_password
    from workers.console import in_transaction, located_settings, read_password

    settings = located_settings()
    new, is_ours = read_password(generate=generate, from_stdin=password_stdin)
    in_transaction(settings, lambda session: change_password(session, email, new))
    shown = {"email": email, **({"password": new} if is_ours else {})}
    _tell(shown, f"{email} has a new password and is signed out everywhere.", as_json=False)


@users.command()
def link(
    email: Email,
    *,
    anywhere: Annotated[
        bool, typer.Option("--anywhere", help="Valid from every address, not from this machine alone.")
    ] = False,
) -> None:
    """Print a link that signs someone in once, within a day."""
    from workers.accounts import sign_in_path
    from workers.console import in_transaction, located_settings

    settings = located_settings()
    path = in_transaction(settings, lambda session: sign_in_path(session, email, local_only=not anywhere))
    typer.echo(settings.base_url + path)


@users.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List everyone who may or might sign in."""
    from models.users import list_users
    from workers.accounts import as_rows, as_table
    from workers.console import in_transaction, located_settings

    found = in_transaction(located_settings(), list_users)
    typer.echo(json.dumps(as_rows(found), indent=2) if as_json else as_table(found))


def _tell(shown: dict[str, str], sentence: str, *, as_json: bool) -> None:
    """Print what was done; a password that we made is shown here and never again."""
    if as_json:
        typer.echo(json.dumps(shown))
        return
    typer.echo(sentence)
    if "password" in shown:
        typer.echo(f"Password, shown once: {shown['password']}")
