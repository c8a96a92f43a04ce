/** Who wrote a line: hover, annotation, status bar, whole file, code lens. */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import { changing, command, eventually, open, root, whenRunning } from "./extension";

const RETRY = "src/retry.py";
/** The line of the jitter, which Grace Hopper wrote last; the line of the loop is older. */
const JITTER = 17;
const LOOP = 12;

async function hovers(editor: vscode.TextEditor, line: number): Promise<string[]> {
  const end = editor.document.lineAt(line).range.end;
  const found = await vscode.commands.executeCommand<vscode.Hover[]>(
    "vscode.executeHoverProvider",
    editor.document.uri,
    end,
  );
  return found.flatMap(({ contents }) =>
    contents.map((content) => (content instanceof vscode.MarkdownString ? content.value : "")),
  );
}

export function blameTests(): void {
  suite("blame", () => {
    suiteSetup(async () => {
      await whenRunning();
    });

    test("the hover names author, message and actions, once", async () => {
      const editor = await open(RETRY, JITTER);
      const texts = await eventually(
        "a hover",
        async () => hovers(editor, JITTER),
        (found) => found.some((text) => text.includes("Grace Hopper")),
      );
      const about = texts.filter((text) => text.includes("Grace Hopper"));
      assert.equal(about.length, 1, `told twice: ${texts.join("\n---\n")}`);
      assert.match(about[0] ?? "", /Spread retries with jitter/);
      assert.match(about[0] ?? "", /command:codeintel-ls\./, "links to commands");
    });

    test("the annotation is of the cursor's line, and follows it", async () => {
      const doors = await whenRunning();
      const editor = await open(RETRY, JITTER);
      await eventually("the annotation", () => doors.annotation(), has("Spread retries with jitter"));
      const loop = new vscode.Position(LOOP, 0);
      editor.selection = new vscode.Selection(loop, loop);
      await eventually("the older commit", () => doors.annotation(), has("Add retries"));
      const status = doors.blameStatusBar();
      assert.match(status?.text ?? "", /Grace Hopper/);
    });

    test("a line that is being written is not somebody else's", async () => {
      const doors = await whenRunning();
      const editor = await open(RETRY, LOOP);
      await eventually("the annotation", () => doors.annotation(), has("Add retries"));
      const place = editor.document.lineAt(LOOP).range.end;
      await editor.edit((edit) => {
        edit.insert(place, "  # changed");
      });
      try {
        await eventually(
          "the commit to go",
          () => doors.annotation() ?? "",
          (text) => !text.includes("Add retries"),
        );
        const texts = await hovers(editor, LOOP);
        assert.ok(!texts.join().includes("Add retries"), texts.join());
      } finally {
        await vscode.commands.executeCommand("workbench.action.files.revert");
      }
      await eventually("the commit to come back", () => doors.annotation(), has("Add retries"));
    });

    test("settings are heeded while it runs: format, then off", async () => {
      const doors = await whenRunning();
      await open(RETRY, JITTER);
      await changing("blame.format", "by {author}", async () => {
        await eventually("the new format", () => doors.annotation()?.trim(), (text) => text === "by Grace Hopper");
      });
      await changing("annotation.enabled", false, async () => {
        await eventually("no annotation", () => doors.annotation(), (text) => text === undefined);
      });
      await eventually("it to come back", () => doors.annotation(), has("Spread retries"));
    });

    test("the command turns the annotation off and on", async () => {
      const doors = await whenRunning();
      await open(RETRY, JITTER);
      await eventually("the annotation", () => doors.annotation(), has("Spread retries"));
      await command("toggleLineBlame");
      await eventually("no annotation", () => doors.annotation(), (text) => text === undefined);
      await command("toggleLineBlame");
      await eventually("the annotation", () => doors.annotation(), has("Spread retries"));
    });

    test("a file outside git, and a file that nobody committed, have no author", async () => {
      const doors = await whenRunning();
      await open("src/draft.py", 0);
      await eventually(
        "no author",
        () => doors.annotation() ?? "",
        (text) => !/Hopper|Byron|Liskov|Dijkstra/.test(text),
      );
      const plain = vscode.Uri.joinPath(root(), "..", "plain", "notes.txt");
      await vscode.window.showTextDocument(plain);
      await eventually("nothing", () => doors.annotation(), (text) => text === undefined);
    });

    test("a path with spaces and umlauts is blamed too", async () => {
      const doors = await whenRunning();
      await open("src/größe und maß.py", 3);
      await eventually("its author", () => doors.annotation(), has("Edsger Dijkstra"));
    });

    test("the whole file: one text a line, toggled", async () => {
      const doors = await whenRunning();
      const editor = await open("src/cache.py", 0);
      await command("toggleFileBlame");
      const lines = await eventually("the gutter", () => doors.fileBlame(), (found) => (found?.length ?? 0) > 0);
      const told = (lines ?? []).join("\n").replaceAll("\u00a0", " ");
      assert.match(told, /Ada Byron/);
      assert.match(told, /Barbara Liskov/);
      assert.ok((lines ?? []).length <= editor.document.lineCount);
      await command("toggleFileBlame");
      await eventually("the gutter to go", () => doors.fileBlame(), (found) => found === undefined);
    });

    test("code lenses tell authors, once they are switched on", async () => {
      const editor = await open("src/cache.py", 0);
      const titles = async (): Promise<string[]> => {
        const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
          "vscode.executeCodeLensProvider",
          editor.document.uri,
          100,
        );
        return lenses.flatMap((lens) => lens.command?.title ?? []);
      };
      assert.deepEqual((await titles()).filter((title) => title.includes("Ada")), []);
      await command("toggleCodeLens");
      try {
        await eventually("lenses", titles, (found) => found.some((title) => /Ada|Barbara/.test(title)));
      } finally {
        await command("toggleCodeLens");
      }
      await eventually("no lenses", titles, (found) => !found.some((title) => /Ada|Barbara/.test(title)));
    });
  });
}

function has(part: string): (text: string | undefined) => boolean {
  return (text) => text?.includes(part) ?? false;
}
