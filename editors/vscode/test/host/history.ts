/** How a file got here: the view, revisions as virtual documents, comparisons. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as vscode from "vscode";
import type { ShownItem } from "../../src/api";
import { command, eventually, open, root, whenRunning } from "./extension";

const CACHE = "src/cache.py";

function git(...words: string[]): string {
  return execFileSync("git", words, { cwd: root().fsPath, encoding: "utf8" });
}

function texts(items: readonly ShownItem[]): string[] {
  return items.map(({ label, description, detail }) => [label, description, detail].join(" "));
}

function activeTab(): vscode.Tab["input"] {
  return vscode.window.tabGroups.activeTabGroup.activeTab?.input;
}

async function listed(...parts: string[]): Promise<readonly ShownItem[]> {
  const doors = await whenRunning();
  return eventually(
    `the history to list ${parts.join(", ")}`,
    () => doors.history(),
    (items) => parts.every((part) => texts(items).some((text) => text.includes(part))),
  );
}

export function historyTests(): void {
  suite("history", () => {
    suiteSetup(async () => {
      await whenRunning();
    });

    teardown(async () => {
      await vscode.commands.executeCommand("workbench.action.closeAllEditors");
    });

    test("the view lists a file's commits through its rename, the newest first", async () => {
      await open(CACHE);
      await command("showFileHistory");
      const items = await listed("Bound the cache", "Call the store what it is", "Start the project");
      const order = texts(items);
      const place = (part: string): number => order.findIndex((text) => text.includes(part));
      assert.ok(place("Bound the cache") < place("Call the store what it is"));
      assert.ok(place("Call the store what it is") < place("Start the project"));
      assert.ok(order.some((text) => text.includes("Barbara Liskov")));
    });

    test("a long history comes in pages", async () => {
      const doors = await whenRunning();
      await open("notes/days.md");
      await command("showFileHistory");
      await listed("Note day 60");
      assert.ok(!texts(doors.history()).some((text) => /Note day 1\b/.test(text)), "not all of it at once");
      await command("loadMoreHistory");
      await eventually("the rest", () => texts(doors.history()).some((text) => /Note day 1\b/.test(text)));
    });

    test("the history of lines has only what changed them", async () => {
      const editor = await open(CACHE, 24);
      const line = editor.document.getText().split("\n").findIndex((text) => text.includes("self._seconds = seconds"));
      editor.selection = new vscode.Selection(line, 0, line, 5);
      await command("showLineHistory");
      const doors = await whenRunning();
      const items = await eventually(
        "the line's history",
        () => doors.history(),
        (found) =>
          texts(found).some((text) => text.includes("Start the project")) &&
          !texts(found).some((text) => text.includes("Bound the cache")),
      );
      assert.ok(items.length > 0);
    });

    test("follows the editor, until it is pinned", async () => {
      await open(CACHE);
      await command("showFileHistory");
      await listed("Bound the cache");
      await open("src/retry.py");
      await listed("Spread retries with jitter");
      await command("pinHistory");
      await open("src/money.py");
      // What would come, had it not been pinned, takes a moment.
      await new Promise((resolve) => setTimeout(resolve, 800));
      await listed("Spread retries with jitter");
      await command("unpinHistory");
      await listed("Read amounts as people write them");
    });

    test("the previous revision is the text that git has, read-only, in the right language", async () => {
      await open(CACHE);
      await command("openPreviousRevision");
      const editor = await eventually(
        "a virtual document",
        () => vscode.window.activeTextEditor,
        (found) => found?.document.uri.scheme === "codeintel-git",
      );
      const document = editor?.document;
      assert.ok(document !== undefined);
      assert.equal(document.languageId, "python");
      const told = document.getText();
      const versions = git("log", "--follow", "--format=%H", "--name-only", "--", CACHE)
        .split("\n\n")
        .join("\n")
        .split("\n")
        .filter(Boolean);
      const known: string[] = [];
      for (let place = 0; place + 1 < versions.length; place += 2) {
        known.push(git("show", `${versions[place] ?? ""}:${versions[place + 1] ?? ""}`));
      }
      assert.ok(known.length >= 3, "git tells three revisions");
      assert.ok(known.includes(told), "it is one of git's");
      const before = document.getText();
      await vscode.commands.executeCommand("type", { text: "x" });
      assert.equal(vscode.window.activeTextEditor?.document.getText(), before, "it cannot be written");
    });

    test("on and back through the revisions", async () => {
      await open(CACHE);
      const uri = (): string => vscode.window.activeTextEditor?.document.uri.toString() ?? "";
      await command("openPreviousRevision");
      const first = await eventually("a revision", uri, (found) => found.startsWith("codeintel-git:"));
      await command("openPreviousRevision");
      const second = await eventually("an older one", uri, (found) => found.startsWith("codeintel-git:") && found !== first);
      assert.notEqual(first, second);
      await command("openNextRevision");
      await eventually("the first again", uri, (found) => found === first);
    });

    test("compares with the previous revision, and a revision with the working text", async () => {
      await open(CACHE);
      await command("compareWithPrevious");
      const input = await eventually("a comparison", activeTab, (found) => found instanceof vscode.TabInputTextDiff);
      assert.ok(input instanceof vscode.TabInputTextDiff);
      assert.equal(input.original.scheme, "codeintel-git");
      const before = await vscode.workspace.openTextDocument(input.original);
      const after = await vscode.workspace.openTextDocument(input.modified);
      assert.notEqual(before.getText(), after.getText());
      await vscode.commands.executeCommand("workbench.action.closeAllEditors");

      await open(CACHE);
      await command("openPreviousRevision");
      await eventually(
        "a revision",
        () => vscode.window.activeTextEditor?.document.uri.scheme,
        (scheme) => scheme === "codeintel-git",
      );
      await command("compareWithWorking");
      const working = await eventually("a comparison", activeTab, (found) => found instanceof vscode.TabInputTextDiff);
      assert.ok(working instanceof vscode.TabInputTextDiff);
      assert.equal(working.modified.scheme, "file");
    });

    test("the commit of the cursor's line: what it did, and the file as it was then", async () => {
      const doors = await whenRunning();
      await open("src/retry.py", 17);
      await eventually("the annotation", () => doors.annotation(), (text) => text?.includes("Spread") ?? false);
      await command("openChanges");
      const input = await eventually("a comparison", activeTab, (found) => found instanceof vscode.TabInputTextDiff);
      assert.ok(input instanceof vscode.TabInputTextDiff);
      assert.ok(!(await vscode.workspace.openTextDocument(input.original)).getText().includes("Jitter"));
      assert.ok((await vscode.workspace.openTextDocument(input.modified)).getText().includes("Jitter"));
      await vscode.commands.executeCommand("workbench.action.closeAllEditors");

      await open("src/retry.py", 12);
      await eventually("the older commit", () => doors.annotation(), (text) => text?.includes("Add retries") ?? false);
      await command("openAtCommit");
      const editor = await eventually(
        "the file as it was",
        () => vscode.window.activeTextEditor,
        (found) => found?.document.uri.scheme === "codeintel-git",
      );
      assert.ok(!(editor?.document.getText().includes("Jitter") ?? true));
    });

    test("what was committed meanwhile is listed on asking again", async () => {
      const path = "src/money.py";
      const editor = await open(path);
      await command("showFileHistory");
      await listed("Read amounts");
      await editor.edit((edit) => {
        edit.insert(new vscode.Position(0, 0), "# One more line.\n");
      });
      await editor.document.save();
      git("-c", "user.name=Ada Byron", "-c", "user.email=ada@example.org", "commit", "-q", "-m", "Say one thing more", path);
      try {
        await command("refreshHistory");
        await listed("Say one thing more", "Read amounts");
      } finally {
        git("reset", "-q", "--hard", "HEAD~1");
      }
    });

    test("a commit's id goes to the clipboard", async () => {
      await open("src/retry.py", 17);
      const doors = await whenRunning();
      await eventually("the annotation", () => doors.annotation(), (text) => text?.includes("Spread") ?? false);
      await vscode.env.clipboard.writeText("");
      await command("copyCommitId");
      const wanted = git("log", "-1", "--format=%H", "--", "src/retry.py").trim();
      const copied = await vscode.env.clipboard.readText();
      assert.ok(copied !== "" && wanted.startsWith(copied), `${copied} of ${wanted}`);
      await command("copyCommitMessage");
      assert.match(await vscode.env.clipboard.readText(), /^Spread retries with jitter/);
    });
  });
}
