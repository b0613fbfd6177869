/**
 * Runs a request in a process of its own until a step, and prints a line for each checkpoint: its step,
 * hashes of weights, moments and a reference that moves, and the trainer's state. Arguments: the run's folder, the request as JSON, the
 * step to stop after (0: none), the step to continue from (left out: none).
 * @module
 */
import { RunFolder } from "../../experiment/folder/run_folder.ts";
import type { StepReport } from "../../experiment/observer.ts";
import { type TrainRequest, trainTask } from "../../experiment/train.ts";

const [folder, text, stop, from] = Deno.args;
const request: TrainRequest = JSON.parse(text), stopper = new AbortController();

async function hash(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

class Stopped extends RunFolder {
  override async step(report: StepReport): Promise<void> {
    await super.step(report);
    if (report.step === Number(stop)) stopper.abort("stopped");
  }
  override checkpoint(step: number, write: (to: string) => Promise<void>): Promise<void> {
    return super.checkpoint(step, async (to) => {
      await write(to);
      const [model, moments] = await Promise.all(
        ["model.safetensors", "optimizer.safetensors"].map((name) => hash(`${to}/${name}`)),
      );
      const reference = await hash(`${to}/reference/model.safetensors`).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error; // the start of the run
      });
      const { trainer } = JSON.parse(await Deno.readTextFile(`${to}/trainer.json`));
      console.log(JSON.stringify({ step, model, moments, reference, trainer }));
    });
  }
}

const resume = from === undefined ? undefined : { folder, step: Number(from) };
const run = new Stopped({ out: folder, resume, command: "", request: {} });
try {
  await trainTask(
    { ...request, resume: resume && `${folder}/checkpoints/step-${from}` },
    run,
    { signal: stopper.signal },
  );
} catch (error) {
  if (error !== "stopped") throw error;
} finally {
  await run.close();
}
