import assert from "node:assert/strict";
import fc from "fast-check";
import {
  checkOption,
  defineOptions,
  joinOptions,
  type Option,
  optionFacts,
  optionNotices,
  optionRange,
  type OptionRows,
  type OptionTable,
  type OptionValues,
  parseOption,
} from "../../base/options.ts";

const group = "All", doc = "what it does";
const ROWS = {
  epochs: { kind: "integer", default: 4, min: 1, max: 100, unit: "epochs", group, doc },
  rate: {
    kind: "number",
    default: 1.41e-5,
    min: 0,
    above: true,
    usual: "1e-6 to 1e-4",
    group,
    doc,
  },
  decay: { kind: "choice", default: "linear", choices: ["constant", "linear"], group, doc },
  whiten: { kind: "boolean", default: true, group, doc },
  note: { kind: "text", group, doc },
  target: { kind: "number", group, doc, otherwise: "none" },
  mode: { kind: "choice", choices: ["fast", "exact"], group, doc },
  rows: {
    kind: "integer",
    default: 8,
    check: (value) => Number(value) % 4 === 0 ? undefined : "a multiple of 4",
    group,
    doc,
  },
} as const satisfies OptionRows;
type Config = OptionValues<typeof ROWS>;
const TABLE: OptionTable<Config> = defineOptions("PPO", ROWS);

/** Compiles only where the two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
const holds = <_ extends true>(): void => {};

Deno.test("OptionValues infers kinds, choices, and which options may be absent", () => {
  holds<Same<Config["epochs"], number>>();
  holds<Same<Config["rate"], number>>();
  holds<Same<Config["decay"], "constant" | "linear">>();
  holds<Same<Config["whiten"], boolean>>();
  holds<Same<Config["note"], string | undefined>>();
  holds<Same<Config["target"], number | undefined>>();
  holds<Same<Config["mode"], "fast" | "exact" | undefined>>();
  holds<Same<keyof Config, keyof typeof ROWS>>();
  holds<{ epochs: number } extends Pick<Config, "epochs"> ? true : false>();
  // @ts-expect-error an option with a default is always there
  holds<Record<never, never> extends Pick<Config, "epochs"> ? true : false>();
  holds<Record<never, never> extends Pick<Config, "note"> ? true : false>();
  // Never called: the compiler is what refuses these.
  ((): void => {
    // @ts-expect-error no option has this name
    TABLE.resolve({ epoch: 1 });
    // @ts-expect-error a number
    TABLE.resolve({ epochs: "1" });
    // @ts-expect-error none of the choices
    TABLE.resolve({ decay: "cosine" });
    // @ts-expect-error resolved values do not change
    TABLE.resolve().epochs = 2;
    // @ts-expect-error a row needs a meaning
    defineOptions("X", { a: { kind: "number", group } });
  });
});

Deno.test("a table keeps its rows, order and defaults, and none of them can change", () => {
  assert.equal(TABLE.owner, "PPO");
  assert.deepEqual(TABLE.names, Object.keys(ROWS));
  assert.equal(TABLE.rows.epochs, ROWS.epochs);
  const defaults = { epochs: 4, rate: 1.41e-5, decay: "linear", whiten: true, rows: 8 };
  assert.deepEqual(TABLE.defaults, defaults);
  for (const part of [TABLE.rows, TABLE.defaults, TABLE.resolve()]) {
    assert.ok(Object.isFrozen(part));
  }
});

Deno.test("resolve() fills in defaults; undefined counts as not given", () => {
  assert.deepEqual(TABLE.resolve(), TABLE.defaults);
  assert.deepEqual(TABLE.resolve({ epochs: undefined, note: undefined }), TABLE.defaults);
  const given = { epochs: 1, decay: "constant", whiten: false, note: "", mode: "exact" } as const;
  assert.deepEqual(TABLE.resolve(given), { ...TABLE.defaults, ...given });
});

/** Asserts that `resolve` refuses one value, with this class and these words. */
function refuses(values: Record<string, unknown>, name: string, message: string): void {
  assert.throws(() => TABLE.resolve(values as Partial<Config>), { name, message });
}

