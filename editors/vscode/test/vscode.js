// A stand-in for the module `vscode`, which exists only in VS Code: the part of its API that the extension and vscode-languageclient use.
"use strict";

const Module = require("node:module");
const path = require("node:path");
const { pathToFileURL, fileURLToPath } = require("node:url");

class EventEmitter {
  constructor() {
    this.listeners = new Set();
    this.event = (listener, self) => {
      const bound = self === undefined ? listener : listener.bind(self);
      this.listeners.add(bound);
      return new Disposable(() => this.listeners.delete(bound));
    };
  }
  fire(value) {
    return Promise.all([...this.listeners].map((listener) => listener(value)));
  }
  dispose() {
    this.listeners.clear();
  }
}

class Disposable {
  constructor(dispose) {
    this.dispose = dispose;
  }
}

class Position {
  constructor(line, character) {
    Object.assign(this, { line, character });
  }
}

class Range {
  constructor(...places) {
    [this.start, this.end] = places.length === 2 ? places : [new Position(...places.slice(0, 2)), new Position(...places.slice(2))];
  }
}

class Location {
  constructor(uri, range) {
    Object.assign(this, { uri, range });
  }
}

class Diagnostic {
  constructor(range, message, severity) {
    Object.assign(this, { range, message, severity });
  }
}

class MarkdownString {
  constructor(value = "") {
    this.value = value;
  }
  appendCodeblock(value) {
    this.value += value;
  }
}

class Hover {
  constructor(contents, range) {
    Object.assign(this, { contents, range });
  }
}

class InlayHint {
  constructor(position, label, kind) {
    Object.assign(this, { position, label, kind });
  }
}

class Uri {
  constructor(text) {
    this.text = text;
    this.scheme = new URL(text).protocol.slice(0, -1);
    this.fsPath = this.scheme === "file" ? fileURLToPath(text) : "";
    this.path = this.fsPath;
  }
  static parse(text) {
    return new Uri(text);
  }
  static file(file) {
    return new Uri(pathToFileURL(file).href);
  }
  toString() {
    return this.text;
  }
}

class CancellationTokenSource {
  constructor() {
    this.token = { isCancellationRequested: false, onCancellationRequested: () => new Disposable(() => undefined) };
  }
  cancel() {
    this.token.isCancellationRequested = true;
  }
  dispose() {}
}

class CodeAction {
  constructor(title, kind) {
    Object.assign(this, { title, kind });
  }
}

class WorkspaceEdit {
  constructor() {
    this.edits = [];
  }
  replace(uri, range, newText) {
    this.edits.push({ uri, edit: new TextEdit(range, newText) });
  }
}

class TextEdit {
  constructor(range, newText) {
    Object.assign(this, { range, newText });
  }
}

class CodeActionKind {
  constructor(value) {
    this.value = value;
  }
  append(part) {
    return new CodeActionKind(this.value ? `${this.value}.${part}` : part);
  }
}
CodeActionKind.Empty = new CodeActionKind("");
CodeActionKind.QuickFix = new CodeActionKind("quickfix");

class RelativePattern {
  constructor(base, pattern) {
    Object.assign(this, { base, pattern });
  }
}

/** Returns an enumeration: each name has its number. */
function enumeration(first, ...names) {
  return Object.fromEntries(names.map((name, index) => [name, index + first]));
}

/** Returns an object whose unknown members are classes without behaviour: the client extends and names many that this server does not need. */
function withPlaceholders(known) {
  const placeholders = new Map();
  return new Proxy(known, {
    get(target, name) {
      if (name in target || typeof name === "symbol") {
        return target[name];
      }
      if (!placeholders.has(name)) {
        placeholders.set(name, class {});
      }
      return placeholders.get(name);
    },
    has: () => true,
  });
}

/** Returns functions for events that never occur, and for registrations, whose arguments are kept in `registered`, by the function's name. */
function withRegistrations(known, registered) {
  return new Proxy(known, {
    get(target, name) {
      if (name in target || typeof name === "symbol") {
        return target[name];
      }
      return (...values) => {
        if (name.startsWith("register")) {
          registered.set(name, values);
        }
        return new Disposable(() => undefined);
      };
    },
  });
}

