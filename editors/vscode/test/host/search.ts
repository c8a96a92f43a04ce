/** Where is the code that does X: quick pick, search view, similar code. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import * as vscode from "vscode";
import type { ListedAnswer } from "../../src/api";
import { changing, command, eventually, open, root, whenRunning } from "./extension";

interface SearchResult {
  readonly hits: readonly { readonly path: string }[];
}

export function searchTests(): void {
  suite("search", () => {
    suiteSetup(async () => {
      await whenRunning();
      await vscode.commands.executeCommand("codeintel.updateIndex", {});
    });

    teardown(async () => {
      await vscode.commands.executeCommand("workbench.action.closeQuickOpen");
      await vscode.commands.executeCommand("workbench.action.closeAllEditors");
    });

    test("the quick pick searches for what it is opened with", async () => {
      const doors = await whenRunning();
      assert.equal(doors.searchItems(), undefined, "it is closed");
      void command("search", "wait longer after each failure");
      const items = await eventually("results", () => doors.searchItems(), (found) => (found?.length ?? 0) > 0);
      const [first] = items ?? [];
      assert.match(first?.label ?? "", /retry_with_backoff/);
      assert.match(first?.description ?? "", /retry\.py/);
      await vscode.commands.executeCommand("workbench.action.acceptSelectedQuickOpenItem");
      const editor = await eventually(
        "the place to open",
        () => vscode.window.activeTextEditor,
        (found) => found?.document.uri.path.endsWith("src/retry.py") ?? false,
      );
      assert.ok(editor !== undefined);
      await eventually("it to close", () => doors.searchItems(), (found) => found === undefined);
    });

    test("filters that are typed are heeded", async () => {
      const doors = await whenRunning();
      void command("search", "lang:go refuse whoever asks too often");
      const items = await eventually("results", () => doors.searchItems(), (found) => (found?.length ?? 0) > 0);
      assert.ok((items ?? []).every(({ description }) => description?.includes(".go")), JSON.stringify(items));
      await vscode.commands.executeCommand("workbench.action.closeQuickOpen");
      void command("search", "path:web/** session");
      await eventually(
        "only that folder",
        () => doors.searchItems(),
        (found) => found !== undefined && found.length > 0 && found.every(({ description }) => description?.includes("session.ts")),
      );
    });

    test("keeps results in the view, and goes through them", async () => {
      const doors = await whenRunning();
      void command("search", "drop stale entries of the cache");
      await eventually("results", () => doors.searchItems(), (found) => (found?.length ?? 0) > 1);
      await command("searchKeepResults");
      const kept = await eventually("the view", () => doors.searchView(), ({ results }) => results.length > 1);
      assert.match(kept.query, /drop stale entries/);
      assert.ok(kept.results.some((place) => place.startsWith("src/cache.py:")), kept.results.join());
      await command("nextResult");
      const first = await eventually("the first result", () => vscode.window.activeTextEditor?.document.uri.path ?? "");
      await command("nextResult");
      await command("previousResult");
      await eventually("the first again", () => vscode.window.activeTextEditor?.document.uri.path ?? "", (path) => path === first);
      await command("clearResults");
      await eventually("nothing", () => doors.searchView().results, (results) => results.length === 0);
    });

    test("opens a result beside what one was reading", async () => {
      const doors = await whenRunning();
      await open("README.md");
      void command("search", "wait longer after each failure");
      await eventually("results", () => doors.searchItems(), (found) => (found?.length ?? 0) > 0);
      // The list has a cursor only when the window has drawn it.
      await eventually("two groups", async () => {
        await command("searchOpenBeside");
        return vscode.window.tabGroups.all.length === 2;
      });
      const shown = vscode.window.visibleTextEditors.map(({ document }) => document.uri.path.split("/").at(-1));
      assert.ok(shown.includes("README.md") && shown.includes("retry.py"), shown.join());
    });

    test("asks again for what changed outside the editor", async () => {
      const doors = await whenRunning();
      void command("search", "polish the brass of the foghorn");
      await eventually("results", () => doors.searchItems(), (found) => (found?.length ?? 0) > 0);
      await command("searchKeepResults");
      await eventually("the view", () => doors.searchView().results, (found) => found.length > 0);
      const uri = vscode.Uri.joinPath(root(), "src/foghorn.py");
      writeFileSync(uri.fsPath, 'def polish_brass(horn):\n    """Polish the brass of the foghorn."""\n');
      try {
        await command("updateIndex");
        await command("refreshResults");
        await eventually(
          "the new place",
          () => doors.searchView().results,
          (results) => results.some((place) => place.startsWith("src/foghorn.py:")),
        );
      } finally {
        rmSync(uri.fsPath);
        await command("clearResults");
      }
    });

    test("finds code that is similar to the selection", async () => {
      const doors = await whenRunning();
      const editor = await open("src/steps/step_3.py");
      editor.selection = new vscode.Selection(0, 0, 2, 20);
      await command("findSimilar");
      const { results, shared } = await eventually("results", () => doors.searchView(), (view) => view.results.length > 0);
      assert.ok(shared.some((names) => names.length > 0), "what they have in common is named");
      assert.ok(results.some((place) => /steps\/step_\d+\.py/.test(place)), results.join());
      assert.ok(!results.some((place) => place.startsWith("src/steps/step_3.py:")), "not the place itself");
      await command("clearResults");
    });

    test("the order that is known at once is listed until a better one is there", async () => {
      const doors = await whenRunning();
      const told: ListedAnswer[] = [];
      const listening = doors.onDidAnswerSearch((answer) => told.push(answer));
      try {
        // So slow that it has not read the folder meanwhile; the model is loaded in the background.
        await changing("search.deepPercent", 1, async () => {
          await changing("search.deep", "auto", async () => {
            await eventually(
              "an answer in two steps",
              async () => {
                told.length = 0;
                void command("search", "turn away visitors who come back too frequently");
                await eventually("the answer", () => told.some(({ final }) => final));
                return told.length > 1;
              },
              Boolean,
              60,
            );
            // It asks again while the index grows.
            const [early, final] = told.slice(-2);
            assert.deepEqual([early?.final, final?.final], [false, true]);
            assert.notDeepEqual(early?.results, final?.results);
            const listed = (doors.searchItems() ?? []).map(({ description }) => description);
            assert.deepEqual(listed, final?.results);
          });
        });
      } finally {
        listening.dispose();
      }
    });

    test("a limit that is set while it runs is heeded by the server", async () => {
      const ask = async (): Promise<number> => {
        const found = await vscode.commands.executeCommand<SearchResult>("codeintel.semanticSearch", { query: "step" });
        return found.hits.length;
      };
      assert.ok((await ask()) > 2);
      await changing("search.limit", 2, async () => {
        await eventually("two results", ask, (count) => count === 2);
      });
      await eventually("more again", ask, (count) => count > 2);
    });

    test("what was saved is found, and the view asks again", async () => {
      const doors = await whenRunning();
      const uri = vscode.Uri.joinPath(root(), "src/lighthouse.py");
      await vscode.workspace.fs.writeFile(uri, Buffer.from(""));
      try {
        void command("search", "rotate the lens of the lighthouse");
        await eventually("results", () => doors.searchItems(), (found) => (found?.length ?? 0) > 0);
        await command("searchKeepResults");
        await eventually("the view", () => doors.searchView().results, (found) => found.length > 0);
        const editor = await open("src/lighthouse.py");
        await editor.edit((edit) => {
          edit.insert(
            new vscode.Position(0, 0),
            'def turn_lens(lens):\n    """Rotate the lens of the lighthouse."""\n    return lens.turn()\n',
          );
        });
        await editor.document.save();
        await eventually(
          "the new text in the view",
          () => doors.searchView().results,
          (results) => results.some((place) => place.startsWith("src/lighthouse.py:")),
        );
      } finally {
        await vscode.workspace.fs.delete(uri);
        await command("clearResults");
      }
    });
  });
}
