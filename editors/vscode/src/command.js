// The command that starts the server.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const FOLDERS = [".venv", "venv"];

/**
 * Returns the command and its arguments: the configured one; otherwise `migsafe server` of the virtual environment of one of the workspace's folders;
 * otherwise that on PATH.
 *
 * @param {readonly string[]} configured the setting `migsafe.command`
 * @param {readonly string[]} folders the paths of the workspace's folders
 * @param {NodeJS.Platform} [platform]
 * @returns {{command: string, args: string[]}}
 */
function serverCommand(configured, folders, platform = process.platform) {
  const [command, ...args] = configured;
  if (command !== undefined && command !== "") {
    return { command, args };
  }
  const program = platform === "win32" ? path.join("Scripts", "migsafe.exe") : path.join("bin", "migsafe");
  const candidates = folders.flatMap((folder) => FOLDERS.map((name) => path.join(folder, name, program)));
  return { command: candidates.find((candidate) => fs.existsSync(candidate)) ?? "migsafe", args: ["server"] };
}

module.exports = { serverCommand };
