import assert from "node:assert/strict";
import type { Command } from "../../cli/command.ts";
import { main } from "../../cli/main.ts";
import {
  firstLine,
  guarded,
  harmless,
  jsonLine,
  printable,
  printableMessage,
} from "../../cli/printable.ts";
import { Progress } from "../../cli/progress.ts";
import { modelCard } from "../../cli/report/card.ts";
import { escape } from "../../cli/report/report.ts";
import { markdown, scalar } from "../../cli/report/markdown.ts";
import { columns, paint, type Terminal } from "../../cli/terminal.ts";
import { PAYLOADS } from "../_payloads.ts";
import { HOSTILE } from "./_fake.ts";
import { info } from "./_folders.ts";

/** "evil" in Unicode's tags, which nothing draws. */
const TAGS = [..."evil"].map((c) => String.fromCodePoint(0xe0000 + c.codePointAt(0)!)).join("");
const ESCAPES = ["\u001b[2J", "\u009b31m", "\u001b]0;title\u0007", "\u001bc", "\u001b[8mhid"];
const UNSEEN = ["\u061c", "\u202e", "\u2066", "\u200b", "\u00ad", "\u3164", "\u{e0100}", "\ufff9"];
const OUTSIDE = [
  ...HOSTILE,
  ...PAYLOADS,
  TAGS,
  ...ESCAPES,
  ...UNSEEN,
  "\u0000",
  "\u007f",
  "\u0085",
  "\u2028",
];

/** All that may act or hide, by ranges, not by the properties that the program asks for. */
const UNSAFE =
  // deno-lint-ignore no-control-regex -- they must be gone
  /[\0-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/u;

function remembering(fancy: boolean): Terminal & { lines: string[] } {
  const lines: string[] = [];
  const take = (text: string) => void lines.push(text);
  return { lines, out: take, write: take, err: take, fancy, columns: 80 };
}

/** A command that hands on what came from outside as it is. */
const careless: Command = {
  spec: { name: "careless", doc: "Print all", positional: [], flags: {}, example: "none" },
  run(_parsed, terminal) {
    for (const text of OUTSIDE) {
      terminal.out(text);
      terminal.err(`${paint(terminal, "red", "x")} ${text}`);
      terminal.write(text);
    }
    throw new Error(OUTSIDE.join("\n"));
  },
};

Deno.test("whatever a command prints or throws, nothing of it acts on a terminal or hides", async () => {
  for (const fancy of [false, true]) {
    for (const debug of [[], ["--debug"]]) {
      const terminal = remembering(fancy);
      assert.equal(await main(["careless", ...debug], { commands: [careless], terminal }), 1);
      assert.ok(terminal.lines.length > 3 * OUTSIDE.length);
      for (const line of terminal.lines) {
        const own = line.replaceAll("\u001b[31mx\u001b[39m", "x")
          .replaceAll("\u001b[31merror:\u001b[39m", "error:");
        assert.doesNotMatch(own, UNSAFE, JSON.stringify(line));
      }
    }
  }
});

Deno.test("a line stays one line, whatever stands in it; a message keeps its own lines", async () => {
  const terminal = remembering(true), safe = guarded(terminal);
  const red = "\u001b[31mred\nfinished\u001b[39m";
  for (const say of [safe.out, safe.err]) say(`a\nb ${red}`);
  const shown = "a\\nb \u001b[31mred\\nfinished\u001b[39m";
  assert.deepEqual(terminal.lines, [shown, shown]);
  safe.write("a\nb");
  assert.equal(terminal.lines.at(-1), "a\nb");
  const failing: Command = {
    ...careless,
    spec: { ...careless.spec, positional: [["[name]", "a name"]] },
    run({ positional: [name] }) {
      throw new Error(`Cannot find ${name}:\nlook elsewhere`);
    },
  };
  const plain = remembering(false);
  await main(["careless", "a\nb/c\nd/"], { commands: [failing], terminal: plain });
  assert.deepEqual(plain.lines.slice(0, 2), [
    "error: Cannot find a\\nb/c\\nd/:",
    "look elsewhere",
  ]);
  assert.deepEqual(columns([["name", "n"], ["a\nb", "1"]]), ["name  n", "a\\nb  1"]);
  assert.equal(firstLine(new Error("Cannot read a\nb as:\nmore"), "a\nb"), "Cannot read a\\nb as:");
});

Deno.test("names that were typed and not found do not act either", async () => {
  for (const args of [[ESCAPES[0]], ["careless", TAGS], ["careless", `--${ESCAPES[1]}${TAGS}`]]) {
    const terminal = remembering(true);
    assert.equal(await main(args, { commands: [careless], terminal }), 2);
    const said = terminal.lines.join("\n").replace("\u001b[31merror:\u001b[39m", "");
    assert.doesNotMatch(said, UNSAFE);
    assert.match(said, /./);
  }
});

Deno.test("colours of the program's own stay where the terminal has them", () => {
  const red = "\u001b[31mred\u001b[39m";
  assert.equal(harmless(red, { fancy: true }), red);
  assert.equal(harmless(red, { fancy: false }), "red");
  assert.equal(harmless("a\nb\r", { fancy: true }), "a\nb\\r");
  assert.equal(harmless("\u001b[8mhid\u001b[38;5;1m", { fancy: true }), "hid");
  assert.equal(guarded(remembering(true)).columns, 80);
});

Deno.test("invisible characters are spelled out; letters and emoji stay", () => {
  assert.equal(printable(`a${TAGS[0]}${TAGS[1]}`), "a\\u{e0065}");
  assert.equal(printable("\u3164\u061c"), "\\u{3164}\\u{61c}");
  assert.equal(printable("naïve ＝ 日本 ❤\ufe0f 🙂"), "naïve ＝ 日本 ❤\ufe0f 🙂");
});

Deno.test("JSON is read back as it was, and has no unsafe character", () => {
  const line = jsonLine(OUTSIDE);
  assert.doesNotMatch(line, UNSAFE);
  assert.deepEqual(JSON.parse(line), OUTSIDE);
  assert.equal(harmless(line, { fancy: true }), line); // so that what `main` prints is JSON still
});

Deno.test("every line of JSON that a command prints is made by jsonLine", async () => {
  const root = new URL("../../cli/", import.meta.url);
  const wrong: string[] = [];
  const walk = async (folder: URL): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const url = new URL(name, folder);
      if (isDirectory) await walk(new URL(`${name}/`, folder));
      else if (/\.(?:out|err|write)\([^)]*JSON\.stringify/.test(await Deno.readTextFile(url))) {
        wrong.push(url.pathname);
      }
    }
  };
  await walk(root);
  assert.deepEqual(wrong, []);
});

