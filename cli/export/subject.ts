/** What is exported: a run, a checkpoint of one, or a model. @module */
import { namedCheckpoint } from "../../experiment/folder/named_checkpoint.ts";
import { readRun, type RunData } from "../../experiment/folder/run_data.ts";

/** What is exported. */
export interface Subject {
  /** For `exportModel`. */
  model: string;
  /** Name for a folder. */
  name: string;
  run?: { data: RunData; step: number };
}

/** A run, a checkpoint of one, or a model by name. @throws as `namedCheckpoint` */
export async function findSubject(asked: string, checkpoint: number | undefined): Promise<Subject> {
  const { run, ...named } = await namedCheckpoint(asked, { step: checkpoint, action: "export" });
  return { ...named, ...(run && { run: { data: await readRun(run.folder), step: run.step } }) };
}