Deno.test("resolve() refuses names that it has not, nearest name first", () => {
  const all = "it has epochs, rate, decay, whiten, note, target, mode, rows.";
  refuses(
    { epoch: 1 },
    "TypeError",
    `Cannot configure PPO as it has no setting "epoch": ${all} Did you mean "epochs"?`,
  );
  refuses({ zzzz: 1 }, "TypeError", `Cannot configure PPO as it has no setting "zzzz": ${all}`);
  // Not even names that every object has, nor unknown ones without a value.
  refuses(
    { toString: 1 },
    "TypeError",
    `Cannot configure PPO as it has no setting "toString": ${all}`,
  );
  assert.throws(() => TABLE.resolve({ zzzz: undefined } as Partial<Config>), TypeError);
  const empty = defineOptions("SFT", {});
  assert.throws(() => empty.resolve({ a: 1 } as never), /it has no setting "a": it has none\.$/);
});

Deno.test("resolve() refuses values against the row: kind, range, choice and rule", () => {
  const cannot = "Cannot configure PPO as";
  refuses({ epochs: "4" }, "TypeError", `${cannot} epochs must be an integer: it is "4"`);
  refuses({ rate: null }, "TypeError", `${cannot} rate must be a number: it is null`);
  refuses({ whiten: "true" }, "TypeError", `${cannot} whiten must be true or false: it is "true"`);
  refuses({ note: 1 }, "TypeError", `${cannot} note must be a text: it is 1`);
  refuses({ decay: 1 }, "TypeError", `${cannot} decay must be a text: it is 1`);
  refuses(
    { decay: "liner" },
    "TypeError",
    `${cannot} decay must be one of constant, linear: it is "liner". Did you mean "linear"?`,
  );
  refuses(
    { decay: "cosine" },
    "TypeError",
    `${cannot} decay must be one of constant, linear: it is "cosine"`,
  );
  refuses({ epochs: NaN }, "RangeError", `${cannot} epochs must be finite: it is NaN`);
  refuses({ target: Infinity }, "RangeError", `${cannot} target must be finite: it is Infinity`);
  refuses(
    { epochs: 2.5 },
    "RangeError",
    `${cannot} epochs must be a whole number: it is 2.5`,
  );
  refuses(
    { rows: 2 ** 53 },
    "RangeError",
    `${cannot} rows must be a whole number of at most ` +
      "2^53 - 1: it is 9007199254740992",
  );
  refuses({ epochs: 0 }, "RangeError", `${cannot} epochs must be at least 1: it is 0`);
  refuses({ epochs: 101 }, "RangeError", `${cannot} epochs must be at most 100: it is 101`);
  refuses({ rate: 0 }, "RangeError", `${cannot} rate must be above 0: it is 0`);
  refuses({ rows: 6 }, "RangeError", `${cannot} rows must be a multiple of 4: it is 6`);
  for (const epochs of [1, 100]) assert.equal(TABLE.resolve({ epochs }).epochs, epochs);
});

Deno.test("a row that contradicts itself is refused where it is defined", () => {
  const define = (row: Omit<Option, "group" | "doc">) =>
    defineOptions("X", { a: { ...row, group, doc } });
  const fails = (row: Omit<Option, "group" | "doc">, name: string, message: string | RegExp) =>
    assert.throws(() => define(row), { name, message });
  const cannot = "Cannot define a of X as";
  for (const choices of [undefined, []]) {
    const message = `${cannot} a choice needs choices, it has none: correct its row`;
    fails({ kind: "choice", choices }, "TypeError", message);
  }
  fails(
    { kind: "number", above: true },
    "TypeError",
    `${cannot} \`above\` speaks of \`min\`, which it has not: correct its row`,
  );
  fails(
    { kind: "number", min: 2, max: 1 },
    "TypeError",
    `${cannot} no number is 2 to 1: correct its row`,
  );
  fails({ kind: "number", min: 1, max: 1, above: true }, "TypeError", /no number is above 1/);
  define({ kind: "number", min: 1, max: 1 });
  fails({ kind: "number", default: "1" }, "TypeError", /a must be a number: it is "1"/);
  fails({ kind: "number", default: 2, max: 1 }, "RangeError", /a must be at most 1: it is 2/);
  fails({ kind: "choice", choices: ["b"], default: "c" }, "TypeError", /a must be one of b/);
});

