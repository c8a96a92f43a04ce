/** The language client of one server process, with what the extension changes of its ways. */
import * as vscode from "vscode";
import {
  type ClientCapabilities,
  InlayHintRefreshRequest,
  InlayHintRequest,
  LanguageClient,
  type LanguageClientOptions,
  type Middleware,
  type ProgressToken,
  ProgressType,
  RevealOutputChannelOn,
  State,
  WorkDoneProgress,
  type WorkDoneProgressBegin,
  WorkDoneProgressCancelNotification,
  type WorkDoneProgressEnd,
  type WorkDoneProgressReport,
} from "vscode-languageclient/node";
import type { ServerState } from "../api";
import { type Operation, type ServerStatus, STATUS } from "../protocol";
import { RestartPolicy } from "./failures";
import { TraceChannel } from "./traceChannel";

export type WorkDone = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;

export interface ClientEvents {
  onState(state: ServerState): void;
  onStatus(status: ServerStatus): void;
  onGivenUp(): void;
  /** HEAD has moved, or blame is worded in another way. */
  onBlameChanged(): void;
  /** A progress of the server's, or of a request that was given a token. */
  onProgress(token: ProgressToken, value: WorkDone): void;
  /** The settings of a folder, or of the window. */
  settings(scope: vscode.Uri | undefined): object;
  /** A hover instead of the server's. */
  hover(
    document: vscode.TextDocument,
    position: vscode.Position,
    token: vscode.CancellationToken,
  ): Promise<vscode.Hover | undefined>;
  /** What a command of the server's does here; undefined where the server runs it. */
  command(name: string, argument: unknown): Thenable<unknown> | undefined;
}

/** Commands that links in the server's Markdown may run. */
const LINKED = ["codeintel.fileHistory", "codeintel.openFileAtRevision"];
const STOP_MILLISECONDS = 3_000;

/** The library's client, whose errors are logged and do not pop up: the status bar tells of them. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }

  override warn(message: string, data?: unknown): void {
    super.warn(message, data, false);
  }

  override info(message: string, data?: unknown): void {
    super.info(message, data, false);
  }
}

export class Client {
  private readonly client: LanguageClient;
  private readonly channel: TraceChannel;
  private asked = 0;

  constructor(command: string, cwd: string, log: vscode.LogOutputChannel, events: ClientEvents) {
    this.channel = new TraceChannel(log);
    let givenUp = false;
    const policy = new RestartPolicy(() => {
      givenUp = true;
      events.onGivenUp();
    });
    const options: LanguageClientOptions = {
      documentSelector: [{ scheme: "file" }],
      outputChannel: this.channel,
      traceOutputChannel: this.channel,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationFailedHandler: () => false,
      errorHandler: policy,
      middleware: middlewareOf(events),
      markdown: { isTrusted: { enabledCommands: LINKED }, supportThemeIcons: false },
      stdioOptions: { stdout: () => undefined, stderr: logLines },
    };
    const run = { command, args: ["connect"], options: { cwd } };
    this.client = new QuietClient("codeintel", "CodeIntel", { run, debug: run }, options);
    this.client.registerFeature({
      getState: () => ({ kind: "static" }),
      fillClientCapabilities: (capabilities: ClientCapabilities) => {
        capabilities.experimental = { codeintel: { trustedMarkdown: true } };
      },
      // The last of the client's features: only now does the server know which documents are open.
      initialize: () => {
        this.hearRefreshes(events);
        events.onState("running");
      },
      clear: () => undefined,
    });
    this.client.onDidChangeState(({ newState }) => {
      if (newState !== State.Running) {
        // Between the end of a process and the start of the next one it counts as starting.
        events.onState(newState === State.StartFailed || givenUp ? "failed" : "starting");
      }
    });
    this.client.onNotification(STATUS, (status: ServerStatus) => {
      events.onStatus(status);
    });
  }

  get processId(): number | undefined {
    return this.client.serverProcess?.pid;
  }

  async start(): Promise<void> {
    await this.client.start();
  }

  /** Asks the server. What it can tell before it has the whole answer goes to `onPart`. */
  async request<P, R>(
    { method }: Operation<P, R>,
    params: P,
    token?: vscode.CancellationToken,
    onPart?: (part: R) => void,
  ): Promise<R> {
    if (onPart === undefined) {
      return this.send<R>(method, params, token);
    }
    this.asked += 1;
    const partialResultToken = `part-${this.asked}`;
    const listening = this.client.onProgress(new ProgressType<R>(), partialResultToken, onPart);
    try {
      return await this.send<R>(method, { ...params, partialResultToken }, token);
    } finally {
      listening.dispose();
    }
  }

  private async send<R>(method: string, params: unknown, token?: vscode.CancellationToken): Promise<R> {
    // A token that is undefined would be sent as a second parameter.
    return token === undefined
      ? this.client.sendRequest<R>(method, params)
      : this.client.sendRequest<R>(method, params, token);
  }

  /** What is heard goes through the middleware to `onProgress` of the events. */
  onProgress(token: ProgressToken): vscode.Disposable {
    return this.client.onProgress(WorkDoneProgress.type, token, () => undefined);
  }

  async cancelProgress(token: ProgressToken): Promise<void> {
    await this.client.sendNotification(WorkDoneProgressCancelNotification.type, { token });
  }

  /**
   * The server asks for new inlay hints when HEAD has moved or settings of blame have changed: all
   * that shows blame has to know. This takes the place of the library's own handler.
   */
  private hearRefreshes(events: ClientEvents): void {
    this.client.onRequest(InlayHintRefreshRequest.type, () => {
      events.onBlameChanged();
      const feature = this.client.getFeature(InlayHintRequest.method);
      const emitters = vscode.workspace.textDocuments.map(
        (document) => feature.getProvider(document)?.onDidChangeInlayHints,
      );
      for (const emitter of new Set(emitters)) {
        emitter?.fire();
      }
    });
  }

  /** Ends the process, whatever state it is in. */
  async stop(): Promise<void> {
    try {
      await this.client.dispose(STOP_MILLISECONDS);
    } catch {
      // It was not running, or did not answer in time and was killed.
    } finally {
      this.channel.dispose();
    }
  }
}

function middlewareOf(events: ClientEvents): Middleware {
  return {
    workspace: {
      configuration: (params) =>
        params.items.map((item) =>
          events.settings(typeof item.scopeUri === "string" ? vscode.Uri.parse(item.scopeUri) : undefined),
        ),
    },
    provideHover: (document, position, token) => events.hover(document, position, token),
    executeCommand: async (name, args: unknown[], next): Promise<unknown> =>
      (await (events.command(name, args[0]) ?? next(name, args))) as unknown,
    handleWorkDoneProgress: (token, params, next) => {
      events.onProgress(token, params);
      // The status bar shows it; only the client's book-keeping has to hear of the end.
      if (params.kind === "end") {
        next(token, params);
      }
    },
  };
}

/** The server's log: its lines have levels of their own. */
function logLines(input: NodeJS.ReadableStream, channel: vscode.LogOutputChannel): void {
  let rest = "";
  input.on("data", (data: Buffer | string) => {
    const lines = (rest + data.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines.filter((text) => text.trim() !== "")) {
      channel.info(`server: ${line.trimEnd()}`);
    }
  });
}
