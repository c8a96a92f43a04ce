/** Results as items of a quick pick. */
import * as vscode from "vscode";
import { bestLine } from "./matching";
import type { Answer, Place } from "./searching";
import { iconOf } from "./symbolIcons";

export interface ResultItem extends vscode.QuickPickItem {
  readonly place?: Place;
  readonly run?: () => void;
}

const LONGEST_DETAIL = 160;

/** The buttons of a result. */
export const BESIDE: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon("split-horizontal"),
  tooltip: vscode.l10n.t("Open to the Side (Ctrl+Enter)"),
};

export function itemsOf(answer: Answer, terms: RegExp | undefined): ResultItem[] {
  return answer.places.map((place) => itemOf(place, terms));
}

/** A line that only says something, or does something when it is chosen. */
export function note(icon: string, label: string, detail?: string, run?: () => void): ResultItem {
  return {
    label: `$(${icon}) ${label}`,
    alwaysShow: true,
    ...(detail !== undefined && { detail }),
    ...(run !== undefined && { run }),
  };
}

function itemOf(place: Place, terms: RegExp | undefined): ResultItem {
  const name = place.symbol ?? place.path.split("/").at(-1) ?? place.path;
  const detail = place.snippet[place.phraseLine ?? bestLine(place.snippet, terms, place.symbol)]?.trim() ?? "";
  const stale = place.stale ? ` · ${vscode.l10n.t("changed since it was indexed")}` : "";
  return {
    label: `$(${iconOf(place.kind)}) ${name}`,
    description: `${place.path}:${place.line + 1}${stale}`,
    ...(detail !== "" && { detail: cut(detail) }),
    // The server has chosen and ranked: the list must neither filter nor sort.
    alwaysShow: true,
    buttons: [BESIDE],
    place,
  };
}

function cut(text: string): string {
  // A `$(name)` in code is no icon.
  const safe = text.replace(/\$\(/g, "$\u200b(");
  return safe.length <= LONGEST_DETAIL ? safe : `${safe.slice(0, LONGEST_DETAIL)}…`;
}
