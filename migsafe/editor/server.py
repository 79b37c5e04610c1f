"""The language server: `migsafe server`, on standard input and output."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from lsprotocol import types
from pygls import uris
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from migsafe import __version__
from migsafe.editor.actions import Edits, suppressions
from migsafe.editor.diagnostics import diagnostics, own_problems
from migsafe.editor.documents import Document, OpenFile, file_path
from migsafe.editor.fixes import COMMAND, applied_fix, fix_actions
from migsafe.editor.hints import inlay_hints
from migsafe.editor.hovers import hover
from migsafe.errors import MigsafeError
from migsafe.library.editing import EditingSession

_STACK_BYTES = 64 << 20
"""The stack of the thread that judges: SQL nests deeply, and a thread's stack is smaller than a process's on most systems."""
_WATCHED = "**/*.{sql,py,toml,json,jsonl,ini,env,yml,yaml,properties}"
"""The files that a history can depend on."""

T = TypeVar("T")


class MigsafeServer(LanguageServer):
    """A language server that judges one version of a document at a time, in a thread of its own, and skips versions that are out of date."""

    def __init__(self) -> None:
        # The client sends the whole text: it is small, and no change can be applied wrongly.
        super().__init__("migsafe", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.session = EditingSession()
        self.shows_hints = True
        self._thread = ThreadPoolExecutor(1, "migsafe")
        before = threading.stack_size(_STACK_BYTES)
        self._thread.submit(int).result()  # the thread starts with the first task
        threading.stack_size(before)
        self.opened: dict[str, None] = {}
        """The URIs of the open documents, as the client writes them; pygls decodes them."""
        self._documents: dict[str, tuple[int, Document]] = {}
        self._checks: dict[str, asyncio.Task[None]] = {}
        self._stale: set[str] = set()
        self._told: dict[str, frozenset[str]] = {}

    async def in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        """Runs a function in the thread that uses the session."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    def document(self, uri: str) -> Document | None:
        """Returns the current version of a document; None if it cannot be a migration."""
        path = file_path(uri)
        if path is None or uri not in self.opened:
            return None
        opened = self.workspace.get_text_document(uri)
        known = self._documents.get(uri)
        if known is None or known[0] != opened.version or known[1].text != opened.source:
            document = Document(self.session, path, opened.source, self.encoding, opened.version)
            self._documents[uri] = known = (opened.version or 0, document)
        return known[1]

    def open_files(self) -> dict[str, OpenFile]:
        """Returns the open documents by their paths."""
        files = {}
        for uri in self.opened:
            path, opened = file_path(uri), self.workspace.get_text_document(uri)
            if path is not None:
                files[path] = OpenFile(uri, opened.version, opened.source)
        return files

    @property
    def encoding(self) -> str:
        """The encoding in whose code units the client counts."""
        encoding = self.server_capabilities.position_encoding
        return getattr(encoding, "value", encoding) or "utf-16"

    def check(self, uri: str) -> None:
        """Publishes the diagnostics of a document soon."""
        self._stale.add(uri)
        if uri not in self._checks:
            self._checks[uri] = asyncio.ensure_future(self._check(uri))

    async def _check(self, uri: str) -> None:
        try:
            while uri in self._stale:
                self._stale.discard(uri)
                document = self.document(uri)
                if document is None:
                    continue
                async with self._progress(document.path):
                    found, errors = await self.in_thread(_judged, document, uri)
                # A newer version is judged next; its diagnostics would replace these at once.
                if uri not in self._stale and uri in self.opened:
                    self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, document.version))
                    self._tell(uri, errors)
        finally:
            del self._checks[uri]

    @asynccontextmanager
    async def _progress(self, path: str) -> AsyncIterator[None]:
        """Returns a context in which the client shows that a history is read, which may take seconds."""
        window = self.client_capabilities.window
        if window is None or not window.work_done_progress or self.session.has_history(path) or not await self.in_thread(os.path.isfile, path):
            yield
            return
        token = str(uuid4())
        try:
            await self.work_done_progress.create_async(token)
        except JsonRpcException:  # a client may refuse the token; then there is no progress to show
            yield
            return
        self.work_done_progress.begin(token, types.WorkDoneProgressBegin("migsafe", message="reads the history"))
        try:
            yield
        finally:
            self.work_done_progress.end(token, types.WorkDoneProgressEnd())

    async def check_all(self) -> None:
        """Judges all open documents again, because a file has changed."""
        await self.in_thread(self.session.note_change)
        for uri in list(self.opened):
            self._documents.pop(uri, None)
            self.check(uri)

    async def close_document(self, uri: str) -> None:
        """Removes the diagnostics of a document, and what is kept for it."""
        self.opened.pop(uri, None)
        self._documents.pop(uri, None)
        self._told.pop(uri, None)
        path = file_path(uri)
        if path is not None:
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))
            await self.in_thread(self.session.forget, path)

    def close(self) -> None:
        """Ends the processes that render scripts, and the thread."""
        self._thread.submit(self.session.close)
        self._thread.shutdown()

    def _tell(self, uri: str, errors: frozenset[str]) -> None:
        """Shows the errors that none of the documents had before."""
        for error in sorted(errors - frozenset().union(*self._told.values())):
            self.window_show_message(types.ShowMessageParams(types.MessageType.Error, f"migsafe: {error}"))
        self._told[uri] = errors

    async def answered(self, uri: str, answer: Callable[[Document], T]) -> T | None:
        """Returns an answer about the current version of a document; None if it cannot be a migration."""
        document = self.document(uri)
        return await self.in_thread(answer, document) if document is not None else None


