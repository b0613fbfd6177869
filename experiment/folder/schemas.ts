/** What the JSON files of a run folder hold: they may be of another version, damaged, or not a run's. @module */
import * as z from "npm:zod@4.6.7";
import { denoFolder } from "../../model/files/deno_folder.ts";
import { readJson } from "../../model/files/folder_source.ts";

/** A folder or file that is not a run's, or one that another program has changed. */
export class RunFolderError extends Error {
  override name = "RunFolderError";
}

const plainSource = z.union([
  z.looseObject({
    kind: z.literal("hub"),
    id: z.string(),
    revision: z.string(),
    commit: z.string(),
  }),
  z.looseObject({
    kind: z.literal("folder"),
    path: z.string(),
    sha256: z.record(z.string(), z.string()),
  }),
]);
const source = z.intersection(plainSource, z.looseObject({ base: plainSource.optional() }));
const bag = z.record(z.string(), z.unknown());
const device = z.looseObject({ kind: z.string(), name: z.string() });
const about = {
  task: z.string(),
  algorithm: z.string(),
  rewards: z.array(z.string()),
  model: z.string(),
  seed: z.number(),
  steps: z.number(),
};

const keptFile = z.looseObject({ path: z.string(), sha256: z.string(), copy: z.string() });
const ownFiles = z.looseObject({
  task: keptFile.optional(),
  rewards: z.array(keptFile).optional(),
});

const dataFiles = z.array(z.looseObject({
  name: z.string(),
  sha256: z.string(),
  set: z.string().optional(),
  commit: z.string().optional(),
}));

const tile = (rows: readonly number[], columns: readonly number[]) =>
  z.strictObject({ rows: z.literal(rows), columns: z.literal(columns) });
const own = tile([8, 16, 32, 64], [4, 8]).optional();
const shared = z.union([tile([64], [64]), tile([128], [128])]).optional();
const product = z.discriminatedUnion("variant", [
  z.strictObject({ variant: z.enum(["tile", "shuffle"]), few: own, many: own }),
  z.strictObject({ variant: z.literal("workgroup"), few: shared, many: shared }),
]);
const parts = z.int().min(1).max(64);

/** Choices of kernels, see `Tuning`: what is not of this form would write kernels that nobody tested. */
export const tuningSchema = z.strictObject({
  products: z.partialRecord(
    z.enum(["NN narrow", "NN wide", "NT narrow", "NT wide", "TN narrow", "TN wide"]),
    product,
  ).optional(),
  parts: z.partialRecord(
    z.enum(["rows short", "rows long", "weights short", "weights long"]),
    parts,
  ).optional(),
  fewRows: z.strictObject({
    NN: z.enum(["shuffle", "parts"]).optional(),
    NT: z.enum(["shuffle", "along_k"]).optional(),
  }).optional(),
  attention: z.enum(["alone", "share", "shuffle"]).optional(),
  attentionShuffles: z.boolean().optional(), // of earlier versions, see `renamed`
}).refine(({ attention, attentionShuffles: old }) => attention === undefined || old === undefined, {
  error: "attention and its earlier name attentionShuffles exclude each other",
});

/** `config.json` of a run. What is optional is not in the files of earlier versions. */
export const runConfigSchema = z.looseObject({
  ...about,
  id: z.string().optional(),
  weights: z.record(z.string(), z.number()).optional(),
  source: source.optional(),
  device: device.extend({ software: z.boolean(), tuning: tuningSchema.optional() }),
  command: z.string(),
  request: bag,
  config: bag,
  ownFiles: ownFiles.optional(),
  dataFiles: dataFiles.optional(),
  started: z.string().optional(),
  versions: z.record(z.string(), z.string()),
});

// JSON has no NaN: the mean of no scores is written as null.
const mean = z.number().nullable().transform((value) => value ?? NaN);
const share = z.number().min(0).max(1).nullable().transform((value) => value ?? NaN);
const split = z.looseObject({ exact: share, reward: mean, measure: mean.optional() });
const players = z.looseObject({
  prompts: z.int().positive(),
  copy: split,
  constant: split.extend({
    answer: z.string(),
    tried: z.looseObject({ answers: z.number(), of: z.number(), prompts: z.number() }),
  }).optional(),
  nothing: split,
});

const best = split.extend({ step: z.int().nonnegative() });

/** `summary.json` of a run. */
export const summarySchema = z.looseObject({
  ...about,
  rewardWeights: z.record(z.string(), z.number()).optional(),
  device,
  seconds: z.number(),
  tokensPerSecond: z.number(),
  train: z.looseObject({ before: split, after: split }),
  heldout: z.looseObject({ before: split, after: split }),
  best: best.optional(),
  stoppedAfter: z.int().positive().optional(),
  players: players.optional(),
  measure: z.string().optional(),
});

const scores = z.array(z.number().nullable());
const keptGroups = z.looseObject({
  groupSize: z.int().positive(),
  prompts: z.array(z.base64()),
  responses: z.array(z.base64()),
  logprobs: z.array(z.base64()),
  finished: z.array(z.boolean()),
  scores,
  greedyScores: scores.optional(),
  columns: z.array(z.looseObject({ name: z.string(), weight: z.number(), scores })),
});
const moments = z.looseObject({ count: z.number(), mean: z.number(), squares: z.number() });
const sampling = z.looseObject({ place: z.int().nonnegative(), kept: keptGroups.optional() });

