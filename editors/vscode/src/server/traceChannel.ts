/**
 * The extension's log as the language client sees it: where `codeintel.trace.server` is set, messages
 * are written whatever the log's level is, which is what people expect of such a setting.
 */
import * as vscode from "vscode";
import { SECTION } from "../settings";

const TRACE = "trace.server";

export class TraceChannel implements vscode.LogOutputChannel, vscode.Disposable {
  private readonly levelChanged = new vscode.EventEmitter<vscode.LogLevel>();
  private readonly listening: vscode.Disposable;
  readonly onDidChangeLogLevel = this.levelChanged.event;

  constructor(private readonly log: vscode.LogOutputChannel) {
    const tell = (): void => {
      this.levelChanged.fire(this.logLevel);
    };
    this.listening = vscode.Disposable.from(
      this.levelChanged,
      log.onDidChangeLogLevel(tell),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(`${SECTION}.${TRACE}`)) {
          tell();
        }
      }),
    );
  }

  get name(): string {
    return this.log.name;
  }

  get logLevel(): vscode.LogLevel {
    const traced = vscode.workspace.getConfiguration(SECTION).get<string>(TRACE, "off") !== "off";
    return traced ? vscode.LogLevel.Trace : this.log.logLevel;
  }

  trace(message: string): void {
    if (this.log.logLevel === vscode.LogLevel.Trace) {
      this.log.trace(message);
    } else {
      this.log.info(`[trace] ${message}`);
    }
  }

  debug(message: string): void {
    this.log.debug(message);
  }

  info(message: string): void {
    this.log.info(message);
  }

  warn(message: string): void {
    this.log.warn(message);
  }

  error(message: string | Error): void {
    this.log.error(message);
  }

  append(value: string): void {
    this.log.append(value);
  }

  appendLine(value: string): void {
    this.log.appendLine(value);
  }

  replace(value: string): void {
    this.log.replace(value);
  }

  clear(): void {
    this.log.clear();
  }

  show(): void {
    this.log.show(true);
  }

  hide(): void {
    this.log.hide();
  }

  dispose(): void {
    this.listening.dispose();
  }
}
