/** A key that prints as nothing: neither JSON nor a console shows it, and texts are cleaned of it. @module */
import { redacted } from "../../base/redact.ts";

/** What stands in a text where the key stood. */
const HIDDEN = "[key]";

/** A key, and where it was found. */
export class Secret {
  #text: string;

  /**
   * @param from the variable that holds it, for messages
   * @throws {TypeError} where it has spaces, line breaks or letters that no header carries
   */
  constructor(text: string, readonly from: string) {
    if (!/^[\x21-\x7e]+$/.test(text)) {
      throw new TypeError(
        `Cannot use ${from} as a key has no spaces, line breaks or letters beyond ASCII`,
      );
    }
    this.#text = text;
  }

  /** The value of an Authorization header. */
  get header(): string {
    return `Bearer ${this.#text}`;
  }

  /** The text without the key, which a server may have repeated in any case of its letters. */
  redact(text: string): string {
    return redacted(text, this.#text, HIDDEN);
  }

  toString(): string {
    return HIDDEN;
  }
}