Deno.test("joinOptions() makes one table, whose errors name the new owner", () => {
  const run = defineOptions("a run", { steps: { kind: "integer", default: 80, group, doc } });
  const both = joinOptions("train", [TABLE, run]);
  assert.deepEqual(both.names, [...TABLE.names, "steps"]);
  assert.deepEqual(both.resolve({ epochs: 2 }), { ...TABLE.defaults, epochs: 2, steps: 80 });
  assert.throws(() => both.resolve({ epochs: 0 }), /^RangeError: Cannot configure train as epochs/);
  assert.throws(() => joinOptions("train", [TABLE, run, { ...run, owner: "the other" }]), {
    name: "TypeError",
    message: "Cannot join the options of a run and the other as names must differ: both have steps",
  });
  assert.deepEqual(joinOptions("nothing", []).resolve(), {});
});

Deno.test("parseOption() reads what a command line says", () => {
  const rows: Readonly<Record<string, Option>> = ROWS;
  const read = (name: string, text: string) => parseOption(name, rows[name], text);
  for (const [text, value] of [["1", 1], ["+4", 4], ["007", 7]] as const) {
    assert.equal(read("epochs", text), value);
  }
  for (const [text, value] of [["1e-4", 1e-4], [".5", 0.5], ["2.", 2], ["+1E2", 100]] as const) {
    assert.equal(read("rate", text), value);
  }
  assert.equal(read("target", "-1.5"), -1.5);
  assert.equal(read("whiten", "true"), true);
  assert.equal(read("whiten", "false"), false);
  assert.equal(read("decay", "linear"), "linear");
  assert.equal(read("note", "a b"), "a b");
  assert.equal(read("rows", "12"), 12);
});

Deno.test("parseOption() refuses other texts, with the facts of the row", () => {
  const rows: Readonly<Record<string, Option>> = ROWS;
  const fails = (name: string, text: string, Kind: string, message: string) =>
    assert.throws(() => parseOption(name, rows[name], text), { name: Kind, message });
  const epochs = "(epochs, default 4, 1 to 100)";
  const rate = "(default 1.41e-5, above 0, usually 1e-6 to 1e-4)";
  for (const text of ["2.5", "", "1e2", " 1", "0x10", "one", "--1"]) {
    const rule = "Cannot set epochs as it takes a whole number";
    fails("epochs", text, "TypeError", `${rule}: it is "${text}" ${epochs}`);
  }
  for (const text of ["", ".", "e5", "NaN", "Infinity", "1,5", "1e"]) {
    const rule = "Cannot set rate as it takes a number";
    fails("rate", text, "TypeError", `${rule}: it is "${text}" ${rate}`);
  }
  const zero = `Cannot set epochs as it must be 1 to 100: it is "0" ${epochs}`;
  fails("epochs", "0", "RangeError", zero);
  fails("rate", "0", "RangeError", `Cannot set rate as it must be above 0: it is "0" ${rate}`);
  const far =
    'Cannot set target as it must be finite, at most 1.8e308: it is "1e999" (default: none)';
  fails("target", "1e999", "RangeError", far);
  fails(
    "rows",
    "9007199254740993",
    "RangeError",
    "Cannot set rows as it takes a whole number of at most 2^53 - 1: it is " +
      '"9007199254740993" (default 8)',
  );
  const six = 'Cannot set rows as it must be a multiple of 4: it is "6" (default 8)';
  fails("rows", "6", "RangeError", six);
  const yes = 'Cannot set whiten as it takes true or false: it is "yes"';
  fails("whiten", "yes", "TypeError", yes);
  fails("note", "", "TypeError", 'Cannot set note as it needs a value: it is ""');
  const near = 'it takes constant or linear: it is "liner". Did you mean "linear"?';
  fails("decay", "liner", "TypeError", `Cannot set decay as ${near}`);
  const none = 'Cannot set decay as it takes constant or linear: it is "zzz".';
  fails("decay", "zzz", "TypeError", none);
});

Deno.test("a text with choices takes these alone, given or parsed", () => {
  const row: Option = { kind: "text", choices: ["f16", "f32"], group, doc };
  checkOption("X", "dtype", row, "f16");
  assert.throws(() => checkOption("X", "dtype", row, "f8"), /must be one of f16, f32/);
  assert.equal(parseOption("dtype", row, "f32"), "f32");
  assert.throws(() => parseOption("dtype", row, "f8"), /takes f16 or f32: it is "f8"/);
});

