/** Which linear layers an adapter is for, by PEFT's rules. @module */
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

/**
 * The modules that `targets` means, in the order of the network, by PEFT's rule.
 * @throws {RangeError} when there is none, or a pattern is not one that is read here
 */
export function adaptedModules(
  { targets, layers }: Pick<Required<LoraOptions>, "targets"> & Pick<LoraOptions, "layers">,
  model: { layers: number; modules: readonly LinearModule[] },
): AdaptedModule[] {
  const wrong = layers?.find((l) => !Number.isInteger(l) || l < 0 || l >= model.layers);
  if (wrong !== undefined) {
    fail(
      `layers must be block numbers from 0 to ${model.layers - 1}: one is ${wrong}`,
    );
  }
  if (layers && typeof targets === "string" && targets !== "all-linear") {
    fail("layers go with a list of targets: a pattern says itself which blocks it means");
  }
  const isTarget = matcher(targets);
  const found: AdaptedModule[] = [];
  for (let layer = 0; layer < model.layers; layer++) {
    if (layers && !layers.includes(layer)) continue;
    for (const module of model.modules) {
      const name = `h.${layer}.${module.name}`;
      if (isTarget(`transformer.${name}`)) found.push({ layer, module, name });
    }
  }
  if (found.length === 0) {
    fail(
      `targets must mean a linear layer: ${JSON.stringify(targets)} means none of ` +
        `${model.modules.map(({ name }) => name).join(", ")}, nor is it "all-linear"`,
    );
  }
  return found;
}

function matcher(targets: string | readonly string[]): (name: string) => boolean {
  if (targets === "all-linear") return () => true;
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
        `repeated or special group: it is ${JSON.stringify(text.slice(0, 2 * MAX_PATTERN))}; ` +
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
