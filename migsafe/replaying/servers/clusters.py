"""Database clusters just made: by initdb once, then from a copy; one is kept in the user's cache for each installation."""

import io
import os
import tarfile
import tempfile
import zlib
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from migsafe.errors import MigsafeError
from migsafe.replaying.servers.installations import Installation
from migsafe.replaying.servers.work_folders import WorkFolders
from migsafe.store import Store, usual_folder

_OPTIONS = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
_FOLDER = "servers"
_FAST = 1
_PIECE = 1 << 20


def create_cluster(ground: WorkFolders, installation: Installation, data: Path) -> None:
    """Put a cluster that was just made into a folder that is not there yet. Raises MigsafeError where initdb fails."""
    folder = ground.templates.get(installation.bindir)
    if folder is None and _unpacked(ground, installation, data):
        return
    if folder is None:
        folder = ground.templates[installation.bindir] = _made(ground, installation)
        _keep(installation, folder)
    ground.account.run(["cp", "-R", "-p", folder, data], data.parent)


def _made(ground: WorkFolders, installation: Installation) -> Path:
    folder = ground.folder / f"fresh-{len(ground.templates) + 1}"
    ground.account.run([ground.runnable_programs(installation) / "initdb", *_OPTIONS, "-D", folder], ground.folder)
    return folder


def _store() -> Store | None:
    caches = usual_folder()
    return Store(str(Path(caches) / _FOLDER)) if caches is not None else None


def _name(installation: Installation) -> str:
    """What tells one installation from another, and from itself after an update."""
    programs = [(installation.bindir / program).stat() for program in ("postgres", "initdb")]
    told = repr((str(installation.bindir), installation.version, _OPTIONS, [(one.st_size, one.st_mtime_ns) for one in programs]))
    return f"{installation.version}-{sha256(told.encode()).hexdigest()[:16]}"


def _unpacked(ground: WorkFolders, installation: Installation, data: Path) -> bool:
    """Unpack the copy that is kept; whether there is one, and all of it is there now."""
    store = _store()
    packed = store.read(_name(installation)) if store is not None else None
    if packed is None:
        return False
    data.mkdir(mode=0o700)
    ground.account.own(data)
    try:
        with tempfile.TemporaryFile() as said:
            read, write = os.pipe()
            with os.fdopen(write, "wb") as pipe:
                try:
                    process = ground.account.start(["tar", "-xf", "-"], data, said.fileno(), read)
                finally:
                    os.close(read)
                unpacking = zlib.decompressobj()
                with suppress(BrokenPipeError):
                    for at in range(0, len(packed), _PIECE):
                        pipe.write(unpacking.decompress(packed[at : at + _PIECE]))
            if process.wait() == 0 and unpacking.eof:
                return True
    except (OSError, zlib.error):
        pass
    with suppress(MigsafeError):
        ground.account.run(["rm", "-rf", data], data.parent)
    return False


def _keep(installation: Installation, folder: Path) -> None:
    """Keep a copy for the next time, if that can be done."""
    store = _store()
    if store is None:
        return
    files = io.BytesIO()
    with suppress(OSError), tarfile.open(fileobj=files, mode="w") as archive:
        archive.add(folder, arcname=".")
        archive.close()
        store.write(_name(installation), zlib.compress(files.getbuffer(), _FAST))
