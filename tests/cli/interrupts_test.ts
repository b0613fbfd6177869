/**
 * Ctrl-C as it is pressed: in a pseudo-terminal, through `deno task`, which forwards what the terminal
 * sends to the whole group already. `script` makes the terminal; Linux and macOS have it.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { listFolder } from "../../experiment/folder/files.ts";
import { endOf, readHistory } from "../../experiment/folder/history.ts";
import { LOCK_FILE } from "../../experiment/folder/lock.ts";
import { checkpointSteps, readRun } from "../../experiment/folder/run_data.ts";
import { inTemporary } from "../_folder.ts";
import { writeSmallModel } from "../experiment/_model.ts";

// deno task test:interrupts makes it 50, pressed at random moments.
const PRESSES = Number(Deno.env.get("PLAINRL_PRESSES") ?? 3);
const root = fileURLToPath(new URL("../../", import.meta.url));
const STEPS = 12;
/** How long a run may take to stop, ms: seconds, and minutes where much else goes on. */
const PATIENCE = 300_000;
const FIRST_STEP = /reward .*KL/; // the head of the table comes with it

/** A folder with a small model and the repository's own `train` task, and what a shell runs in it. */
async function prepare(place: string): Promise<string> {
  await Deno.mkdir(`${place}/model`, { recursive: true });
  await writeSmallModel(`${place}/model`);
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  const train = tasks.train.command
    .replace("deno run", `${Deno.execPath()} run --no-check --config=${root}deno.json`)
    .replace("cli/bin.ts", `${root}cli/bin.ts`);
  await Deno.writeTextFile(`${place}/deno.json`, JSON.stringify({ tasks: { train } }));
  const task = `${Deno.execPath()} task train`;
  return `${task} colors --model model --device cpu --seed 2 --steps ${STEPS} batchSize=6 minibatches=2`;
}

/** A command in a pseudo-terminal of its own. */
class Pressed {
  said = "";
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #read: Promise<void>;

  constructor(line: string, cwd: string) {
    this.#child = new Deno.Command("script", {
      args: Deno.build.os === "linux"
        ? ["-q", "-e", "-f", "-c", line, "/dev/null"] // -e: the command's exit code; -f: no delay
        : ["-q", "/dev/null", "sh", "-c", line],
      cwd,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#read = this.#collect();
  }

  async #collect(): Promise<void> {
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      this.said += text;
    }
  }

  /** The key, as the terminal takes it. */
  async press(): Promise<void> {
    await this.#writer.write(new Uint8Array([3])).catch(() => {}); // it may have ended meanwhile
  }

  /** Waits until something is said, or the command ends. */
  async until(said: RegExp): Promise<void> {
    let over = false;
    this.#child.status.then(() => over = true);
    while (!over && !said.test(this.said)) await new Promise((done) => setTimeout(done, 2));
    assert.match(this.said, said);
  }

  /** Ends the terminal itself, as a window that is closed. */
  hangUp(): void {
    this.#child.kill("SIGKILL");
  }

  async code(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#read;
    await this.#writer.close().catch(() => {});
    return code;
  }
}

/** Asserts that all that was trained is saved, and that the run says how it goes on, or is finished. */
async function assertKept(run: string, said: string, code: number): Promise<string> {
  const names = await listFolder(run);
  if (!names.includes("config.json")) return "before the run"; // nothing was made yet
  // What forwards the signal may end before the run, which goes on without a terminal.
  const isOver = async () => {
    const files = await listFolder(run);
    if (files.includes(LOCK_FILE)) return false;
    return files.includes("summary.json") || endOf(await readHistory(run)) !== undefined;
  };
  for (let i = 0; i < PATIENCE / 100 && !await isOver(); i++) {
    await new Promise((done) => setTimeout(done, 100));
  }
  const { metrics, summary } = await readRun(run), saved = (await checkpointSteps(run)).at(-1);
  assert.equal(saved, metrics.length, `saved step ${saved} of ${metrics.length}: ${said}`);
  if (summary) return "after the end";
  assert.equal(code, 130, said);
  assert.match(said, /stopping after this step|Continue: {2}deno task train --resume \S+/);
  assert.equal(endOf(await readHistory(run))?.kind, "stopped");
  return saved === 0 ? "before step 1" : saved === STEPS ? "after the last step" : "amid the steps";
}

