import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { doctor } from "../../cli/commands/doctor.ts";
import type { Machine } from "../../cli/doctor/machine.ts";
import { main } from "../../cli/main.ts";
import type { Terminal } from "../../cli/terminal.ts";
import { beside, wrap, wrapIndented } from "../../cli/wrap.ts";
import { fakeCommands } from "./_fake.ts";

/** What commands print in a window of so many columns. */
async function shown(columns: number, ...args: string[]): Promise<string[]> {
  const lines: string[] = [];
  const take = (text: string) => void lines.push(...text.split("\n"));
  const terminal: Terminal = { out: take, write: take, err: take, fancy: true, columns };
  await main(args, { terminal, commands: fakeCommands });
  return lines.map((line) => line.trimEnd());
}

const widest = (lines: readonly string[]): number =>
  Math.max(...lines.map((line) => [...line].length));

Deno.test("lines break at spaces, and a long word stays whole", () => {
  assert.deepEqual(wrap("a bc def", 4), ["a bc", "def"]);
  assert.deepEqual(wrap("a bc def", 4, 2), ["a bc", "  def"]);
  assert.deepEqual(wrap("abcdefgh i", 3), ["abcdefgh", "i"]);
  assert.deepEqual(wrap("", 3), [""]);
  assert.deepEqual(wrapIndented("ab cd", 4, 2), ["  ab", "  cd"]);
  const long = "word ".repeat(20).trim();
  const rows = [["a", [long, "e f"]], ["xyz", ["e"]]] as const;
  assert.deepEqual(beside(rows, 70), [
    `  a    ${"word ".repeat(12).trim()}`,
    `         ${"word ".repeat(8).trim()}`,
    "       e f",
    "  xyz  e",
  ]);
  assert.deepEqual(beside(rows, 40), [
    "  a",
    `    ${"word ".repeat(7).trim()}`,
    `      ${"word ".repeat(7).trim()}`,
    `      ${"word ".repeat(6).trim()}`,
    "    e f",
    "  xyz",
    "    e",
  ]);
});

Deno.test("--list keeps to the window, coloured or not, and says as much in each", async () => {
  const list = async (columns: number, fancy: boolean) => {
    const lines: string[] = [];
    const take = (text: string) => void lines.push(text);
    const terminal: Terminal = { out: take, write: take, err: take, fancy, columns };
    await main(["train", "--list"], { terminal });
    return lines;
  };
  const words = (lines: readonly string[]) => lines.join(" ").split(/\s+/).filter(Boolean);
  const wide = await list(120, false);
  assert.deepEqual(wide.filter((line) => !line.startsWith(" ")), [
    ...["tasks:", "", "algorithms:", "", "rewards:", "", "presets:"],
  ]);
  for (const columns of [40, 80, 120]) {
    for (const fancy of [false, true]) {
      const lines = (await list(columns, fancy)).map(stripVTControlCharacters);
      assert.ok(widest(lines) <= columns, lines.find((line) => [...line].length > columns));
      assert.deepEqual(words(lines), words(wide));
    }
  }
  const narrow = await list(40, false);
  assert.deepEqual(narrow.slice(0, 8), [
    "tasks:",
    "  colors",
    "    name what two colours give when",
    "      mixed",
    "    --model tiny --algorithm ppo",
    "      --reward semantic",
    "    72 prompts to train on, 18 held out",
    "    rewards semantic, exact, first_word",
  ]);
});

Deno.test("help and lists keep to a window of 80 and of 40 columns, with every word", async () => {
  const words = (lines: readonly string[]) => lines.join(" ").split(/\s+/).sort();
  for (const line of ["train --help", "train colors --help", "generate --help", "train --list"]) {
    const wide = await shown(100, ...line.split(" "));
    for (const columns of [80, 40]) {
      const lines = await shown(columns, ...line.split(" "));
      // The example's command stays whole, and so does a form of the usage.
      const own = lines.filter((text) => !/^Usage|deno task/.test(text));
      assert.ok(widest(own) <= columns, own.find((text) => [...text].length > columns));
      assert.deepEqual(words(lines), words(wide), line);
    }
  }
  assert.ok((await shown(40, "train", "--help")).includes("  --seed <integer>"));
});

Deno.test("doctor's findings keep to a narrow window; a cure stays one line", async () => {
  const machine: Machine = {
    os: "linux",
    deno: "1.0.0",
    adapter: () => Promise.resolve(null),
    env: () => "/run/user/0",
    freeBytes: () => Promise.resolve(2 ** 34),
    speed: () => Promise.resolve(null),
    allowed: () => true,
  };
  const lines: string[] = [];
  const take = (text: string) => void lines.push(text);
  const terminal = { out: take, write: take, err: take, fancy: true, columns: 40 };
  await doctor(false, terminal, machine);
  // deno-lint-ignore no-control-regex -- colours
  const plain = lines.map((line) => line.replaceAll(/\u001b\[\d+m/g, ""));
  assert.ok(widest(plain.filter((line) => !line.includes("fix:"))) <= 40);
  const at = plain.indexOf("warn  adapter");
  assert.deepEqual(plain.slice(at + 1, at + 3), [
    "      none: --device auto uses the CPU",
    "      twins, which are slower",
  ]);
  assert.match(plain[at + 3], /^ {6}fix: {2}sudo apt-get install .* driver\)$/);
});