Deno.test("what parseOption() reads, resolve() takes, and no text makes a value it refuses", () => {
  const name = fc.constantFrom(...TABLE.names);
  const text = fc.oneof(
    fc.constantFrom("1", "-1", "1e-4", "4", "true", "linear", "fast", "9e99"),
    fc.string({ maxLength: 6 }),
    fc.double().map(String),
  );
  let read = 0;
  fc.assert(fc.property(name, text, (name, text) => {
    let value;
    try {
      value = parseOption(name, TABLE.rows[name], text);
    } catch (error) {
      return assert.ok(error instanceof TypeError || error instanceof RangeError);
    }
    read++;
    assert.equal(TABLE.resolve({ [name]: value })[name], value);
  }));
  assert.ok(read > 5, `read ${read}`);
});

Deno.test("optionFacts() and optionRange() say what a row knows", () => {
  const facts = (row: Omit<Option, "group" | "doc">) => optionFacts({ ...row, group, doc });
  assert.equal(optionFacts(ROWS.epochs), "epochs, default 4, 1 to 100");
  assert.equal(optionFacts(ROWS.rate), "default 1.41e-5, above 0, usually 1e-6 to 1e-4");
  assert.equal(optionFacts(ROWS.decay), "constant | linear, default linear");
  assert.equal(optionFacts(ROWS.whiten), "");
  assert.equal(optionFacts(ROWS.target), "default: none");
  assert.equal(facts({ kind: "number", default: 0 }), "default 0");
  assert.equal(facts({ kind: "number", default: 0.001 }), "default 0.001");
  assert.equal(facts({ kind: "number", default: -5e-4 }), "default -5e-4");
  assert.equal(optionRange({}), "");
  assert.equal(optionRange({ max: 1 }), "1 or less");
  assert.equal(optionRange({ min: 0 }), "0 or more");
  assert.equal(optionRange({ min: 0, above: true }), "above 0");
  assert.equal(optionRange({ min: 0, max: 1 }), "0 to 1");
  assert.equal(optionRange({ min: 0, max: 1, above: true }), "above 0, up to 1");
});

Deno.test("what is asked for and changes nothing is told, and a decay that rises", () => {
  const { rows, defaults } = defineOptions("a run", {
    mode: { kind: "choice", choices: ["fixed", "linear"], default: "fixed", group, doc },
    rank: { kind: "integer", default: 0, group, doc },
    start: { kind: "number", default: 1, group, doc },
    final: { kind: "number", default: 2, only: { mode: "linear" }, decayOf: "start", group, doc },
    alpha: { kind: "number", default: 3, only: { rank: { not: 0 } }, group, doc },
    other: { kind: "number", default: 4, only: { absent: 1 }, group, doc },
    beta: { kind: "number", default: 5, only: { start: [1, 2] }, group, doc },
  });
  const told = (asked: Record<string, unknown>) =>
    optionNotices(rows, { asked, values: { ...defaults, ...asked } });
  assert.deepEqual(told({}), []); // defaults are nobody's wish
  assert.deepEqual(told({ final: undefined, other: 1 }), []);
  assert.deepEqual(told({ final: 0.5, alpha: 5 }), [
    "final=0.5 changes nothing as mode=fixed",
    "alpha=5 changes nothing as rank=0",
  ]);
  assert.deepEqual(told({ final: 0.5, mode: "linear", alpha: 5, rank: 4 }), []);
  assert.deepEqual(told({ mode: "linear" }), ["final=2 is above start=1: it rises over the run"]);
  assert.deepEqual(told({ mode: "linear", start: 2, beta: 6 }), []);
  assert.deepEqual(told({ start: 3, beta: 6 }), ["beta=6 changes nothing as start=3"]);
  assert.equal(optionFacts(rows.final), "default 2, needs mode=linear");
  assert.equal(optionFacts(rows.alpha), "default 3, needs rank other than 0");
  assert.equal(optionFacts(rows.beta), "default 5, needs start=1 or 2");
});

Deno.test("settings that are no object are refused", () => {
  for (const given of [null, [1], "epochs=2", 3]) {
    assert.throws(() => TABLE.resolve(given as never), {
      name: "TypeError",
      message: /^Cannot configure PPO as settings are an object of names and values: it is /,
    });
  }
});
