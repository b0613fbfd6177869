/** `pretrain`: makes the small default model, with progress. @module */
import { replaceFile } from "../../experiment/folder/files.ts";
import { readTable } from "../../experiment/folder/run_data.ts";
import type { PretrainStep } from "../../experiment/pretraining/pretrain.ts";
import { disk } from "../../model/files/disk.ts";
import { INTERRUPTED, listenForInterrupt } from "../interrupt.ts";
import type { Parsed } from "../parse.ts";
import type { PretrainRequest, Programs } from "../programs.ts";
import { Bar, Pace } from "../progress.ts";
import { columns, short, type Terminal } from "../terminal.ts";

/** Runs the command; gives the exit code. */
export async function pretrain(
  { flags, given }: Parsed,
  programs: Pick<Programs, "pretrain">,
  terminal: Terminal,
): Promise<number> {
  const { json, quiet, "learning-rate": learningRate, ...rest } = flags;
  const request = { ...rest, learningRate } as unknown as PretrainRequest;
  const run = await programs.pretrain();
  const bar = new Bar(terminal);
  let pace: Pace | undefined;
  const report = ({ step, steps, loss, tokens }: PretrainStep) => {
    if (quiet) return;
    if (!pace) {
      pace = new Pace(steps, () => performance.now() / 1000);
      bar.say("  step     loss  tokens/s      left");
      bar.open(steps, step - 1);
    }
    const { seconds, left, due } = pace.tick(step);
    bar.update(step, left);
    const speed = Number.isFinite(seconds) ? String(Math.round(tokens / seconds)) : "-";
    if (due) {
      bar.say(
        `${String(step).padStart(6)} ${short(loss).padStart(8)} ${speed.padStart(9)} ${
          left.padStart(9)
        }`,
      );
    }
  };
  using interrupt = listenForInterrupt(terminal);
  try {
    const result = await run(request, report, interrupt.signal);
    bar.close();
    await drawLoss(request.out);
    if (json) terminal.out(JSON.stringify(result));
    else {
      const rows = Object.entries(result).map(([name, value]) => [name, String(value)]);
      for (const line of rows.length > 0 ? columns(rows) : []) terminal.out(line);
    }
    return 0;
  } catch (error) {
    bar.close();
    if (!interrupt.signal.aborted || error !== interrupt.signal.reason) throw error;
    const words = given.filter((name) => name !== "resume" && flags[name] !== false)
      .map((name) => flags[name] === true ? ` --${name}` : ` --${name} ${flags[name]}`);
    terminal.err(`stopped, saved.  Continue:  deno task pretrain --resume${words.join("")}`);
    return INTERRUPTED;
  }
}

/** Draws `loss.csv`, which has the losses from before a resume too. */
async function drawLoss(folder: string): Promise<void> {
  const [, ...rows] = await readTable(folder, "loss.csv");
  if (rows.length === 0) return;
  const { lossCurve } = await import("../report/plots.ts");
  await replaceFile(
    `${folder}/loss.svg`,
    await lossCurve(rows.map(([, loss]) => Number(loss))),
    disk,
  );
}
