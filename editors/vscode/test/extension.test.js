// The extension starts the real server, and the server's answers arrive in VS Code's API.
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const test = require("node:test");

const { serverCommand } = require("../src/command");
const { Position, Range, Workspace, install } = require("./vscode");

const ROOT = path.resolve(__dirname, "../../..");
const COMMAND = process.env.MIGSAFE_COMMAND
  ? [process.env.MIGSAFE_COMMAND, "server"]
  : Object.values(serverCommand([], [ROOT])).flat();
const INDEX = "SET lock_timeout = '2s';\nCREATE INDEX orders_note_idx ON orders (note);\n";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "migsafe "));
fs.writeFileSync(path.join(folder, "migsafe.toml"), 'ignore = ["not-rerunnable"]\n');
fs.writeFileSync(path.join(folder, "1_orders.sql"), "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\n");
fs.writeFileSync(path.join(folder, "2_index.sql"), "");

const workspace = new Workspace(folder, { command: COMMAND });
install(workspace);
const extension = require("../src/extension");

const context = { subscriptions: [] };
/** @type {any} */
let document;

test.before(async () => {
  await extension.activate(context);
  document = await workspace.open(path.join(folder, "2_index.sql"), "sql", "SELECT 1;\n");
});

test.after(async () => {
  await extension.deactivate();
  fs.rmSync(folder, { recursive: true });
});

test("a finding appears while a migration is typed", { timeout: 60_000 }, async () => {
  await workspace.change(document, INDEX);
  const [finding] = await workspace.diagnosticsOf(document, (found) => found.length > 0);
  assert.deepEqual(workspace.messages, []);
  assert.equal(finding.code.value, "index-not-concurrent");
  assert.match(String(finding.code.target), /^https:/);
  assert.equal(finding.source, "migsafe");
  assert.equal(finding.severity, 0);
  assert.equal(finding.range.start.line, 1);
});

test("a hover shows the lock", { timeout: 60_000 }, async () => {
  const [, provider] = workspace.registered.get("registerHoverProvider");
  const token = new workspace.api.CancellationTokenSource().token;
  const hover = await provider.provideHover(document, new Position(1, 3), token);
  assert.match(hover.contents.value, /\*\*SHARE\*\* on `public\.orders`: blocks writes/);
});

test("the light bulb fixes and suppresses a finding", { timeout: 60_000 }, async () => {
  const [, provider] = workspace.registered.get("registerCodeActionsProvider");
  const diagnostics = await workspace.diagnosticsOf(document, (found) => found.length > 0);
  const range = new Range(new Position(1, 3), new Position(1, 3));
  const token = new workspace.api.CancellationTokenSource().token;
  const [fix, suppression] = await provider.provideCodeActions(document, range, { diagnostics }, token);
  assert.match(fix.title, /^Fix index-not-concurrent \(unsafe: /);
  assert.equal(fix.command.command, "migsafe.fix");
  assert.deepEqual(fix.diagnostics.map((each) => each.message), diagnostics.map((each) => each.message));
  const [{ uri, edit }] = suppression.edit.edits;
  assert.equal(String(uri), String(document.uri));
  assert.match(edit.newText, /^-- migsafe: ignore\[index-not-concurrent\] write here why/);
});

test("inlay hints are an option", { timeout: 60_000 }, async () => {
  const [, provider] = workspace.registered.get("registerInlayHintsProvider");
  const token = new workspace.api.CancellationTokenSource().token;
  const range = { start: new Position(0, 0), end: new Position(9, 0) };
  const [hint] = await provider.provideInlayHints(document, range, token);
  assert.equal(hint.label, "SHARE orders");
  await workspace.configure("inlayHints", false);
  assert.ok(!(await provider.provideInlayHints(document, range, token))?.length);
});

test("a command that cannot be started is reported", { timeout: 60_000 }, async () => {
  await workspace.configure("command", [path.join(folder, "missing"), "server"]);
  assert.equal(workspace.messages.length > 0, true);
  assert.match(workspace.messages.at(-1), /missing server` cannot be started: .*pip install/s);
});

test("the virtual environment of the workspace comes first", () => {
  assert.deepEqual(serverCommand(["uv", "run"], [folder]), { command: "uv", args: ["run"] });
  assert.deepEqual(serverCommand([], [folder]), { command: "migsafe", args: ["server"] });
  const program = path.join(folder, "venv", "Scripts", "migsafe.exe");
  fs.mkdirSync(path.dirname(program), { recursive: true });
  fs.writeFileSync(program, "");
  assert.deepEqual(serverCommand([], [folder], "win32"), { command: program, args: ["server"] });
});