/** A workspace with one folder. */
class Workspace {
  /**
   * @param {string} folder its path
   * @param {Record<string, unknown>} settings the settings, by name
   */
  constructor(folder, settings) {
    this.settings = settings;
    this.registered = new Map();
    this.messages = [];
    this.diagnostics = new Map();
    this.published = new EventEmitter();
    this.opened = new EventEmitter();
    this.changed = new EventEmitter();
    this.closed = new EventEmitter();
    this.configured = new EventEmitter();
    this.documents = [];
    const root = { uri: Uri.file(folder), name: path.basename(folder), index: 0 };
    const collection = {
      set: (uri, found) => {
        this.diagnostics.set(uri.toString(), found ?? []);
        void this.published.fire(uri);
      },
      delete: (uri) => this.diagnostics.delete(uri.toString()),
      clear: () => this.diagnostics.clear(),
      dispose: () => undefined,
    };
    const channel = new Proxy({}, { get: () => () => undefined });
    const watcher = { onDidCreate: () => channel, onDidChange: () => channel, onDidDelete: () => channel, dispose: () => undefined };
    this.api = withPlaceholders({
      CancellationTokenSource, CodeAction, CodeActionKind, Diagnostic, Disposable, EventEmitter, Hover, InlayHint, Location, MarkdownString, Position,
      Range, RelativePattern, TextEdit, Uri, WorkspaceEdit,
      DiagnosticSeverity: enumeration(0, "Error", "Warning", "Information", "Hint"),
      DiagnosticTag: enumeration(1, "Unnecessary", "Deprecated"),
      version: "1.91.0",
      env: { appName: "test", language: "en" },
      commands: withRegistrations({}, this.registered),
      languages: withRegistrations(
        {
          createDiagnosticCollection: () => collection,
          match: (selector, document) => (selector.some?.((each) => each.language === document.languageId) ? 10 : 0),
        },
        this.registered,
      ),
      window: withRegistrations(
        {
          createOutputChannel: () => channel,
          showErrorMessage: (message) => Promise.resolve(void this.messages.push(message)),
          activeTextEditor: undefined,
          visibleTextEditors: [],
          tabGroups: withRegistrations({ all: [] }, this.registered),
        },
        this.registered,
      ),
      workspace: withRegistrations(
        {
          workspaceFolders: [root],
          textDocuments: this.documents,
          notebookDocuments: [],
          onDidOpenTextDocument: this.opened.event,
          onDidChangeTextDocument: this.changed.event,
          onDidCloseTextDocument: this.closed.event,
          onDidChangeConfiguration: this.configured.event,
          getWorkspaceFolder: () => root,
          getConfiguration: () => ({ get: (name, otherwise) => this.settings[name] ?? otherwise }),
          createFileSystemWatcher: () => watcher,
        },
        this.registered,
      ),
    });
  }

  /** Opens a document, as the user does. */
  async open(file, languageId, text) {
    const document = { uri: Uri.file(file), fileName: file, languageId, version: 1, isClosed: false, getText: () => text };
    this.documents.push(document);
    await this.opened.fire(document);
    return document;
  }

  /** Replaces the text of a document. */
  async change(document, text) {
    document.version += 1;
    document.getText = () => text;
    await this.changed.fire({ document, contentChanges: [{ range: new Range(new Position(0, 0), new Position(0, 0)), text }], reason: undefined });
  }

  /** Returns the next diagnostics of a document that satisfy a condition. */
  diagnosticsOf(document, satisfies) {
    const uri = document.uri.toString();
    return new Promise((resolve) => {
      const look = () => {
        const found = this.diagnostics.get(uri);
        if (found !== undefined && satisfies(found)) {
          subscription.dispose();
          resolve(found);
        }
      };
      const subscription = this.published.event(look);
      look();
    });
  }

  /** Changes a setting, as the user does. */
  async configure(name, value) {
    this.settings[name] = value;
    await this.configured.fire({ affectsConfiguration: (section) => `migsafe.${name}`.startsWith(section) });
  }
}

/** Makes `require("vscode")` return the API of a workspace. */
function install(workspace) {
  const load = Module._load;
  Module._load = (request, ...others) => (request === "vscode" ? workspace.api : load(request, ...others));
}

module.exports = { Position, Range, Workspace, install };
