/** The number in a judge's answer, if that is all there is. @module */
import { withoutThoughts } from "../servers/thoughts.ts";

/** The best that a judge can give; 0 is the worst. */
export const MAX_RATING = 10;

// A model may say what the number is, or of how many; a sentence around it may speak of another number.
const RATING = /^(?:(?:rating|score)\s*[:=]?\s*)?(\d+(?:\.\d+)?)(?:\s*(?:\/|of|out of)\s*10)?\.?$/i;
const JSON_RATING = /^\{\s*"(?:rating|score)"\s*:\s*(\d+(?:\.\d+)?)\s*\}$/i;
/** Marks of emphasis, which stand around a word or a number: 1*0 is no 10. */
const MARKS = /(?<![*_`])(?:(?<![\d.])[*_`]+|[*_`]+(?![\d.*_`]))/g;

/** `7`, `7.5`, `8/10`, `7.5 of 10`, `Rating: 7`, `{"rating": 7}`: 0 to 10; undefined for all else. */
export function parseRating(text: string): number | undefined {
  const answer = withoutThoughts(text).replace(MARKS, "").trim();
  const [, digits] = RATING.exec(answer) ?? JSON_RATING.exec(answer) ?? [];
  const rating = digits === undefined ? NaN : Number(digits);
  return rating >= 0 && rating <= MAX_RATING ? rating : undefined;
}
