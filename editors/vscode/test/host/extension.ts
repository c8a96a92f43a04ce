/** The extension under test, as other extensions see it. */
import * as vscode from "vscode";
import type { CodeIntelApi } from "../../src/api";

interface MenuEntry {
  readonly command?: string;
  readonly when?: string;
}

interface Manifest {
  readonly version: string;
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly title: string }[];
    readonly menus: Readonly<Record<string, readonly MenuEntry[]>>;
    readonly keybindings: readonly { readonly command: string; readonly key: string }[];
    readonly configuration: readonly {
      readonly properties: Readonly<Record<string, { readonly scope: string }>>;
    }[];
  };
}

export const ID = "codeintel-ls.codeintel-ls";

export function extension(): vscode.Extension<CodeIntelApi> {
  const found = vscode.extensions.getExtension<CodeIntelApi>(ID);
  if (found === undefined) {
    throw new Error("The extension is not installed.");
  }
  return found;
}

/** The extension's own doors, once it is active. */
export async function api(): Promise<CodeIntelApi> {
  return extension().activate();
}

export function manifest(): Manifest {
  return extension().packageJSON as Manifest;
}

/** What a test waits for: the value, once it is there. */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  good: (value: T) => boolean = Boolean,
  seconds = 15,
): Promise<T> {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    const value = await look();
    if (good(value)) {
      return value;
    }
    if (Date.now() > until) {
      throw new Error(`Waited ${seconds} s for ${what}; last seen: ${JSON.stringify(value)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Until the server answers. */
export async function whenRunning(): Promise<CodeIntelApi> {
  const doors = await api();
  await doors.whenRunning();
  return doors;
}

/** The folder that the window has open. */
export function root(): vscode.Uri {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  if (folder === undefined) {
    throw new Error("No folder is open.");
  }
  return folder.uri;
}

/** Opens a file of the folder with the cursor on a line (from 0). */
export async function open(path: string, line = 0): Promise<vscode.TextEditor> {
  const editor = await vscode.window.showTextDocument(vscode.Uri.joinPath(root(), path), {
    preview: false,
  });
  const place = new vscode.Position(line, 0);
  editor.selection = new vscode.Selection(place, place);
  editor.revealRange(new vscode.Range(place, place));
  return editor;
}

/** Runs one of the extension's commands. */
export async function command<T>(name: string, ...values: unknown[]): Promise<T> {
  return vscode.commands.executeCommand<T>(`codeintel-ls.${name}`, ...values);
}

/** Does something while a setting of the user has another value. */
export async function changing(name: string, value: unknown, work: () => Promise<void>): Promise<void> {
  const configuration = vscode.workspace.getConfiguration("codeintel");
  await configuration.update(name, value, vscode.ConfigurationTarget.Global);
  try {
    await work();
  } finally {
    await configuration.update(name, undefined, vscode.ConfigurationTarget.Global);
  }
}
