/** The answers that a completion may be compared with. @module */
import { described } from "../base/excerpt.ts";
import type { Example } from "./reward.ts";

/**
 * `answer`, where there is one, then what is `accepted` beside it.
 * @throws {TypeError} where `accepted` is not a list of texts
 */
export function targetsOf({ id, answer, accepted = [] }: Example): string[] {
  if (!Array.isArray(accepted) || accepted.some((one) => typeof one !== "string")) {
    throw new TypeError(
      `Cannot compare with the answers of ${
        described(id)
      } as accepted must be a list of texts: it is ` +
        described(accepted),
    );
  }
  return answer === undefined ? [...accepted] : [answer, ...accepted];
}
