"""The server: it lists the tools, runs their calls one after the other, and turns errors into results that an agent can read."""

import os
import sys
import traceback
from functools import partial
from itertools import count
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import mcp_types as types
import msgspec
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from migsafe import __version__
from migsafe.agent.tool import Answer, Progress, Tool, json_schema
from migsafe.agent.tools import TOOLS
from migsafe.agent.workspace import Workspace
from migsafe.errors import ConfigError, MigsafeError, did_you_mean
from migsafe.terminal.output import DEBUG

_INSTRUCTIONS = """\
migsafe checks PostgreSQL migrations before they reach production.
After each change of a migration, call `lint` with its path. For each finding, use the SQL of its help, or call `fix`; `explain` has reasons.
Repeat until `lint` passes. Then call `replay` to run the migration on a disposable server, and `premortem` before a deployment.
Do not suppress a finding without asking the user: a suppression needs a reason that only the team knows.\
"""


def make_server(workspace: Workspace) -> Server[Any]:
    """Returns the server of a working folder, which the process must have as its current folder."""
    one_at_a_time = anyio.CapacityLimiter(1)

    async def list_tools(context: ServerRequestContext[Any], params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_described(tool, workspace) for tool in TOOLS.values() if _is_allowed(tool, workspace)])

    async def call_tool(context: ServerRequestContext[Any], params: types.CallToolRequestParams) -> types.CallToolResult:
        def show_progress(text: str) -> None:
            anyio.from_thread.check_cancelled()  # a call that the client has cancelled ends at its next step
            anyio.from_thread.run(context.session.report_progress, next(steps), None, text)

        steps = count(1)
        # The library has one working folder and one configuration for each process, so calls do not overlap.
        return await anyio.to_thread.run_sync(
            partial(_call, params.name, params.arguments or {}, workspace, show_progress), limiter=one_at_a_time
        )

    return Server("migsafe", version=__version__, instructions=_INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool)


def run_server(workspace: Workspace) -> None:
    """Serves the client at standard input and output until it closes them."""
    anyio.run(_serve, make_server(workspace))


async def _serve(server: Server[Any]) -> None:
    async with stdio_server() as (received, sent):
        await server.run(received, sent, server.create_initialization_options())


def _is_allowed(tool: Tool, workspace: Workspace) -> bool:
    return not (tool.runs_sql and workspace.no_exec)


def _described(tool: Tool, workspace: Workspace) -> types.Tool:
    # Some clients call tools that only read without asking the user, so a tool that may execute code of the project is not called one.
    only_reads = workspace.no_exec and not (tool.writes and workspace.allow_writes)
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=json_schema(tool.arguments),
        output_schema=json_schema(tool.result),
        annotations=types.ToolAnnotations(
            read_only_hint=only_reads, destructive_hint=tool.writes and workspace.allow_writes, open_world_hint=False
        ),
    )


def _call(name: str, arguments: dict[str, Any], workspace: Workspace, progress: Progress) -> types.CallToolResult:
    try:
        answer = _answer(name, arguments, workspace, progress)
    except MigsafeError as error:
        return _failure(str(error))
    except Exception as error:  # the agent must be told, and the server goes on
        if DEBUG in os.environ:
            traceback.print_exc(file=sys.stderr)
        return _failure(
            f"internal error: {type(error).__name__}: {error}\n"
            f"  This is a bug in migsafe. Please report it with the traceback that {DEBUG}=1 in the environment of the server shows."
        )
    result: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(answer.result))
    return types.CallToolResult(content=[types.TextContent(type="text", text=answer.text)], structured_content=result)


def _answer(name: str, arguments: dict[str, Any], workspace: Workspace, progress: Progress) -> Answer:
    if name not in TOOLS:
        raise ConfigError(f"there is no tool {name}", did_you_mean(name, TOOLS))
    tool = TOOLS[name]
    if not _is_allowed(tool, workspace):
        raise MigsafeError(f"{name}: this server executes nothing of the project", "The user has started `migsafe mcp` with --no-exec.")
    return tool.run(tool.read_arguments(arguments), workspace, progress)


def _failure(text: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=True)
