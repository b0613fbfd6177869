/** Recorded programs, the same on every device: a list of steps, and the memory that it needs. @module */
import type { Program, Storage, Tensor } from "../device.ts";

/** What a device does with the steps of a program. */
export interface StepActions<Step> {
  run(steps: readonly Step[]): void;
  /** Gives back what the steps own. */
  release?(steps: readonly Step[]): void;
}

/** Collects steps while a program is being recorded. */
export class Recorder<Step> {
  #recording?: { steps: Step[]; needs: Needs };

  /**
   * Appends a step to the program that is being recorded; false where none is, and it runs at once. Of
   * `tensors` it writes to `written`.
   */
  add(step: Step, tensors: readonly Tensor[], written: readonly Tensor[]): boolean {
    if (!this.#recording) {
      for (const { storage } of written) storage.writes++;
      return false;
    }
    this.#recording.steps.push(step);
    this.#recording.needs.add(tensors, written);
    return true;
  }

  /** `Device.record`. @throws {Error} inside another recording */
  record(label: string, build: () => void, { run, release }: StepActions<Step>): Program {
    if (this.#recording) throw new Error(`Cannot record ${label} inside another recording`);
    const steps: Step[] = [], needs = new Needs(label);
    this.#recording = { steps, needs };
    try {
      build();
    } catch (error) {
      release?.(steps);
      throw error;
    } finally {
      this.#recording = undefined;
    }
    return {
      label,
      length: steps.length,
      run: () => {
        needs.check();
        needs.countWrites();
        run(steps);
      },
      [Symbol.dispose]: () => {
        release?.(steps);
        steps.length = 0;
        needs.dispose();
      },
    };
  }
}

/** The storages that a program uses, each with the label that it was recorded under. */
class Needs {
  #labels = new Map<Storage, string>();
  #written = new Set<Storage>();
  #disposed = false;

  constructor(readonly program: string) {}

  add(tensors: readonly Tensor[], written: readonly Tensor[]): void {
    for (const { storage, label } of tensors) this.#labels.set(storage, label);
    for (const { storage } of written) this.#written.add(storage);
  }

  countWrites(): void {
    for (const storage of this.#written) storage.writes++;
  }

  dispose(): void {
    this.#disposed = true;
    this.#labels.clear();
    this.#written.clear();
  }

  /** @throws {Error} when the program was disposed, or one of its tensors was freed */
  check(): void {
    if (this.#disposed) throw new Error(`Cannot run ${this.program} as it was disposed`);
    for (const [storage, label] of this.#labels) {
      if (!storage.live) {
        throw new Error(
          `Cannot run ${this.program} as its tensors must be live: "${label}" was freed; ` +
            "record it again",
        );
      }
    }
  }
}
