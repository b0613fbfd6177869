/** Programs of a backward pass, which are recorded when they are first wanted. @module */
import type { Program } from "../kernels/device.ts";

/** A program for gradients that are all zero, whose matrices it overwrites, or (false) for others. */
export type OnUse = (fresh: boolean) => Program;

/** Records each once: of KL, or of a second part of a batch, perhaps never. */
export function onUse(record: OnUse): OnUse {
  const made = new Map<boolean, Program>();
  return (fresh) => {
    const program = made.get(fresh) ?? record(fresh);
    made.set(fresh, program);
    return program;
  };
}
