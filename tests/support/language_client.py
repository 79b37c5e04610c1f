"""A client of a language server, over pipes: it sends messages and reads the answers, one after the other."""

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Any

Message = dict[str, Any]

_LONGEST = 300.0
"""The seconds after which the server is ended."""


class LanguageClient:
    """A server's process, and a conversation with it. `capabilities` and `options` are those of the client."""

    def __init__(
        self, command: Sequence[str], root: Path, capabilities: Message | None = None, options: Message | None = None, **environment: str
    ) -> None:
        self.root = root
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=root, env={**os.environ, **environment}
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._out, self._in = self._process.stdin, self._process.stdout
        # A message that never comes would be waited for without end.
        self._watchdog = Timer(_LONGEST, self._process.kill)
        self._watchdog.daemon = True
        self._watchdog.start()
        self._number = 0
        self._versions: dict[str, int] = {}
        self.received: list[Message] = []
        """The notifications and requests of the server that were not waited for."""
        self.capabilities: Message = self.request(
            "initialize",
            {"processId": None, "rootUri": root.as_uri(), "capabilities": capabilities or {}, "initializationOptions": options},
        )["capabilities"]
        self.notify("initialized", {})

    def __enter__(self) -> "LanguageClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if kind is not None:
            self._process.kill()
        self._watchdog.cancel()
        self._out.close()
        self._process.wait()
        self._in.close()

    def notify(self, method: str, params: Message | None) -> None:
        """Sends a notification."""
        self._send({"method": method, "params": params})

    def request(self, method: str, params: Message | None) -> Any:
        """Sends a request, and returns its result."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        answer = self.wait(lambda message: message.get("id") == self._number and "method" not in message)
        assert "error" not in answer, answer
        return answer["result"]

    def wait(self, wanted: Callable[[Message], bool]) -> Message:
        """Returns the next message that is wanted; the others are kept in `received`."""
        for position, message in enumerate(self.received):
            if wanted(message):
                return self.received.pop(position)
        while True:
            message = self._read()
            if wanted(message):
                return message
            if "id" in message and "method" in message:
                self._send({"id": message["id"], "result": {"applied": True} if message["method"] == "workspace/applyEdit" else None})
            self.received.append(message)

    def wait_for(self, method: str) -> Message:
        """Returns the parameters of the next message of the server with a method."""
        params: Message = self.wait(lambda message: message.get("method") == method)["params"]
        return params

    def open(self, path: str, text: str) -> list[Message]:
        """Opens a document, and returns its diagnostics."""
        self._versions[path] = 1
        document = {"uri": self.uri(path), "languageId": "python" if path.endswith(".py") else "sql", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return self.diagnostics(path)

    def change(self, path: str, text: str) -> list[Message]:
        """Changes a document, and returns its diagnostics."""
        self._versions[path] += 1
        document = {"uri": self.uri(path), "version": self._versions[path]}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})
        return self.diagnostics(path)

    def diagnostics(self, path: str) -> list[Message]:
        """Returns the diagnostics of the current version of a document, once they are published."""
        expected = {"uri": self.uri(path), "version": self._versions[path]}
        message = self.wait(
            lambda message: (
                message.get("method") == "textDocument/publishDiagnostics" and {key: message["params"].get(key) for key in expected} == expected
            )
        )
        found: list[Message] = message["params"]["diagnostics"]
        return found

    def at(self, path: str, line: int, character: int) -> Message:
        """Returns the parameters that name a place in a document."""
        return {"textDocument": {"uri": self.uri(path)}, "position": {"line": line, "character": character}}

    def range(self, path: str, first: int, last: int) -> Message:
        """Returns the parameters that name lines of a document."""
        places = {"start": {"line": first, "character": 0}, "end": {"line": last, "character": 0}}
        return {"textDocument": {"uri": self.uri(path)}, "range": places}

    def uri(self, path: str) -> str:
        """Returns the URI of a document below the root."""
        return (self.root / path).as_uri()

    def exit(self) -> int:
        """Ends the server, and returns its exit code."""
        self.request("shutdown", None)
        self.notify("exit", None)
        return self._process.wait(30)

    def _send(self, message: Message) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._out.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
        self._out.flush()

    def _read(self) -> Message:
        length = 0
        while (line := self._in.readline()) != b"\r\n":
            assert line, "the server has ended"
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        message: Message = json.loads(self._in.read(length))
        return message
