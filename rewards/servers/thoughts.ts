/** What a model thinks before it answers. @module */

const THOUGHTS = /^\s*<think>[^]*?(?:<\/think>|$)/;

/** The text behind `<think>...</think>` at its beginning; "" where that is not closed. */
export const withoutThoughts = (text: string): string => text.replace(THOUGHTS, "");
