/**
 * What a study is: a question, runs that answer it, and how the answer is read off their numbers. Each is one
 * file; `deno task study NAME` trains the runs and writes the page.
 * @module
 */
import type { OptionValue } from "../../base/options.ts";
import type { TrainRequest } from "../request.ts";
import type { Measure } from "./measures.ts";
import type { Results } from "./results.ts";

/** What one run of a study is asked to do; seeds come from the study. */
export type StudyRequest =
  & Pick<TrainRequest, "model" | "preset" | "steps">
  & { task: string; algorithm?: string; reward?: string }
  & { settings?: Readonly<Record<string, OptionValue>> };

/** One treatment: the same run with every seed. */
export interface StudyArm {
  /** Unique in its study, a few words. */
  name: string;
  request: StudyRequest;
}

/** What a published system said of the same question. */
export interface Claim {
  said: string;
  /** Where. */
  source: string;
  /** What is known to be wrong with it, where something is. */
  fault?: string;
}

/** A study. */
export interface Study {
  /** What the command line calls it. */
  name: string;
  title: string;
  question: string;
  /** How it is answered, a paragraph each. */
  method: readonly string[];
  arms: readonly StudyArm[];
  seeds: readonly number[];
  /** What replaces parts of every request where the study is only tried. */
  quick: Pick<StudyRequest, "model" | "steps" | "settings">;
  claims: readonly Claim[];
  /** Columns of its table, a row an arm. */
  measures: readonly Measure[];
  /** What is found, a sentence each; made from the numbers alone. */
  answer(results: Results): string[];
}

/** The request of an arm as it is run. */
export function requestOf(
  { quick }: Pick<Study, "quick">,
  { request }: StudyArm,
  isQuick: boolean,
): StudyRequest {
  if (!isQuick) return request;
  return { ...request, ...quick, settings: { ...request.settings, ...quick.settings } };
}

/** What `deno task train` is given for it. */
export function trainWords(
  { task, settings = {}, ...flags }: StudyRequest & { seed: number },
): string[] {
  return [
    task,
    ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
    ...Object.entries(flags).filter(([, value]) => value !== undefined)
      .flatMap(([name, value]) => [`--${name}`, String(value)]),
  ];
}
