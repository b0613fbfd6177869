/**
 * Options, each stated once: a row tells kind, default, range, unit and meaning, and the type of the
 * values, their checks, `--help` and the pages of docs/ are all made from it. Whoever needs options
 * (an algorithm, a task, a reward, a command, a run) owns a table of its own:
 *
 * ```ts
 * const ROWS = {
 *   clip: { kind: "number", default: 0.2, min: 0, unit: "", doc: "clip range", group: "Loss" },
 * } as const satisfies OptionRows;
 * export type Config = OptionValues<typeof ROWS>; // { clip: number }
 * export const OPTIONS: OptionTable<Config> = defineOptions("REINFORCE", ROWS);
 * ```
 * @module
 */
import { didYouMean } from "./names.ts";
import { described } from "./excerpt.ts";

/** Values that an option can take. */
export type OptionValue = string | number | boolean;

/** What an option needs another one to be: a value, one of several, or any but one. */
export type Wanted = OptionValue | readonly OptionValue[] | { readonly not: OptionValue };

/** One row: everything that is known about an option. */
export interface Option {
  readonly kind: "integer" | "number" | "boolean" | "text" | "choice";
  /** Used where the option is not given. */
  readonly default?: OptionValue;
  /** Says in words what happens where the option is not given and there is no fixed default. */
  readonly otherwise?: string;
  readonly unit?: string;
  /** Least value; allowed unless `above`. */
  readonly min?: number;
  /** True where `min` itself is not allowed. */
  readonly above?: boolean;
  /** Greatest value, allowed. */
  readonly max?: number;
  /** What people use. */
  readonly usual?: string;
  /** The values of a choice. */
  readonly choices?: readonly string[];
  /** True for a text flag whose value may be left out. */
  readonly bare?: boolean;
  /**
   * Another option without which this one changes nothing: the value of it that is needed, the values of
   * which one is, or the one that must not be. Where there is no such option, nothing is needed.
   */
  readonly only?: Readonly<Record<string, Wanted>>;
  /** Name of the option from which this one is the end of a decay: it is expected to be no larger. */
  readonly decayOf?: string;
  /** A rule beyond kind and range, in words ("a multiple of 8"), where the value breaks it. */
  readonly check?: (value: OptionValue) => string | undefined;
  /** What a text that is no value of it may have meant: a sentence with the cure, for an error. */
  readonly hint?: (text: string) => string | undefined;
  /** One line: what it does. */
  readonly doc: string;
  /** Heading under which help and docs show it. */
  readonly group: string;
}

/** Rows by the name of the option. */
export type OptionRows = Readonly<Record<string, Option>>;

type ValueOf<O extends Option> = O extends { choices: readonly (infer C)[] } ? C
  : O extends { kind: "integer" | "number" } ? number
  : O extends { kind: "boolean" } ? boolean
  : string;
type WithDefault<R extends OptionRows> = {
  [K in keyof R]: R[K] extends { default: OptionValue } ? K : never;
}[keyof R];

/** The values that rows describe: those without a default may be absent. */
export type OptionValues<R extends OptionRows> =
  & { [K in WithDefault<R>]: ValueOf<R[K]> }
  & { [K in Exclude<keyof R, WithDefault<R>>]?: ValueOf<R[K]> };

/** The options of one owner. */
export interface OptionTable<C> {
  /** Whom errors name, such as "PPO". */
  readonly owner: string;
  readonly rows: Readonly<Record<keyof C & string, Option>>;
  /** Names in reading order. */
  readonly names: readonly (keyof C & string)[];
  /** The default of every option that has one; frozen. */
  readonly defaults: Readonly<Partial<C>>;
  /**
   * Fills in defaults and checks every value; the result is frozen. A value of undefined counts as not
   * given.
   * @throws {TypeError} for an unknown name, a value of the wrong kind or an unknown choice
   * @throws {RangeError} for a number outside its range, or a value that breaks the row's own rule
   */
  resolve(given?: Partial<C>): Readonly<C>;
}

/**
 * Makes a table of rows, which are frozen.
 * @throws {TypeError} for a row that contradicts itself: a choice without choices, a range without
 * values, `above` without `min`, a default of another kind
 * @throws {RangeError} for a default outside its row's range or against its row's rule
 */
