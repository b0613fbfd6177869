/** Which linear layers an adapter is for, by PEFT's rules. @module */
import { shown } from "../../base/excerpt.ts";
import type { LinearModule } from "../families/families.ts";
import type { LoraOptions } from "./lora.ts";

const MAX_PATTERN = 200; // characters
const MAX_REPEATS = 4;

/** One module that an adapter adds to. */
export interface AdaptedModule {
  readonly layer: number;
  readonly module: LinearModule;
  /** Name of the module inside the model, e.g. `h.0.attn.c_attn`. */
  readonly name: string;
}

/** PEFT's own choice for each family. */
export function defaultTargets(modules: readonly LinearModule[]): string[] {
  const isWhole = modules.some(({ name }) => name === "attn.c_attn");
  return isWhole ? ["c_attn"] : ["q_proj", "v_proj"];
}

/** What of the options says where an adapter is. */
type Choice =
  & Pick<Required<LoraOptions>, "targets">
  & Pick<LoraOptions, "layers" | "exclude">;

/**
 * The modules that `targets` means, in the order of the network, by PEFT's rule: a module whose whole
 * name is a target is one in any layer, and one that `exclude` means is none.
 * @throws {RangeError} when there is none, a name means no module or one that has no adapter here, or
 * a pattern is not one that is read here
 */
export function adaptedModules(
  { targets, layers, exclude = [] }: Choice,
  model: { layers: number; modules: readonly LinearModule[] },
): AdaptedModule[] {
  const wrong = layers?.find((l) => !Number.isInteger(l) || l < 0 || l >= model.layers);
  if (wrong !== undefined) {
    fail(
      `layers must be block numbers from 0 to ${model.layers - 1}: one is ${wrong}`,
    );
  }
  if (layers && typeof targets === "string" && !isAll(targets)) {
    fail("layers go with a list of targets: a pattern says itself which blocks it means");
  }
  const isTarget = typeof targets === "string" && isAll(targets) ? () => true : matcher(targets);
  const isExcluded = matcher(exclude);
  checkNames(targets, { isTarget, isExcluded }, model);
  const found = blocks(model).filter(({ layer, name }) => {
    const whole = wholeName(name);
    const isNamed = Array.isArray(targets) && targets.includes(whole);
    return isTarget(whole) && !isExcluded(whole) && (isNamed || (layers?.includes(layer) ?? true));
  });
  if (found.length === 0) {
    fail(
      `targets must mean a linear layer: ${shown(targets)} means none of ` +
        `${model.modules.map(({ name }) => name).join(", ")}${
          exclude.length > 0 ? ` that ${shown(exclude)} leaves` : ', nor is it "all-linear"'
        }`,
    );
  }
  return found;
}

/** The targets of a file that mean something: PEFT passes over names that this network does not have. */
export function knownTargets(
  targets: string | readonly string[],
  modules: readonly LinearModule[],
): string | readonly string[] {
  if (typeof targets === "string") return targets;
  const first = { layers: 1, modules };
  const names = [...blocks(first).map(({ name }) => name), ...others(first)];
  const known = targets.filter((target) => {
    const isIt = matcher([target.replace(/\bh\.\d+\./, "h.0.")]); // whichever block it names
    return names.some((name) => isIt(wholeName(name)));
  });
  return known.length > 0 ? known : targets;
}

const blocks = (
  { layers, modules }: { layers: number; modules: readonly LinearModule[] },
): AdaptedModule[] =>
  Array.from(
    { length: layers },
    (_, layer) => modules.map((module) => ({ layer, module, name: `h.${layer}.${module.name}` })),
  ).flat();

/** A module's name in the whole network, of which the head alone is not inside the transformer. */
const wholeName = (name: string): string => name === "lm_head" ? name : `transformer.${name}`;

/** Modules that have no adapter here, without `transformer.`. */
function others(
  { layers, modules }: { layers: number; modules: readonly LinearModule[] },
): string[] {
  const inside = modules.flatMap(({ name }) => {
    const parts = name.split(".");
    return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join("."));
  });
  const own = ["ln_1", "ln_2", "mlp.act", "mlp.dropout", "attn_dropout", "resid_dropout"];
  const ofBlock = [...new Set([...inside, ...own])];
  return [
    ...["wte", "wpe", "drop", "h", "ln_f", "lm_head"],
    ...Array.from(
      { length: layers },
      (_, l) => [`h.${l}`, ...ofBlock.map((name) => `h.${l}.${name}`)],
    )
      .flat(),
  ];
}

/**
 * A name that is left out in silence is an adapter of another kind than was asked for.
 * @throws {RangeError} for a module that has no adapter here, and for a name of no module
 */
function checkNames(
  targets: string | readonly string[],
  { isTarget, isExcluded }: Record<"isTarget" | "isExcluded", (name: string) => boolean>,
  model: { layers: number; modules: readonly LinearModule[] },
): void {
  if (typeof targets === "string" && isAll(targets)) return;
  const means = (name: string): boolean =>
    isTarget(wholeName(name)) && !isExcluded(wholeName(name));
  const linear = model.modules.map(({ name }) => name).join(", ");
  const other = others(model).find(means);
  if (other) {
    fail(`targets must be linear layers of blocks, ${linear}: they also mean ${other}`);
  }
  if (typeof targets === "string") return;
  const all = [...blocks(model).map(({ name }) => name), ...others(model)].map(wholeName);
  const unknown = targets.filter((target) => !all.some(matcher([target])));
  if (unknown.length > 0 && unknown.length < targets.length) {
    fail(`each target must mean one of ${linear}: ${shown(unknown)} mean none`);
  }
}

const isAll = (targets: string): boolean => targets.toLowerCase() === "all-linear";

function matcher(targets: string | readonly string[]): (name: string) => boolean {
  if (typeof targets !== "string") {
    return (name) => targets.some((target) => name === target || name.endsWith(`.${target}`));
  }
  const pattern = wholePattern(targets);
  return (name) => pattern.test(name);
}

/** Only what Python's `re` and JavaScript read alike, and with few repeats: a file may be hostile. */
function wholePattern(text: string): RegExp {
  const repeats = text.match(/[*+?{]/g)?.length ?? 0;
  const isSimple = /^[\w.\-|()[\]*+?\\^$ ]*$/.test(text) && !/\)[*+?{]|\(\?|\\[^.dw-]/.test(text);
  if (text.length > MAX_PATTERN || repeats > MAX_REPEATS || !isSimple) {
    fail(
      `a pattern of targets may have ${MAX_PATTERN} letters, ${MAX_REPEATS} repeats, and no ` +
        `repeated or special group: it is ${shown(text)}; ` +
        "give a list of names",
    );
  }
  try {
    return new RegExp(`^(?:${text})$`);
  } catch (error) {
    return fail(`targets must be a regular expression: ${(error as Error).message}`);
  }
}

/** @throws {RangeError} for an option of an adapter */
export function fail(rule: string): never {
  throw new RangeError(`Cannot use an adapter as ${rule}`);
}
