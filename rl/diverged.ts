/** How training says that it cannot go on. @module */

/** Too many updates in a row had to be skipped, as a loss or a gradient was not finite. */
export class DivergedError extends Error {
  override name = "DivergedError";
  /** One to try instead, where somebody knows the task; the trainer does not. */
  learningRate?: number;
}

/** The error after `updates` skipped ones, of which the last was skipped for `fault`. */
export function tooManySkipped(updates: number, fault: string, hadScores: boolean): Error {
  const what =
    `Cannot continue training as ${updates} updates in a row had to be skipped: ${fault}; `;
  return hadScores
    ? new DivergedError(`${what}resume from an earlier checkpoint with a lower learning rate`)
    : new Error(`${what}fix the reward, and resume from the last checkpoint`);
}