export function defineOptions<const R extends OptionRows>(
  owner: string,
  rows: R,
): OptionTable<OptionValues<R>> {
  type C = OptionValues<R>;
  const names = Object.keys(rows);
  const defaults = Object.fromEntries(
    names.filter((name) => rows[name].default !== undefined)
      .map((name) => [name, rows[name].default]),
  );
  for (const name of names) checkRow(owner, name, rows[name]);
  for (const [name, value] of Object.entries(defaults)) checkOption(owner, name, rows[name], value);
  return {
    owner,
    rows: Object.freeze(rows) as OptionTable<C>["rows"],
    names: names as unknown as OptionTable<C>["names"],
    defaults: Object.freeze(defaults) as Readonly<Partial<C>>,
    resolve(given = {}) {
      if (typeof given !== "object" || given === null || Array.isArray(given)) {
        throw new TypeError(
          `Cannot configure ${owner} as settings are an object of names and values: it is ${
            described(given)
          }`,
        );
      }
      const values: Record<string, unknown> = { ...defaults };
      for (const [name, value] of Object.entries(given)) {
        if (!Object.hasOwn(rows, name)) {
          throw new TypeError(
            `Cannot configure ${owner} as it has no setting "${name}": it has ${
              names.join(", ") || "none"
            }.${didYouMean(name, names)}`,
          );
        }
        if (value === undefined) continue;
        checkOption(owner, name, rows[name], value);
        values[name] = value;
      }
      return Object.freeze(values) as Readonly<C>;
    },
  };
}

/** The rows with other defaults where `defaults` names one. */
export function withDefaults<R extends OptionRows>(
  rows: R,
  defaults: Readonly<Partial<Record<keyof R, OptionValue>>>,
): R {
  return Object.fromEntries(
    Object.entries(rows).map(([name, row]) => {
      const own = defaults[name];
      return [name, own === undefined ? row : { ...row, default: own }];
    }),
  ) as R;
}

/** Refuses a row that no value fits. @throws {TypeError} naming owner and option */
function checkRow(owner: string, name: string, { kind, choices, min, max, above }: Option): void {
  const cannot = (rule: string) =>
    new TypeError(`Cannot define ${name} of ${owner} as ${rule}: correct its row`);
  if (kind === "choice" && !choices?.length) throw cannot("a choice needs choices, it has none");
  if (above && min === undefined) throw cannot("`above` speaks of `min`, which it has not");
  if (min !== undefined && max !== undefined && (above ? min >= max : min > max)) {
    throw cannot(`no number is ${optionRange({ min, max, above })}`);
  }
}

/**
 * Checks one value against its row.
 * @throws {TypeError} for the wrong kind or an unknown choice
 * @throws {RangeError} for a number outside the range, or a broken rule of the row's own
 */
export function checkOption(owner: string, name: string, option: Option, value: unknown): void {
  const cannot = (rule: string) =>
    `Cannot configure ${owner} as ${name} must be ${rule}: it is ${described(value)}`;
  const { kind, choices, min, max, above } = option;
  if (kind === "boolean") {
    if (typeof value !== "boolean") throw new TypeError(cannot("true or false"));
  } else if (kind === "text" || kind === "choice") {
    if (typeof value !== "string") throw new TypeError(cannot("a text"));
    if (choices && !choices.includes(value)) {
      throw new TypeError(
        cannot(`one of ${choices.join(", ")}`) + didYouMean(value, choices).replace(/^ /, ". "),
      );
    }
  } else {
    if (typeof value !== "number") {
      throw new TypeError(cannot(kind === "integer" ? "an integer" : "a number"));
    }
    if (!Number.isFinite(value)) throw new RangeError(cannot("finite"));
    if (kind === "integer" && !Number.isSafeInteger(value)) {
      const most = Number.isInteger(value) ? " of at most 2^53 - 1" : "";
      throw new RangeError(cannot(`a whole number${most}`));
    }
    if (min !== undefined && (above ? value <= min : value < min)) {
      throw new RangeError(cannot(above ? `above ${min}` : `at least ${min}`));
    }
    if (max !== undefined && value > max) throw new RangeError(cannot(`at most ${max}`));
  }
  const broken = option.check?.(value as OptionValue);
  if (broken !== undefined) throw new RangeError(cannot(broken));
}

/**
 * One table of several, in their order; errors name the new owner.
 * @throws {TypeError} where two of them have an option of one name
 */
export function joinOptions(
  owner: string,
  tables: readonly Pick<OptionTable<Record<string, OptionValue>>, "rows" | "owner">[],
): OptionTable<Record<string, OptionValue>> {
  const rows: Record<string, Option> = {}, from = new Map<string, string>();
  for (const table of tables) {
    for (const [name, row] of Object.entries(table.rows)) {
      if (from.has(name)) {
        throw new TypeError(
          `Cannot join the options of ${from.get(name)} and ${table.owner} as names must differ: ` +
            `both have ${name}`,
        );
      }
      from.set(name, table.owner);
      rows[name] = row;
    }
  }
  return defineOptions(owner, rows) as unknown as OptionTable<Record<string, OptionValue>>;
}

/**
 * What is asked for and changes nothing beside the other values, and every decay that rises: one sentence
 * each, see `Option.only` and `Option.decayOf`. `values` are all that hold.
 */
