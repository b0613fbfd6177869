/**
 * What to change where a run does not fit: settings that save memory, each planned by the code that
 * allocates.
 * @module
 */
import { formatBytes, formatSettings } from "../base/units.ts";
import type { Device } from "../kernels/device.ts";
import { OutOfMemoryError } from "../kernels/devices/pool.ts";
import {
  type MemoryBudget,
  type MemoryPlan,
  type MemorySettings,
  passRows,
  planRun,
  type RunSizes,
  tooLarge,
} from "./memory_plan.ts";

/**
 * Settings that save memory where they are not set, those that change least first: each is tried alone,
 * and all together.
 */
const savingsFor = (
  { settings: { recompute, loraRank, frozenDtype }, fromAdapter, needs: { sync } }: RunSizes,
): Partial<MemorySettings>[] => [
  ...(recompute ? [] : [{ recompute: true }]),
  ...(frozenDtype === "f16" || fromAdapter || sync ? [] : [{ frozenDtype: "f16" as const }]),
  ...(loraRank > 0 || fromAdapter || sync ? [] : [{ loraRank: 8 }]),
];

/** Settings other than those asked for, and what the run would hold with them. */
export interface MemoryOption {
  readonly settings: Partial<MemorySettings>;
  readonly bytes: number;
}

/**
 * What keeps the run within `budget` bytes: each saving, alone and all together, with the most rows per
 * pass that then fit. `least` is what is left with all savings and one row per pass.
 */
export function suggestSavings(
  device: Device,
  sizes: RunSizes,
  budget: number,
): { suggestions: MemoryOption[]; least: MemoryOption } {
  const asked = sizes.settings;
  const bytesWith = (settings: Partial<MemorySettings>): number => {
    try {
      return planRun(device, { ...sizes, settings: { ...asked, ...settings } }).total;
    } catch (error) {
      if (error instanceof RangeError) return Infinity; // a tensor that nothing holds
      throw error;
    }
  };
  const fits = (bytes: number): boolean => bytes <= budget && bytes < Infinity;
  const savings = savingsFor(sizes);
  const all = Object.assign({}, ...savings) as Partial<MemorySettings>;
  const suggestions: MemoryOption[] = [];
  for (const saving of [{}, ...savings, ...(savings.length > 1 ? [all] : [])]) {
    const bytes = bytesWith(saving);
    if (fits(bytes)) {
      suggestions.push({ settings: saving, bytes });
      continue;
    }
    let most = 0, tooMany = passRows(asked), found = Infinity;
    while (tooMany - most > 1) {
      const microbatchRows = (most + tooMany) >> 1;
      const total = bytesWith({ ...saving, microbatchRows });
      if (fits(total)) [most, found] = [microbatchRows, total];
      else tooMany = microbatchRows;
    }
    if (most > 0) suggestions.push({ settings: { ...saving, microbatchRows: most }, bytes: found });
  }
  const settings = { ...all, microbatchRows: 1 };
  return { suggestions, least: { settings, bytes: bytesWith(settings) } };
}

/** A run that its device cannot hold; the message lists the settings that make it fit. */
export class DoesNotFitError extends RangeError {
  override name = "DoesNotFitError";
  constructor(
    cannot: string,
    readonly found: { suggestions: MemoryOption[]; least: MemoryOption },
    options?: ErrorOptions,
  ) {
    const { suggestions, least } = found;
    const cure = suggestions.length > 0
      ? `; it fits with one of these:\n${formatSuggestions(suggestions).join("\n")}`
      : `; ${formatLeast(least)}`;
    super(cannot + cure, options);
  }
}

/** A line for each suggestion: its settings, and what they come to. */
export function formatSuggestions(suggestions: readonly MemoryOption[]): string[] {
  const width = Math.max(0, ...suggestions.map(({ settings }) => formatSettings(settings).length));
  return suggestions.map(({ settings, bytes }) =>
    `  ${formatSettings(settings).padEnd(width)}  ${formatBytes(bytes)}`
  );
}

/** What is said where no suggestion is enough. */
export function formatLeast({ settings, bytes }: MemoryOption): string {
  return Number.isFinite(bytes)
    ? `even ${formatSettings(settings)} leaves it at ${
      formatBytes(bytes)
    }: use a smaller model, shorter ` +
      "texts or a smaller batchSize"
    : "no smaller pass helps: use a smaller model, shorter texts or another device";
}

/**
 * The plan of a run that fits.
 * @throws {DoesNotFitError} when it exceeds `budget`, or a tensor fits in no buffer of the device
 */
export function planFitting(device: Device, sizes: RunSizes, budget: MemoryBudget): MemoryPlan {
  const { bytes = Infinity } = budget;
  let plan: MemoryPlan;
  try {
    plan = planRun(device, sizes);
  } catch (error) {
    const found = error instanceof RangeError && suggestSavings(device, sizes, bytes);
    if (!found || !Number.isFinite(found.least.bytes)) throw error; // no setting changes that
    throw new DoesNotFitError((error as RangeError).message, found, { cause: error });
  }
  if (plan.total <= bytes) return plan;
  throw new DoesNotFitError(
    tooLarge("train", plan, budget),
    suggestSavings(device, sizes, bytes),
  );
}

/** Adds to an `OutOfMemoryError` what would have fit into the memory that there was; others stay. */
export function explainMemory(error: unknown, device: Device, sizes: RunSizes): unknown {
  if (!(error instanceof OutOfMemoryError)) return error;
  const message = error.message.split(";")[0];
  return new DoesNotFitError(message, suggestSavings(device, sizes, error.held), { cause: error });
}