Deno.test("the first line of a run: names from its request, its folder, its device", () => {
  for (const fancy of [false, true]) {
    const terminal = remembering(false);
    const progress = new Progress({ ...terminal, fancy }, () => `runs/${ESCAPES[0]}${TAGS}`);
    const device = { kind: "cpu", name: `cpu${ESCAPES[2]}`, software: false };
    progress.start({ ...info(`task${ESCAPES[4]}`), model: `model${TAGS}`, device });
    progress.close();
    const [own] = terminal.lines;
    assert.doesNotMatch(own.replace("\u001b[1m", "").replace("\u001b[22m", ""), UNSAFE);
    assert.match(terminal.lines[0], /model\\u\{e0065\}/);
  }
});

Deno.test("a run folder whose numbers are texts puts no markup into a card", () => {
  const hostile = `<img src=x>|${TAGS}` as unknown as number;
  const config = { ...info(), seed: hostile, steps: hostile, command: "", request: {} };
  const run = { folder: "runs/x", names: [], metrics: [], completions: [], summary: undefined };
  const data = { ...run, config: { ...config, versions: {} } };
  const made = { modelType: "gpt2", parameters: 1, positions: 8, dtype: "F32" as const };
  const facts = { ...made, source: info().source, valueHead: false, tokenizer: true };
  const card = modelCard({ folder: "exports/x", run: { data, step: 1 } }, facts);
  assert.doesNotMatch(card, UNSAFE);
  assert.ok(!card.includes("<img") && card.includes("&lt;img"), card);
});

Deno.test("pages and cards spell out tags and escapes as the terminal does", () => {
  for (const text of OUTSIDE) {
    for (const made of [escape(text), markdown(text), scalar(text)]) {
      assert.doesNotMatch(made, UNSAFE);
    }
  }
});

/** What `printable` was given, of a text without backslashes of its own. */
const readBack = (shown: string): string =>
  shown.replace(
    /\\(?:u\{([0-9a-f]+)\}|([nrt]))/g,
    (_, code, short) =>
      code
        ? String.fromCodePoint(parseInt(code, 16))
        : { n: "\n", r: "\r", t: "\t" }[short as "n"]!,
  );

Deno.test("of what is spelled out nothing is lost: the text can be read back", () => {
  for (const text of OUTSIDE.filter((text) => !text.includes("\\"))) {
    assert.equal(readBack(printable(text)), text);
    assert.equal(readBack(harmless(printable(text), { fancy: true })), text);
  }
});

Deno.test("a message of Deno's own comes without its colours, and with all of its text", () => {
  assert.equal(
    printableMessage("\u001b[0m\u001b[31merror\u001b[39m: x\n  \u001b[2J"),
    "error: x\n  \\u{1b}[2J",
  );
});
