/** What is said of logits from which nothing can be drawn or learned. @module */

/** Logits are infinite or not numbers. */
export class LogitsError extends Error {}

/** The error of `action` where logits are infinite or not numbers; `where` says which. */
export function logitsError(action: string, where: string): LogitsError {
  return new LogitsError(
    `Cannot ${action} as logits must be finite numbers: ${where} are not; the weights are damaged or ` +
      "have grown too large: take another checkpoint or copy of the model, or train it with a lower " +
      "learning rate",
  );
}
