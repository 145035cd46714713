"""`everstay playbook`: documents checked, planned, applied, exported and tried out."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from settings import Settings

Document = dict[str, Any]
Run = Callable[[Settings], Coroutine[Any, Any, Document]]
Shown = Callable[[Document], str]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Place = Annotated[Path, typer.Argument(help="A YAML file, or a folder of them.")]
Key = Annotated[str, typer.Argument(help="Such as low-engagement.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    playbooks = typer.Typer(
        no_args_is_help=True, help="Playbooks as documents; see docs/editing-playbooks.md."
    )
    for command in (check, plan, apply, export, versions, archive, restore, release, schema):
        playbooks.command()(command)
    playbooks.command("try")(try_out)
    app.add_typer(playbooks, name="playbook")


def check(files: Annotated[list[Path], typer.Argument(help="YAML files or folders.")]) -> None:
    """Say everything that is wrong with documents, with lines; needs no running stack."""
    from workers.playbook_command import check_files

    lines, has_errors = check_files(files)
    typer.echo("\n".join(lines))
    if has_errors:
        raise typer.Exit(2)


def plan(place: Place, *, as_json: Json = False) -> None:
    """Say what applying would change, and what that means for open runs; changes nothing."""
    from workers.playbook_command import plan_files, shown_plans

    _say(lambda settings: plan_files(settings, place), shown_plans, as_json=as_json)


def apply(
    place: Place,
    on_open: Annotated[str, typer.Option(help="What becomes of open runs: pin, migrate or restart.")] = "pin",
    stranded: Annotated[str, typer.Option(help="Of those that cannot go on: pin or restart.")] = "pin",
    others: Annotated[
        list[str] | None, typer.Option("--where", help="EFFECT=CHOICE, such as changed=restart.")
    ] = None,
    note: Annotated[str, typer.Option(help="What the list of versions says of it.")] = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Publish documents; what says the same already stays as it is."""
    from workers.playbook_command import apply_files, choices_of, plan_files, shown_applied, shown_plans

    choices = choices_of(on_open, [f"stranded={stranded}", *(others or [])])
    if not yes:
        _say(lambda settings: plan_files(settings, place), shown_plans)
        typer.confirm("Publish this?", abort=True)
    _say(lambda settings: apply_files(settings, place, choices, note), shown_applied, as_json=as_json)


def export(
    key: Key, version: Annotated[int | None, typer.Option(help="None: the current one.")] = None
) -> None:
    """Print a document as YAML that apply takes unchanged; comments are not kept."""
    from workers.playbook_command import export_one

    _say(lambda settings: export_one(settings, key, version), lambda told: str(told["yaml"]).rstrip())


def versions(key: Key, *, as_json: Json = False) -> None:
    """List the versions with the open runs that follow each."""
    from workers.playbook_command import list_of_versions, shown_versions

    _say(lambda settings: list_of_versions(settings, key), shown_versions, as_json=as_json)


def archive(key: Key) -> None:
    """Open no more runs of it; those that are open go on."""
    from workers.playbook_command import archive_one

    _say(lambda settings: archive_one(settings, key, archived=True), lambda told: str(told["said"]))


def restore(key: Key) -> None:
    """Take an archived playbook back into use."""
    from workers.playbook_command import archive_one

    _say(lambda settings: archive_one(settings, key, archived=False), lambda told: str(told["said"]))


def release(key: Key) -> None:
    """Let it act from now on; until then its runs are only planned."""
    from workers.playbook_command import release_one

    _say(lambda settings: release_one(settings, key), lambda told: str(told["said"]))


def schema() -> None:
    """Print the JSON Schema of documents, for editors."""
    import json

    from domain.playbook_schema import playbook_schema

    typer.echo(json.dumps(playbook_schema(), indent=2))


def try_out(
    key: Key,
    customer: Annotated[str, typer.Option(help="Id of a customer, or its id in your own system.")],
    task_done_after: Annotated[str | None, typer.Option(help="Such as 1d; none: nobody does them.")] = None,
    reply_after: Annotated[str | None, typer.Option(help="Such as 2d; none: nobody answers.")] = None,
    cause_gone_after: Annotated[str | None, typer.Option(help="Such as 5d; none: it stays.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Say what would happen for one customer if a run opened now; nothing is done."""
    from workers.playbook_command import shown_try, try_one

    spans = {
        "task_done_after": task_done_after,
        "reply_after": reply_after,
        "cause_gone_after": cause_gone_after,
    }
    _say(lambda settings: try_one(settings, key, customer, spans), shown_try, as_json=as_json)


def _say(run: Run, shown: Shown, *, as_json: bool = False) -> None:
    import asyncio
    import json

    from workers.console import located_settings

    document = asyncio.run(run(located_settings()))
    typer.echo(json.dumps(document, indent=2, default=str) if as_json else shown(document))
