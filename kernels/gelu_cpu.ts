/** GELU of one number, as GPT-2 computes it: shared by every twin with an activation. @module */

const ROOT = Math.sqrt(2 / Math.PI);

/** 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))). Hendrycks and Gimpel 2016, section 2. */
export function geluOf(x: number): number {
  return 0.5 * x * (1 + Math.tanh(ROOT * (x + 0.044715 * x * x * x)));
}

/** Derivative of `geluOf`. */
export function geluSlope(x: number): number {
  const t = Math.tanh(ROOT * (x + 0.044715 * x * x * x));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * ROOT * (1 + 3 * 0.044715 * x * x);
}
