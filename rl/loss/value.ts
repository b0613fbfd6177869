/**
 * The clipped value loss of one token, as OpenAI's implementation of PPO has it (Schulman et al. 2017,
 * arXiv 1707.06347, equation 9, with a clip around the old estimate).
 * @module
 */

/** Loss and gradient of one token. */
export interface ValueLoss {
  /** Half the larger squared error. */
  loss: number;
  /** d loss / d value. */
  gradient: number;
  /** (v - R)^2 */
  error: number;
  /** True where clipping made the loss larger. */
  clipped: boolean;
}

/**
 * With estimate v, old estimate v' and return R, all in reward units:
 *   loss = 1/2 max((v - R)^2, (clip(v, v' - valueClip, v' + valueClip) - R)^2)
 */
export function valueLoss(
  { value: v, oldValue, returns: R }: { value: number; oldValue: number; returns: number },
  valueClip: number,
): ValueLoss {
  const vClipped = Math.min(oldValue + valueClip, Math.max(oldValue - valueClip, v));
  const error = (v - R) ** 2, clippedError = (vClipped - R) ** 2;
  const follows = vClipped === v || error >= clippedError;
  return {
    loss: Math.max(error, clippedError) / 2,
    gradient: follows ? v - R : 0,
    error,
    clipped: clippedError > error,
  };
}