/** `trainer.json` of a checkpoint; the trainer checks its own part, and that lists are of one length. */
export const trainingStateSchema = z.looseObject({
  trainer: z.looseObject({
    step: z.number(),
    sampling: sampling.optional(),
    scores: moments.optional(),
  }),
  source: source.optional(),
  before: z.looseObject({ train: split, heldout: split }),
  players: players.optional(),
  evaluated: z.looseObject({
    best,
    stale: z.int().nonnegative(),
    last: z.int().nonnegative(),
  }).optional(),
  tokens: z.number(),
  trainingSeconds: z.number(),
  seconds: z.number(),
});

/** `pretrain.json` of a pretraining checkpoint. */
export const pretrainStateSchema = z.looseObject({
  step: z.int().nonnegative(),
  losses: z.array(z.number()),
  tokens: z.number(),
  seconds: z.number(),
  heldout: z.array(z.object({ step: z.int().nonnegative(), loss: z.number() })).default([]),
});

const log = z.enum(["none", "tensorboard"]);
const event = { step: z.int().nonnegative(), time: z.string() };
const value = z.union([z.number(), z.string(), z.boolean()]);

/** `history.json` of a run. */
export const historySchema = z.array(z.discriminatedUnion("kind", [
  z.looseObject({
    ...event,
    kind: z.literal("resumed"),
    asked: z.looseObject({
      steps: z.int().positive().optional(),
      saveEvery: z.int().nonnegative().optional(),
      evaluateEvery: z.int().nonnegative().optional(),
      patience: z.int().nonnegative().optional(),
      log: log.optional(),
      settings: z.record(z.string(), value),
    }),
    changed: z.record(z.string(), z.tuple([z.unknown(), z.unknown()])),
    files: z.looseObject({ ownFiles: ownFiles.optional(), dataFiles: dataFiles.optional() })
      .optional(),
  }),
  z.looseObject({
    ...event,
    kind: z.enum(["stopped", "failed", "diverged"]),
    cause: z.string(),
    from: z.int().nonnegative().optional(),
    next: z.string().optional(),
  }),
  z.looseObject({
    ...event,
    kind: z.literal("finished"),
    after: z.looseObject({ train: split, heldout: split }),
  }),
  z.looseObject({ ...event, kind: z.literal("console"), cause: z.string() }),
]));

/** A name or a path: one with "," or with ":" in its last part would be read as rewards with weights. */
const rewardName = z.string().regex(/^(?!.*:[^/\\]*$)[^,]+$/, 'must have no "," and no weight');

/** What a run that the command line began was asked for, as far as a line can be made of it. */
export const requestSchema = z.looseObject({
  task: z.string(),
  algorithm: z.string(),
  rewards: z.array(z.looseObject({ name: rewardName, weight: z.number() })).optional(),
  model: z.string(),
  preset: z.string().optional(),
  steps: z.number().optional(),
  seed: z.number(),
  device: z.string(),
  tuning: z.strictObject({ adapter: z.string(), choices: tuningSchema }).optional(),
  memory: z.number().optional(),
  saveEvery: z.number(),
  evaluateEvery: z.number().optional(),
  patience: z.number().optional(),
  players: z.boolean().optional(),
  log: log.optional(),
  settings: z.record(z.string(), value),
});

const mark = z.strictObject({
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** `manifest.json` of a checkpoint. */
export const manifestSchema = z.looseObject({
  format: z.int().positive(),
  plainrl: z.string(),
  run: z.string().nullable(),
  step: z.int().nonnegative(),
  seed: z.number(),
  task: z.string(),
  data: z.string(),
  algorithm: z.string(),
  weights: z.record(z.string(), z.number()),
  source,
  shape: z.record(z.string(), z.number()),
  device,
  settings: bag,
  rewardFiles: z.record(z.string(), z.string()).optional(),
  files: z.record(z.string(), mark),
  tables: z.record(z.string(), mark),
});

/** Where a value is not as `schema` has it, in words that follow "as"; undefined where it is. */
export function faultOf(schema: z.ZodType, value: unknown): string | undefined {
  const issue = schema.safeParse(value).error?.issues[0];
  if (!issue) return undefined;
  const { path, message } = issue;
  let found = value;
  for (const key of path) found = (found as Record<PropertyKey, unknown> | undefined)?.[key];
  const what = found === undefined ? "missing" : clipped(JSON.stringify(found) ?? typeof found);
  if (path.length === 0 && schema instanceof z.ZodArray) {
    return "it holds a list of entries: it does not";
  }
  return path.length === 0
    ? `it must be a JSON object: it is ${what}`
    : `${path.map(String).join(".")} is ${what} (${message[0].toLowerCase()}${message.slice(1)})`;
}

const clipped = (text: string): string => text.length > 80 ? `${text.slice(0, 80)}...` : text;

/**
 * A JSON file of a run as `schema` has it; undefined where there is none.
 * @throws {RunFolderError} when it is not JSON, or holds other than a run writes
 */
export async function readChecked<T>(
  folder: string,
  name: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const value = await readObject(folder, name);
  if (value === undefined) return undefined;
  const fault = faultOf(schema, value);
  if (fault === undefined) return schema.parse(value);
  throw new RunFolderError(
    `Cannot read ${folder}/${name} as ${fault}. Put it back as the run wrote it`,
  );
}

/** What a JSON file holds; undefined where there is none. @throws {RunFolderError} when it is not JSON */
export async function readObject(folder: string, name: string): Promise<unknown> {
  try {
    return await readJson(denoFolder(folder), name);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new RunFolderError(error.message, { cause: error });
  }
}
