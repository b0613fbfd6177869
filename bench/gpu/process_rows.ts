/** Measurements that are processes of their own: the first start, `train colors`, tests, PyTorch. @module */
import type { GpuContext } from "./context.ts";
import type { FirstRun } from "./first_run.ts";
import { AbsentError, type Line, type Row } from "./rows.ts";

/** The row that wants a process before anything is cached by the driver. */
export const firstRunRow: Row<GpuContext> = {
  name: "first start",
  estimate: 25,
  short: true,
  run: firstStart,
};
/** Rows that come last. */
export const processRows: readonly Row<GpuContext>[] = [
  { name: "train colors", estimate: 60, short: true, run: trainColors },
  { name: "PyTorch", estimate: 75, run: pyTorch },
  { name: "tests of the kernels", estimate: 60, run: kernelTests },
];

interface Ended {
  readonly ok: boolean;
  readonly out: string;
  readonly err: string;
}

const lastLines = (text: string, n = 3): string => text.trim().split("\n").slice(-n).join(" / ");

/** Runs a program to its end, or until `seconds` are over. @throws {Error} when it was stopped */
async function runProgram(
  command: string,
  args: readonly string[],
  { seconds, env }: { seconds: number; env?: Record<string, string> },
): Promise<Ended> {
  const signal = AbortSignal.timeout(1e3 * Math.max(1, seconds));
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    env,
    stdin: "null",
    signal,
  }).output();
  if (signal.aborted) {
    throw new Error(`Cannot wait for ${command} as the time is up: ${seconds.toFixed(0)} s`);
  }
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { ok: success, out: text(stdout), err: text(stderr) };
}

/** As `runProgram`, for Deno itself with all permissions and nothing fetched. */
async function runDeno(
  args: readonly string[],
  options: { seconds: number; env?: Record<string, string> },
): Promise<Ended> {
  const { NO_COLOR = "1", ...env } = options.env ?? {};
  return await runProgram(Deno.execPath(), args, { ...options, env: { ...env, NO_COLOR } });
}

/** Twice in the same empty home: the second finds what the driver kept of the first. */
async function* firstStart({ software, remaining }: GpuContext): AsyncGenerator<Line> {
  const home = await Deno.makeTempDir({ prefix: "plainrl-home-" });
  try {
    for (const which of ["first", "second"]) {
      const args = ["run", "--no-prompt", "-A", "--cached-only", "bench/gpu/first_run.ts"];
      const { ok, out, err } = await runDeno([...args, ...(software ? ["--software"] : [])], {
        seconds: Math.min(60, remaining()),
        env: { HOME: home, XDG_CACHE_HOME: `${home}/.cache`, DENO_DIR: denoDir() },
      });
      if (!ok) throw new Error(lastLines(err));
      const first: FirstRun = JSON.parse(out.trim().split("\n").at(-1)!);
      yield {
        name: `${which} process in a new home: compiling`,
        seconds: first.compileSeconds,
        note: `${first.pipelines} pipelines`,
      };
      yield {
        name: `${which} process: first training step`,
        seconds: first.firstStepSeconds,
        note: `next ${(1e3 * first.nextStepSeconds).toFixed(1)} ms, with an empty wait`,
      };
    }
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

/** Where Deno keeps packages; a new home must not hide them. */
const denoDir = (): string =>
  Deno.env.get("DENO_DIR") ??
    `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/deno`;

interface Part {
  readonly exact: number;
  readonly reward: number;
}
interface Summary {
  readonly seconds: number;
  readonly tokensPerSecond: number;
  readonly steps: number;
  readonly heldout: { readonly before: Part; readonly after: Part };
}

/** The main job as it stands in the README; two steps of it on a software adapter. */
async function* trainColors({ software, remaining }: GpuContext): AsyncGenerator<Line> {
  const folder = await Deno.makeTempDir({ prefix: "plainrl-colors-" });
  try {
    const args = ["run", "--no-prompt", "-A", "--cached-only", "cli/bin.ts", "train", "colors"];
    const flags = ["--device", "webgpu", "--json", "--quiet", "--out", `${folder}/run`];
    const { ok, out, err } = await runDeno(
      [...args, ...flags, ...(software ? ["--steps", "1", "batchSize=4", "minibatches=1"] : [])],
      { seconds: remaining() },
    );
    if (!ok) throw new Error(lastLines(err));
    const { seconds, tokensPerSecond, steps, heldout }: Summary = JSON.parse(
      out.trim().split("\n").at(-1)!,
    );
    const exact = `${heldout.before.exact.toFixed(2)} to ${heldout.after.exact.toFixed(2)}`;
    yield {
      name: "train colors",
      size: `${steps} steps`,
      seconds,
      note: `${tokensPerSecond.toFixed(0)} tokens/s, held-out exact ${exact}`,
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The same shapes in PyTorch, strict f32 and TF32; the script prints a line of JSON for each. */
async function* pyTorch({ software, remaining }: GpuContext): AsyncGenerator<Line> {
  const seconds = Math.min(90, remaining());
  const args = ["scripts/gpu_torch.py", "--seconds", String(Math.floor(seconds - 5))];
  const ended = await runProgram("python3", [...args, ...(software ? ["--small"] : [])], {
    seconds,
  })
    .catch((error: unknown) => {
      if (error instanceof Deno.errors.NotFound) throw new AbsentError("no python3 on the PATH");
      throw error;
    });
  for (const text of ended.out.trim().split("\n").filter((line) => line.startsWith("{"))) {
    const { absent, ...line }: Line & { absent?: string } = JSON.parse(text);
    if (absent) throw new AbsentError(absent);
    yield { ...line, name: `PyTorch ${line.name}` };
  }
  if (!ended.ok) throw new Error(lastLines(ended.err));
}

/** The tests of `tests/kernels` on this adapter. */
async function* kernelTests({ software, remaining }: GpuContext): AsyncGenerator<Line> {
  const folder = software ? "tests/kernels/add_test.ts" : "tests/kernels/";
  const args = ["test", "--no-prompt", "-A", "--no-check", "--cached-only", folder];
  const { out, err } = await runDeno(args, { seconds: remaining() });
  const said = /\| (\d+) passed.*\| (\d+) failed/.exec(out);
  if (!said) throw new Error(lastLines(out + err));
  const [, passed, failed] = said;
  yield { name: "tests of the kernels", note: `${passed} passed, ${failed} failed` };
  const names = [...new Set(out.matchAll(/^(.+?) \.\.\. FAILED/gm).map(([, name]) => name))];
  for (const name of names.slice(0, 20)) yield { name: "failed test", note: name };
}