def _judged(document: Document, uri: str) -> tuple[list[types.Diagnostic], frozenset[str]]:
    """Returns the diagnostics of a document, and the errors that are not about the document."""
    try:
        found = diagnostics(document, uri)
        edited = document.edited
        if edited is None:
            return [], frozenset()
        others = [problem for problem in edited.verdict.problems if problem not in own_problems(document)]
        return found, frozenset(str(error) for error in (*edited.history_problems, *others))
    except MigsafeError as error:
        return [], frozenset((str(error),))
    except Exception as error:  # the server must continue with the next version
        return [], frozenset((f"internal error: {type(error).__name__}: {error}; please report it",))


def create_server() -> MigsafeServer:
    """Returns the server with its features."""
    server = MigsafeServer()
    _add_synchronization(server)
    _add_requests(server)
    return server


def _add_synchronization(server: MigsafeServer) -> None:
    """Adds what the client tells the server: documents, settings, changed files."""

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        folders = params.workspace_folders or []
        root = folders[0].uri if folders else params.root_uri
        path = uris.to_fs_path(root) if root else params.root_path
        if path:
            with suppress(OSError):
                os.chdir(path)  # messages show paths relative to it
        _configure(server, params.initialization_options)

    @server.feature(types.INITIALIZED)
    async def initialized(_: types.InitializedParams) -> None:
        workspace = server.client_capabilities.workspace
        watched = workspace.did_change_watched_files if workspace is not None else None
        if watched is not None and watched.dynamic_registration:
            options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(_WATCHED)])
            registration = types.Registration("watched", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            await server.client_register_capability_async(types.RegistrationParams([registration]))

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        server.opened[params.text_document.uri] = None
        server.check(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        server.check(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def did_close(params: types.DidCloseTextDocumentParams) -> None:
        await server.close_document(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def did_save(_: types.DidSaveTextDocumentParams) -> None:
        await server.check_all()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def files_changed(_: types.DidChangeWatchedFilesParams) -> None:
        await server.check_all()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def configured(params: types.DidChangeConfigurationParams) -> None:
        no_exec = server.session.no_exec
        _configure(server, params.settings)
        if server.session.no_exec != no_exec:
            await server.in_thread(server.session.close)  # what was read may have been read by running code, or without it
            await server.check_all()
        workspace = server.client_capabilities.workspace
        if workspace is not None and workspace.inlay_hint is not None and workspace.inlay_hint.refresh_support:
            server.workspace_inlay_hint_refresh(None)


def _configure(server: MigsafeServer, options: Any) -> None:
    """Reads the options `inlayHints` and `noExec`, which may be below `migsafe`."""
    if isinstance(options, dict):
        options = options.get("migsafe", options)
    if not isinstance(options, dict):
        return
    if isinstance(shows_hints := options.get("inlayHints"), bool):
        server.shows_hints = shows_hints
    if isinstance(no_exec := options.get("noExec"), bool):
        server.session.no_exec = no_exec


def _add_requests(server: MigsafeServer) -> None:
    """Adds what the client asks for."""

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hovered(params: types.HoverParams) -> types.Hover | None:
        return await server.answered(params.text_document.uri, lambda document: hover(document, params.position))

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions([types.CodeActionKind.QuickFix]))
    async def acted(params: types.CodeActionParams) -> list[types.CodeAction] | None:
        uri = params.text_document.uri
        client = server.client_capabilities

        def actions(document: Document) -> list[types.CodeAction]:
            edits = Edits(uri, document.version, client)
            return [*fix_actions(document, uri, params), *suppressions(document, edits, params)]

        return await server.answered(uri, actions)

    @server.command(COMMAND)
    async def fixed(uri: str, rule: str, message: str) -> None:
        try:
            opened, client = server.open_files(), server.client_capabilities
            fix = await server.answered(uri, lambda document: applied_fix(document, rule, message, opened, client))
        except MigsafeError as error:
            server.window_show_message(types.ShowMessageParams(types.MessageType.Warning, f"migsafe: {error}"))
            return
        if fix is not None:
            result = await server.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(fix.edit, f"Fix {rule}"))
            if result.applied and fix.remaining:
                server.window_show_message(types.ShowMessageParams(types.MessageType.Info, f"migsafe: {fix.remaining}"))

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    async def hinted(params: types.InlayHintParams) -> list[types.InlayHint] | None:
        if not server.shows_hints:
            return None
        return await server.answered(params.text_document.uri, lambda document: inlay_hints(document, params.range))


def serve() -> None:
    """Serves one client on standard input and output until it exits. What else is printed goes to standard error, because the client reads only
    messages."""
    server = create_server()
    received, sent = os.fdopen(os.dup(sys.stdin.fileno()), "rb"), os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Programs that are started inherit these.
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        server.start_io(received, sent)
    finally:
        server.close()
