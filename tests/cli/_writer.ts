/** Writes a run without end until it is killed; says "step N" once step N is promised to be on disk. @module */
import { EventLog } from "../../experiment/folder/event_log.ts";
import { RunFolder } from "../../experiment/folder/run_folder.ts";
import { completion, info, timings } from "./_folders.ts";

const [folder, from] = Deno.args;
const resume = from === undefined ? undefined : { folder, step: Number(from) };
const run = new RunFolder({ out: folder, resume, command: "", request: {} });
await run.start({ ...info(), steps: 1e9 });
const log = new EventLog({ folder: () => run.folder });
await log.start();
const weights = new Uint8Array(300_000);
for (let step = (resume?.step ?? 0) + 1;; step++) {
  const text = `${step} `.repeat(40);
  const completions = [completion(step, "train", text), completion(step, "train", text)];
  const report = { step, metrics: { a: step, b: step / 3 }, completions, timings };
  await run.step(report);
  await log.step(report);
  weights.fill(step % 251);
  await run.checkpoint(step, async (to) => {
    await Deno.writeFile(`${to}/model.safetensors`, weights);
    await Deno.writeTextFile(`${to}/state.json`, JSON.stringify({ step }));
  });
  console.log(`step ${step}`);
}
