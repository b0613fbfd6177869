import assert from "node:assert/strict";
import type { OptionRows, OptionValues } from "../../base/options.ts";
import type { Command, Parsed } from "../../cli/command.ts";
import { COMMANDS } from "../../cli/commands/registry.ts";
import { main } from "../../cli/main.ts";
import type { Terminal } from "../../cli/terminal.ts";

const FLAGS = {
  pet: { kind: "choice", choices: ["cat", "dog"], default: "cat", doc: "Who speaks", group: "Who" },
  times: { kind: "integer", default: 1, min: 1, max: 9, doc: "How often", group: "How" },
  loud: { kind: "boolean", default: false, doc: "Louder", group: "How" },
  to: { kind: "text", bare: true, otherwise: "nobody", doc: "Who listens", group: "Who" },
} as const satisfies OptionRows;
const OWN: Record<string, OptionRows> = {
  cat: { purring: { kind: "number", default: 0, min: 0, doc: "Hz", group: "Cats" } },
  dog: { wagging: { kind: "boolean", default: true, doc: "the tail", group: "Dogs" } },
};

/** A command as somebody would add one: a cat is asked for its purring, a dog for its wagging. */
const speak: Command = {
  spec: {
    name: "speak",
    doc: "Let a pet speak",
    positional: [["[word]", "What it says"]],
    flags: FLAGS,
    settings: ({ pet }) => ({ rows: OWN[`${pet}`] ?? OWN.cat, note: `Of a ${pet}.` }),
    example: "deno task speak miaow",
  },
  run(parsed: Parsed<OptionValues<typeof FLAGS>>, terminal) {
    const { positional: [word = "-"], flags: { pet, times, loud, to }, settings } = parsed;
    const said = Array(times).fill(loud ? word.toUpperCase() : word).join(" ");
    terminal.out(`${pet}: ${said}${to === undefined ? "" : ` to ${to || "all"}`}`);
    terminal.out(JSON.stringify(settings));
    return Promise.resolve(times - 1);
  },
};

/** Runs a line among all commands and this one. */
async function said(...args: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const out: string[] = [], err: string[] = [];
  const terminal: Terminal = {
    out: (line) => out.push(line),
    write: (text) => out.push(text),
    err: (line) => err.push(line),
    fancy: false,
    columns: 100,
  };
  return { code: await main(args, { commands: [...COMMANDS, speak], terminal }), out, err };
}

Deno.test("a command is one object in the list: it runs with its flags and settings", async () => {
  assert.deepEqual(await said("speak", "miaow", "--to"), {
    code: 0,
    out: ["cat: miaow to all", "{}"],
    err: [],
  });
  const { code, out } = await said(
    ...["speak", "--pet", "dog", "wuff", "--times=2", "--loud", "wagging=false", "--to", "me"],
  );
  assert.deepEqual([code, ...out], [1, "dog: WUFF WUFF to me", '{"wagging":false}']);
});

Deno.test("its help shows flags, and the settings that belong to the flags beside it", async () => {
  const cat = (await said("speak", "--help")).out.join("\n");
  assert.match(cat, /^Usage: deno task speak \[options\] \[word\] \[key=value\.\.\.\]$/m);
  assert.match(cat, /^Who\n {2}--pet <choice> +Who speaks \(cat \| dog, default cat\)\n/m);
  assert.match(cat, /^ {2}--to \[text\] +Who listens/m);
  assert.match(
    cat,
    /^Settings, Cats:\n {2}purring {2}Hz\n +\(default 0, 0 or more\)\n\nOf a cat\.$/m,
  );
  assert.match(cat, /\nExample:\n {2}deno task speak miaow$/);
  for (const words of [["--help", "--pet", "dog"], ["--pet=dog", "--help"]]) {
    const dog = (await said("speak", ...words)).out.join("\n");
    assert.match(
      dog,
      /^ {2}wagging {2}the tail\n +\(true \| false, default true\)\n\nOf a dog\.$/m,
    );
    assert.doesNotMatch(dog, /purring/);
  }
  assert.match((await said("--help")).out.join("\n"), /^ {2}speak .* +Let a pet speak$/m);
});

Deno.test("its mistakes are named with the nearest of what it has with these flags", async () => {
  for (
    const [args, message] of [
      [
        ["speak", "puring=1"],
        /unknown setting puring\. Did you mean purring=VALUE \(Hz, default 0/,
      ],
      [["speak", "--pet", "dog", "waging=1"], /Did you mean wagging=VALUE \(the tail\)/],
      [["speak", "--pet", "dog", "purring=1"], /unknown setting purring\. See: deno task speak/],
      [["speak", "--purring", "1"], /unknown option --purring\. Did you mean purring=VALUE/],
      [["speak", "--tims", "1"], /unknown option --tims\. Did you mean --times \(How often,/],
      [["speak", "purring=-1"], /Cannot set purring as it must be 0 or more: it is "-1"/],
      [["speak", "--pet", "cow"], /Cannot set --pet as it takes cat or dog: it is "cow"/],
      [["spek"], /no command "spek"\. Did you mean "speak"\? {2}Commands: train, .*, speak$/],
      [["speak", "a", "b"], /Cannot use "b" as speak takes 1 name and settings of the form/],
    ] as const
  ) {
    const { code, out, err } = await said(...args);
    assert.deepEqual([code, out], [2, []], err.join());
    assert.match(err.join("\n"), message);
  }
});

Deno.test("starting loads no device, no model and no curves", async () => {
  const info = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "cli/bin.ts"],
    stdout: "piped",
  }).output();
  interface Module {
    specifier: string;
    dependencies?: { code?: { specifier?: string }; isDynamic?: boolean }[];
  }
  const { roots, modules } = JSON.parse(new TextDecoder().decode(info.stdout)) as {
    roots: string[];
    modules: Module[];
  };
  const reached = new Set<string>(), rest = [...roots];
  for (let at = rest.pop(); at !== undefined; at = rest.pop()) {
    if (reached.has(at)) continue;
    reached.add(at);
    const found = modules.find(({ specifier }) => specifier === at)?.dependencies ?? [];
    rest.push(
      ...found.filter(({ isDynamic, code }) => !isDynamic && code?.specifier)
        .map(({ code }) => code!.specifier!),
    );
  }
  const heavy = [...reached].filter((path) =>
    /\/(kernels|model)\/|\/cli\/(report|train\/run|progress)|npm:.*(cli-progress|tokenizers|jstat)/
      .test(path)
  );
  assert.ok(reached.size > 20, `${reached.size} modules`);
  assert.deepEqual(heavy, []);
});
