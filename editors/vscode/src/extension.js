// Starts `migsafe server` for the SQL and Python files of the workspace, and restarts it when its settings change.
"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

const { serverCommand } = require("./command");

const SECTION = "migsafe";
const INSTALLATION = "Install it with `pip install \"migsafe-cli[server]\"`, or set `migsafe.command`.";

/** @type {LanguageClient | undefined} */
let client;

/**
 * Starts the server. Called by VS Code when the first SQL or Python file is opened.
 *
 * @param {vscode.ExtensionContext} context
 */
async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("migsafe.restart", restart),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration(`${SECTION}.command`)) {
        await restart();
      } else if (event.affectsConfiguration(SECTION)) {
        await client?.sendNotification("workspace/didChangeConfiguration", { settings: { [SECTION]: options() } });
      }
    }),
  );
  await start();
}

/** Ends the server. Called by VS Code. */
async function deactivate() {
  const running = client;
  client = undefined;
  await running?.stop();
}

async function restart() {
  await deactivate();
  await start();
}

async function start() {
  const folders = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
  const { command, args } = serverCommand(vscode.workspace.getConfiguration(SECTION).get("command", []), folders);
  const started = new LanguageClient(
    SECTION,
    "migsafe",
    { command, args, options: folders.length > 0 ? { cwd: folders[0] } : {} },
    {
      documentSelector: [
        { scheme: "file", language: "sql" },
        { scheme: "file", language: "python" },
        { scheme: "file", pattern: "**/*.sql" },
      ],
      initializationOptions: options(),
    },
  );
  client = started;
  try {
    await started.start();
  } catch (error) {
    client = undefined;
    const reason = error instanceof Error ? error.message : String(error);
    void vscode.window.showErrorMessage(`migsafe: \`${[command, ...args].join(" ")}\` cannot be started: ${reason}. ${INSTALLATION}`);
  }
}

/** Returns the options of the server. */
function options() {
  return { inlayHints: vscode.workspace.getConfiguration(SECTION).get("inlayHints", true) };
}

module.exports = { activate, deactivate };