inTemporary(
  `${PRESSES} times Ctrl-C in a terminal, through deno task: nothing is lost`,
  async (place) => {
    const line = await prepare(place), counts: Record<string, number> = {};
    const stopped: string[] = [];
    // On a quick machine the words about the last answers may be overwritten before they are drawn.
    const ended = new RegExp(`answering after training|${STEPS}/${STEPS}`);
    const moments = [/answering before training/, FIRST_STEP, ended];
    for (let i = 0; i < PRESSES; i++) {
      const command = new Pressed(`${line} --out runs/${i}`, place);
      await command.until(i < moments.length ? moments[i] : /\S/);
      // A run of this size takes some two seconds.
      if (i >= moments.length) await new Promise((done) => setTimeout(done, Math.random() * 2500));
      await command.press();
      const code = await command.code();
      const when = await assertKept(`${place}/runs/${i}`, command.said, code);
      counts[when] = (counts[when] ?? 0) + 1;
      if (i < moments.length && when !== "after the end") stopped.push(`runs/${i}`);
      // What is pressed last may come too late: what has ended by itself is whole and cannot go on.
      assert.ok(i !== 1 || stopped.length === 2, `stopped by the first two presses: ${stopped}`);
      if (i === 2) await continues(`${line} --out runs/whole`, stopped, place);
    }
    if (PRESSES > moments.length) console.log(JSON.stringify(counts));
  },
);

/** The runs that were stopped end as the whole one does. */
async function continues(whole: string, stopped: string[], place: string): Promise<void> {
  const task = `${Deno.execPath()} task train`;
  for (const line of [whole, ...stopped.map((run) => `${task} --resume ${run}`)]) {
    const command = new Pressed(line, place);
    assert.equal(await command.code(), 0, `${line}: ${command.said}`);
  }
  for (const run of stopped) {
    for (const file of ["metrics.csv", "completions.csv"]) {
      const [cut, uncut] = await Promise.all(
        [run, "runs/whole"].map((run) => Deno.readTextFile(`${place}/${run}/${file}`)),
      );
      assert.equal(cut, uncut, `${file} of ${run}`);
    }
  }
}

/** Starts a run without end, and asserts that it stops and loses nothing after `end` of its terminal. */
async function assertSurvives(
  place: string,
  before: string,
  end: (command: Pressed) => Promise<void> | void,
): Promise<void> {
  const line = await prepare(place), run = `${place}/runs/a`;
  const endless = line.replace(`--steps ${STEPS}`, "--steps 100000 --out runs/a");
  const command = new Pressed(`${before}${endless}`, place);
  await command.until(FIRST_STEP);
  await end(command);
  await command.code();
  // Nobody is left to wait for it but whoever looks at its folder; the page is drawn last.
  const isOver = async () =>
    endOf(await readHistory(run)) && (await listFolder(run)).includes("report.html");
  for (const from = Date.now(); !await isOver();) {
    assert.ok(Date.now() - from < PATIENCE, "the run neither stopped nor said so");
    await new Promise((done) => setTimeout(done, 20));
  }
  assert.equal(endOf(await readHistory(run))!.kind, "stopped");
  assert.equal((await checkpointSteps(run)).at(-1), (await readRun(run)).metrics.length);
}

inTemporary(
  "a terminal that is closed under a run costs no step",
  (place) => assertSurvives(place, "", (command) => command.hangUp()),
);

inTemporary("parents that forward Ctrl-C again and again and end first cost no step", (place) => {
  const forwarder = `exec ${Deno.execPath()} run --no-check -A ${root}tests/cli/_forwarder.ts `;
  return assertSurvives(place, forwarder, (command) => command.press());
});
