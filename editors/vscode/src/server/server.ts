/**
 * The server of this window: found, started, watched and ended here, and asked through here.
 *
 * One client serves all folders of the window, as `codeintel-ls connect` does. Invariant: at most
 * one client lives at a time, and whatever goes wrong becomes a state that people can see and act
 * on, never a message that nobody asked for.
 */
import * as vscode from "vscode";
import type { ServerState } from "../api";
import type { Operation, ServerStatus } from "../protocol";
import type { Client, ClientEvents } from "./client";
import { type Found, locate, type NotFound } from "./locating";
import { compareVersions } from "./version";

export interface Described {
  readonly state: ServerState;
  readonly found: Found | undefined;
  /** Why it is missing or failed, or what is wrong with its version. */
  readonly problem: string | undefined;
  /** What is being done to get a server. */
  readonly activity?: string;
}

/** Nothing can be asked, since there is no server. */
export class NotRunningError extends Error {
  constructor() {
    super(vscode.l10n.t("The server codeintel-ls is not running."));
  }
}

export interface ServerPlaces {
  /** Where the programs of the extension's own environment are. */
  readonly privateFolder: string;
  /** A folder of the extension's own, in which programs are run. */
  readonly cwd: string;
  readonly extensionVersion: string;
}

export class Server implements vscode.Disposable {
  private readonly stateChanged = new vscode.EventEmitter<Described>();
  private readonly statusTold = new vscode.EventEmitter<ServerStatus | undefined>();
  private described: Described = { state: "noFolder", found: undefined, problem: undefined };
  private client: Client | undefined;
  private queue: Promise<void> = Promise.resolve();
  private disposed = false;
  readonly onDidChangeState = this.stateChanged.event;
  /** The server's own word on how it is; undefined when it is gone. */
  readonly onDidTellStatus = this.statusTold.event;

  constructor(
    private readonly places: ServerPlaces,
    private readonly log: vscode.LogOutputChannel,
    private readonly events: Omit<ClientEvents, "onState" | "onStatus" | "onGivenUp">,
  ) {}

  get state(): ServerState {
    return this.described.state;
  }

  get description(): Described {
    return this.described;
  }

  get processId(): number | undefined {
    return this.client?.processId;
  }

  /** Starts, where there is a folder and nothing runs. */
  async start(): Promise<void> {
    await this.inTurn(async () => {
      if (this.client === undefined) {
        await this.begin();
      }
    });
  }

  async restart(): Promise<void> {
    await this.inTurn(async () => {
      await this.end();
      await this.begin();
    });
  }

  async stop(): Promise<void> {
    await this.inTurn(async () => {
      await this.end();
    });
  }

  /**
   * Asks the server; `onPart` hears what is known before the whole answer is. Rejects with
   * NotRunningError where there is no server.
   */
  async request<P, R>(
    operation: Operation<P, R>,
    params: P,
    token?: vscode.CancellationToken,
    onPart?: (part: R) => void,
  ): Promise<R> {
    return this.running().request(operation, params, token, onPart);
  }

  /** Lets the progress of a request be heard that is given this token. */
  onProgress(token: string): vscode.Disposable {
    return this.running().onProgress(token);
  }

  /** Says what is being done to get a server; nothing when it is done or has failed. */
  announce(activity: string | undefined): void {
    const { state, found, problem } = this.described;
    this.become({ state, found, problem, ...(activity !== undefined && { activity }) });
  }

  /** Stops the work behind a progress of the server's. */
  async cancelProgress(token: string | number): Promise<void> {
    await this.running().cancelProgress(token);
  }

  /** Settles when the server runs; rejects where it cannot. */
  async whenRunning(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = ({ state, problem }: Described): void => {
        if (state === "running") {
          listening.dispose();
          resolve();
        } else if (state === "missing" || state === "failed") {
          listening.dispose();
          reject(new Error(problem ?? state));
        }
      };
      const listening = this.onDidChangeState(settle);
      settle(this.described);
    });
  }

  dispose(): void {
    this.disposed = true;
    this.stateChanged.dispose();
    this.statusTold.dispose();
  }

  private running(): Client {
    if (this.client === undefined || this.state !== "running") {
      throw new NotRunningError();
    }
    return this.client;
  }

  private async begin(): Promise<void> {
    if (!(vscode.workspace.workspaceFolders ?? []).some((folder) => folder.uri.scheme === "file")) {
      this.become({ state: "noFolder", found: undefined, problem: undefined });
      return;
    }
    this.become({ state: "starting", found: undefined, problem: undefined });
    const found = await locate(this.places.privateFolder, this.places.cwd);
    if (!("command" in found)) {
      this.missing(found);
      return;
    }
    this.log.info(`Starting ${found.command} ${found.version} (${found.origin}).`);
    const problem = this.versionProblem(found);
    // The library is large: windows that never start a server do not load it.
    const { Client: LoadedClient } = await import("./client.js");
    const client: Client = new LoadedClient(found.command, this.places.cwd, this.log, {
      ...this.events,
      onState: (state) => {
        if (this.client === client) {
          this.become({ state, found, problem: state === "failed" ? this.failure() : problem });
        }
      },
      onStatus: (status) => {
        if (this.client === client) {
          this.statusTold.fire(status);
        }
      },
      onGivenUp: () => {
        this.log.error("The server ended too often within three minutes, and is not started again.");
      },
    });
    this.client = client;
    try {
      await client.start();
    } catch (error) {
      this.log.error(error instanceof Error ? error : String(error));
      this.become({ state: "failed", found, problem: this.failure() });
    }
  }

  private async end(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client === undefined) {
      return;
    }
    this.statusTold.fire(undefined);
    this.become({ state: "stopped", found: undefined, problem: undefined });
    await client.stop();
  }

  private missing(found: NotFound): void {
    const problem = found.problems.join("\n");
    this.log.warn(problem === "" ? "No codeintel-ls was found." : problem);
    this.become({
      state: "missing",
      found: undefined,
      problem: problem === "" ? vscode.l10n.t("The server codeintel-ls was not found.") : problem,
    });
  }

  private versionProblem(found: Found): string | undefined {
    const ours = this.places.extensionVersion;
    switch (compareVersions(found.version, ours)) {
      case "older":
        return vscode.l10n.t("The server {0} is older than the extension {1}: update it.", found.version, ours);
      case "newer":
        return vscode.l10n.t(
          "The server {0} is newer than the extension {1}: update the extension.",
          found.version,
          ours,
        );
      case "same":
      case "unknown":
        return undefined;
    }
  }

  private failure(): string {
    return vscode.l10n.t("The server could not be kept running. The log says why.");
  }

  private become(described: Described): void {
    this.described = described;
    if (described.state !== "running") {
      this.statusTold.fire(undefined);
    }
    this.stateChanged.fire(described);
  }

  private async inTurn(work: () => Promise<void>): Promise<void> {
    if (this.disposed) {
      return;
    }
    this.queue = this.queue.then(work, work);
    await this.queue;
  }
}
