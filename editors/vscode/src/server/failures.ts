/** What happens when the connection to the server fails: it is started again, but not for ever. */
import {
  CloseAction,
  type CloseHandlerResult,
  ErrorAction,
  type ErrorHandler,
  type ErrorHandlerResult,
  type Message,
} from "vscode-languageclient/node";

const MOST_RESTARTS = 4;
const WITHIN_MILLISECONDS = 3 * 60 * 1000;
const MOST_ERRORS = 3;

/** Nothing pops up: what the person should know stands in the status bar. */
export class RestartPolicy implements ErrorHandler {
  private readonly ends: number[] = [];

  constructor(private readonly onGivenUp: () => void) {}

  error(_error: Error, _message: Message | undefined, count: number | undefined): ErrorHandlerResult {
    const action = (count ?? 0) <= MOST_ERRORS ? ErrorAction.Continue : ErrorAction.Shutdown;
    return { action, handled: true };
  }

  closed(): CloseHandlerResult {
    const now = Date.now();
    this.ends.push(now);
    while (this.ends[0] !== undefined && now - this.ends[0] > WITHIN_MILLISECONDS) {
      this.ends.shift();
    }
    if (this.ends.length <= MOST_RESTARTS) {
      return { action: CloseAction.Restart, handled: true };
    }
    this.onGivenUp();
    return { action: CloseAction.DoNotRestart, handled: true };
  }
}
