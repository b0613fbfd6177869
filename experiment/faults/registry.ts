/** Every fault, by name. A new one is a file of its own and a line here. @module */
import { endAsPadding } from "./end_as_padding.ts";
import type { Fault } from "./fault.ts";
import { lateBinding } from "./late_binding.ts";
import { leftPadding } from "./left_padding.ts";
import { unshifted } from "./unshifted.ts";

const FAULTS: readonly Fault[] = [unshifted, leftPadding, lateBinding, endAsPadding];

/** What the setting is where there is none. */
export const NO_FAULT = "none";

/** Values of the setting `fault`. */
export const FAULT_NAMES: readonly string[] = [NO_FAULT, ...FAULTS.map(({ name }) => name)];

/** The fault of this name; undefined for "none", and for what a run of another version had. */
export const findFault = (name: unknown): Fault | undefined =>
  FAULTS.find((fault) => fault.name === name);

/** For people, wherever such a run is shown: what is wrong with it. Undefined where nothing is. */
export function faultWords(name: unknown): string | undefined {
  const fault = findFault(name);
  return fault && `this run has a fault on purpose, fault=${fault.name}: ${fault.doc}`;
}
