/** Texts from outside without a secret that whoever sent them may have repeated. @module */

/**
 * The text with `hidden` wherever `secret`, ASCII and not empty, stands; letter case does not count, as
 * addresses are in lower case.
 */
export const redacted = (text: string, secret: string, hidden: string): string =>
  text.replaceAll(new RegExp(RegExp.escape(secret), "gi"), () => hidden);
