"""New database clusters: initdb makes the first one, copies of it the others. One per installation is kept in the user's cache."""

import io
import os
import tarfile
import tempfile
import zlib
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from migsafe.cache.store import Store, usual_folder
from migsafe.errors import MigsafeError
from migsafe.replaying.servers.installations import Installation
from migsafe.replaying.servers.work_folders import WorkFolders

_OPTIONS = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
_FOLDER = "servers"
_FAST = 1
_PIECE = 1 << 20


def create_cluster(folders: WorkFolders, installation: Installation, data: Path) -> None:
    """Puts a new cluster into `data`, which must not exist yet. Raises MigsafeError if initdb fails."""
    folder = folders.templates.get(installation.bindir)
    if folder is None and _unpack(folders, installation, data):
        return
    if folder is None:
        folder = folders.templates[installation.bindir] = _initialize(folders, installation)
        _save(installation, folder)
    folders.account.run(["cp", "-R", "-p", folder, data], data.parent)


def _initialize(folders: WorkFolders, installation: Installation) -> Path:
    folder = folders.new_folder(f"fresh-{len(folders.templates) + 1}")
    folders.account.run([folders.runnable_programs(installation) / "initdb", *_OPTIONS, "-D", folder], folders.folder)
    return folder


def _store() -> Store | None:
    caches = usual_folder()
    return Store(str(Path(caches) / _FOLDER)) if caches is not None else None


def _entry_name(installation: Installation) -> str:
    """Returns a name that differs between installations, and changes when an installation is updated."""
    programs = [(installation.bindir / program).stat() for program in ("postgres", "initdb")]
    identity = repr(
        (str(installation.bindir), installation.version, _OPTIONS, [(program.st_size, program.st_mtime_ns) for program in programs])
    )
    return f"{installation.version}-{sha256(identity.encode()).hexdigest()[:16]}"


def _unpack(folders: WorkFolders, installation: Installation, data: Path) -> bool:
    """Unpacks the cached cluster; returns whether there is one and it is complete."""
    store = _store()
    packed = store.read(_entry_name(installation)) if store is not None else None
    if packed is None:
        return False
    data.mkdir(mode=0o700)
    folders.account.own(data)
    try:
        with tempfile.TemporaryFile() as output:
            read, write = os.pipe()
            with os.fdopen(write, "wb") as pipe:
                try:
                    process = folders.account.start(["tar", "-xf", "-"], data, output.fileno(), read)
                finally:
                    os.close(read)
                unpacking = zlib.decompressobj()
                with suppress(BrokenPipeError):
                    for start in range(0, len(packed), _PIECE):
                        pipe.write(unpacking.decompress(packed[start : start + _PIECE]))
            if process.wait() == 0 and unpacking.eof:
                return True
    except (OSError, zlib.error):
        pass
    with suppress(MigsafeError):
        folders.account.run(["rm", "-rf", data], data.parent)
    return False


def _save(installation: Installation, folder: Path) -> None:
    """Saves the cluster in the cache for later runs, if the cache can be written."""
    store = _store()
    if store is None:
        return
    files = io.BytesIO()
    with suppress(OSError), tarfile.open(fileobj=files, mode="w") as archive:
        archive.add(folder, arcname=".")
        archive.close()
        store.write(_entry_name(installation), zlib.compress(files.getbuffer(), _FAST))