export function optionNotices(
  rows: OptionRows,
  { asked, values }: Readonly<Record<"asked" | "values", Readonly<Record<string, unknown>>>>,
): string[] {
  return Object.entries(rows).flatMap(([name, { only = {}, decayOf }]) => {
    const now = `${name}=${values[name]}`;
    const idle = Object.entries(only)
      .find(([other, wanted]) => values[other] !== undefined && !suits(values[other], wanted));
    if (idle) {
      return asked[name] === undefined
        ? []
        : `${now} changes nothing as ${idle[0]}=${values[idle[0]]}`;
    }
    if (decayOf === undefined || !(Number(values[name]) > Number(values[decayOf]))) return [];
    return `${now} is above ${decayOf}=${values[decayOf]}: it rises over the run`;
  });
}

const suits = (value: unknown, wanted: Wanted): boolean =>
  isList(wanted)
    ? wanted.some((one) => value === one)
    : typeof wanted === "object"
    ? value !== wanted.not
    : value === wanted;

const isList = (wanted: Wanted): wanted is readonly OptionValue[] => Array.isArray(wanted);

/**
 * The value that a text of a command line means.
 * @throws {TypeError} when it is not of the option's kind or choices
 * @throws {RangeError} when it is out of range
 */
export function parseOption(name: string, option: Option, text: string): OptionValue {
  const refuse = (rule: string, Kind: new (message: string) => Error = TypeError): never => {
    const facts = optionFacts(option), hint = option.hint?.(text);
    throw new Kind(
      `Cannot set ${name} as ${rule}: it is "${text}"${facts && ` (${facts})`}${
        hint === undefined ? "" : `. ${hint}`
      }`,
    );
  };
  const { kind, choices, min = -Infinity, max = Infinity, above } = option;
  let value: OptionValue = text;
  if (choices) {
    if (!choices.includes(text)) {
      throw new TypeError(
        `Cannot set ${name} as it takes ${choices.join(" or ")}: it is "${text}".${
          didYouMean(text, choices)
        }`,
      );
    }
  } else if (kind === "text") {
    if (text === "") refuse("it needs a value");
  } else if (kind === "boolean") {
    if (text !== "true" && text !== "false") refuse("it takes true or false");
    value = text === "true";
  } else {
    const whole = kind === "integer";
    const form = whole ? /^[+-]?\d+$/ : /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
    if (!form.test(text)) refuse(whole ? "it takes a whole number" : "it takes a number");
    const number = value = Number(text);
    if (whole && !Number.isSafeInteger(number)) {
      refuse("it takes a whole number of at most 2^53 - 1", RangeError);
    }
    if (!Number.isFinite(number)) {
      refuse("it must be finite, at most 1.8e308", RangeError);
    }
    const inside = (above ? number > min : number >= min) && number <= max;
    if (!inside) refuse(`it must be ${optionRange(option)}`, RangeError);
  }
  const broken = option.check?.(value);
  if (broken !== undefined) refuse(`it must be ${broken}`, RangeError);
  return value;
}

/** Unit, default and range in words: `nats per sequence, default 6, above 0, usually 1 to 10`. */
export function optionFacts(option: Option): string {
  const parts: string[] = [];
  if (option.choices) parts.push(option.choices.join(" | "));
  if (option.unit) parts.push(option.unit);
  if (option.default !== undefined && option.kind !== "boolean") {
    parts.push(`default ${optionText(option.default)}`);
  } else if (option.otherwise) parts.push(`default: ${option.otherwise}`);
  const allowed = optionRange(option);
  if (allowed) parts.push(allowed);
  if (option.usual) parts.push(`usually ${option.usual}`);
  for (const [other, wanted] of Object.entries(option.only ?? {})) {
    parts.push(`needs ${other}${needed(wanted)}`);
  }
  return parts.join(", ");
}

const needed = (wanted: Wanted): string =>
  isList(wanted)
    ? `=${wanted.join(" or ")}`
    : typeof wanted === "object"
    ? ` other than ${wanted.not}`
    : `=${wanted}`;

/** `0 to 1`, `above 0`, `1 or more`; empty where anything goes. */
export function optionRange({ min, max, above }: Pick<Option, "min" | "max" | "above">): string {
  if (min === undefined) return max === undefined ? "" : `${max} or less`;
  if (max === undefined) return above ? `above ${min}` : `${min} or more`;
  return above ? `above ${min}, up to ${max}` : `${min} to ${max}`;
}

/** Small numbers as people write them: 1.41e-5. */
export const optionText = (value: OptionValue): string =>
  typeof value === "number" && value !== 0 && Math.abs(value) < 1e-3
    ? value.toExponential()
    : String(value);
