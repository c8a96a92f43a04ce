/**
 * The settings of the section `codeintel`: those that the extension reads, and those that the
 * server is told.
 *
 * Invariant: the server is told only what somebody has set. VS Code's defaults would hide what the
 * user wrote into the server's own config.toml, and the server refuses names that it does not know.
 */
import * as vscode from "vscode";

export const SECTION = "codeintel";

/** The first words of the extension's own settings, which the server does not know. */
const OWN: ReadonlySet<string> = new Set(["server", "trace", "annotation", "statusBar", "searchView"]);

interface OwnSettings {
  "server.path": string;
  "annotation.enabled": boolean;
  "statusBar.blame": boolean;
  "searchView.refreshOnSave": boolean;
  "blame.hover": "off" | "lineEnd" | "everywhere";
  "blame.inlayHints": "off" | "line" | "visible";
  "blame.codeLens": boolean;
  "blame.format": string;
  "blame.dateFormat": "relative" | "iso";
}

/** A setting's value; package.json has a default for each. */
export function setting<Name extends keyof OwnSettings>(name: Name, fallback: OwnSettings[Name]): OwnSettings[Name] {
  return vscode.workspace.getConfiguration(SECTION).get<OwnSettings[Name]>(name, fallback);
}

/** Changes a setting where it is set now, and for the user where it is not set. */
export async function changeSetting<Name extends keyof OwnSettings>(
  name: Name,
  value: OwnSettings[Name],
): Promise<void> {
  const configuration = vscode.workspace.getConfiguration(SECTION);
  const where = configuration.inspect(name);
  const target =
    where?.workspaceFolderValue !== undefined
      ? vscode.ConfigurationTarget.WorkspaceFolder
      : where?.workspaceValue !== undefined
        ? vscode.ConfigurationTarget.Workspace
        : vscode.ConfigurationTarget.Global;
  await configuration.update(name, value, target);
}

/** Settings of VS Code's own git extension, whose blame would stand beside ours. */
type BuiltIn = "git.blame.editorDecoration.enabled" | "git.blame.statusBarItem.enabled";

/**
 * Whether something is shown that VS Code has of its own, too: both at once only where somebody has
 * asked for ours in so many words.
 */
export function shownBeside(name: "annotation.enabled" | "statusBar.blame", builtIn: BuiltIn): boolean {
  const set = vscode.workspace.getConfiguration(SECTION).inspect<boolean>(name);
  const asked = set?.workspaceFolderValue ?? set?.workspaceValue ?? set?.globalValue;
  const git = vscode.extensions.getExtension("vscode.git")?.isActive === true;
  const doubled = git && vscode.workspace.getConfiguration().get<boolean>(builtIn, false);
  return asked ?? !doubled;
}

export function onDidChangeSetting(
  names: readonly (keyof OwnSettings | BuiltIn)[],
  listener: () => void,
): vscode.Disposable {
  const full = names.map((name) => (name.startsWith("git.") ? name : `${SECTION}.${name}`));
  return vscode.workspace.onDidChangeConfiguration((event) => {
    if (full.some((name) => event.affectsConfiguration(name))) {
      listener();
    }
  });
}

type Tree = Record<string, unknown>;

interface Contribution {
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** The full names of the server's settings, as the manifest lists them. */
export function serverSettingNames(manifest: unknown): string[] {
  const contributed = (manifest as { contributes?: { configuration?: readonly Contribution[] } }).contributes;
  return (contributed?.configuration ?? [])
    .flatMap((section) => Object.keys(section.properties ?? {}))
    .filter((name) => name.startsWith(`${SECTION}.`) && !OWN.has(name.split(".")[1] ?? ""));
}

/** What the server is told of a folder, or of the window. */
export function settingsForServer(names: readonly string[], scope: vscode.Uri | undefined): Tree {
  const configuration = vscode.workspace.getConfiguration(undefined, scope ?? null);
  const told: Tree = {};
  for (const name of names) {
    const set = configuration.inspect(name);
    const value = set?.workspaceFolderValue ?? set?.workspaceValue ?? set?.globalValue;
    if (value === undefined) {
      continue;
    }
    const [, group = "", key = ""] = name.split(".");
    const inner = (told[group] ??= {}) as Tree;
    inner[key] = value;
  }
  return told;
}
