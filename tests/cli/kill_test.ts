import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { listFolder, placeFolder } from "../../experiment/folder/files.ts";
import { findResumable } from "../../experiment/folder/resumable.ts";
import { checkpointSteps, readRun } from "../../experiment/folder/run_data.ts";
import { readEvents } from "../experiment/folder/_events.ts";

const KILLS = Number(Deno.env.get("PLAINRL_KILLS") ?? 30); // deno task test:kills makes it 200
const WRITER = fileURLToPath(new URL("./_writer.ts", import.meta.url));
const EXPORTER = fileURLToPath(new URL("./commands/_exporter.ts", import.meta.url));

let loggedSteps = 0, cutRecords = 0;

/** Starts the writer, kills it after `delay` ms of writing; gives the last step that it promised. */
async function killed(folder: string, from: number | undefined, delay: number): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--no-prompt",
      "--allow-read",
      `--allow-write=${folder}`,
      WRITER,
      folder,
      ...(from === undefined ? [] : [String(from)]),
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let said = "", timer: ReturnType<typeof setTimeout> | undefined;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    timer ??= setTimeout(() => child.kill("SIGKILL"), delay);
    said += text;
  }
  clearTimeout(timer);
  assert.equal((await child.status).signal, "SIGKILL", "the writer ended by itself");
  return Number([...said.matchAll(/step (\d+)\n/g)].at(-1)?.[1] ?? 0);
}

/** Every file whole, its owner's lock free; gives the newest checkpoint's step. */
async function inspect(folder: string): Promise<number> {
  const run = await readRun(folder); // throws where a table or JSON is torn, but for a last row
  const steps = await checkpointSteps(folder);
  assert.ok(steps.length > 0, "no checkpoint left");
  for (const step of steps) {
    const place = `${folder}/checkpoints/step-${step}`;
    const weights = await Deno.readFile(`${place}/model.safetensors`);
    assert.equal(weights.length, 300_000, place);
    assert.ok(weights.every((byte) => byte === step % 251), `${place} is torn`);
    assert.deepEqual(JSON.parse(await Deno.readTextFile(`${place}/state.json`)), { step });
  }
  const newest = steps.at(-1)!;
  using found = await findResumable(folder); // with every hash, and the rows that belong to it
  assert.deepEqual([found.step, found.passedOver], [newest, []]);
  assert.deepEqual(run.names, ["a", "b"]);
  run.metrics.forEach((row, i) => assert.deepEqual(row, [i + 1, i + 1, (i + 1) / 3]));
  assert.ok(run.metrics.length >= newest, `rows of ${run.metrics.length} steps, saved ${newest}`);
  assert.ok(run.completions.length >= 2 * newest);
  for (const { step, completion } of run.completions) {
    assert.equal(completion, `${step} `.repeat(40));
  }
  await inspectLog(folder, run.metrics.length);
  return newest;
}

/** The event file of the process that was killed: each step once from the first, and at most a cut record. */
async function inspectLog(folder: string, steps: number): Promise<void> {
  const names = (await listFolder(folder)).filter((name) => name.startsWith("events.out."));
  assert.ok(names.length <= 2, `${names}`);
  const [empty, last] = names.length === 2 ? names : [undefined, names[0]];
  if (empty) assert.equal((await Deno.stat(`${folder}/${empty}`)).size, 0);
  if (last === undefined) return; // it was killed before its first record
  const { events, rest } = readEvents(await Deno.readFile(`${folder}/${last}`));
  cutRecords += Number(rest > 0);
  const logged = events.filter(({ values }) => "a" in values);
  logged.forEach(({ step, values }, i) => {
    assert.deepEqual([step, values.a, values.b], [i + 1, i + 1, Math.fround((i + 1) / 3)]);
  });
  loggedSteps += logged.length;
  assert.ok(logged.length <= steps, `${logged.length} steps logged of ${steps}`);
}

Deno.test(`killed at any moment (${KILLS} times), a run's files are whole and no promised step is lost`, async () => {
  const place = await Deno.makeTempDir();
  try {
    let at: number | undefined;
    for (let kill = 0; kill < KILLS; kill++) {
      const promised = await killed(`${place}/run`, at, Math.random() * 120);
      at = await inspect(`${place}/run`);
      assert.ok(at >= promised, `kill ${kill}: promised step ${promised}, found ${at}`);
      const left = (await listFolder(`${place}/run`)).filter((name) => /\.tmp-/.test(name));
      assert.ok(left.length <= 1, `${left}`); // older ones were removed at the start
    }
    if (KILLS >= 200) console.log(`${KILLS} kills, step ${at} reached, ${cutRecords} cut records`);
    assert.ok(at! > KILLS / 2, `the writer came to step ${at} only`);
    assert.ok(loggedSteps > KILLS, `only ${loggedSteps} steps were logged`);
  } finally {
    await Deno.remove(place, { recursive: true });
  }
});

Deno.test("killed at any moment, a folder that is replaced is whole, under its name or a temporary one", async () => {
  const place = await Deno.makeTempDir(), path = `${place}/out`;
  const numbers = ["a", "b", "c"];
  const put = (text: string) =>
    placeFolder(path, async (to) => {
      for (const name of numbers) await Deno.writeTextFile(`${to}/${name}`, text);
    });
  const read = async (folder: string) => {
    assert.deepEqual(await listFolder(folder), numbers);
    const texts = numbers.map((name) => Deno.readTextFile(`${folder}/${name}`));
    const [a, b, c] = (await Promise.all(texts)).map(Number);
    assert.ok(a === b && b === c, `${folder} is torn: ${a} ${b} ${c}`);
    return a;
  };
  try {
    await put("0");
    let newest = 0;
    for (let kill = 0; kill < Math.ceil(KILLS / 5); kill++) {
      const permissions = ["--no-prompt", "--allow-read", `--allow-write=${place}`];
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-check", ...permissions, EXPORTER, path, String(newest + 1)],
        stdout: "piped",
      }).spawn();
      let timer: ReturnType<typeof setTimeout> | undefined;
      for await (const _ of child.stdout) {
        timer ??= setTimeout(() => child.kill("SIGKILL"), Math.random() * 40);
      }
      assert.equal((await child.status).signal, "SIGKILL", "it ended by itself");
      const names = await listFolder(place);
      const now = await read(
        names.includes("out") ? path : `${place}/${names.find((name) => /\.old\.tmp-/.test(name))}`,
      );
      assert.ok(now > newest, `${now} after ${newest}`);
      newest = now;
    }
    await put("0");
    assert.deepEqual(await listFolder(place), ["out"]); // what the kills left is gone
  } finally {
    await Deno.remove(place, { recursive: true });
  }
});
