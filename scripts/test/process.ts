/** One process of the tests, and what its end means. @module */
import { type Counts, type Output, readErrors, readOutput } from "./output.ts";

/** What runs in a process of its own. */
export interface Job {
  /** As it is named to a person: the file, or "types". */
  name: string;
  /** What follows `deno`. */
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
}

/** How a process ended. */
export interface Ended extends Output {
  name: string;
  /** Standard error. */
  said: string[];
  verdict: Verdict;
  /** "code 1" or "SIGSEGV". */
  end: string;
  seconds: number;
}

/**
 * "passed" and "failed" are what the tests did. "aborted": all of them passed, the closing line stands, and
 * after it a fault ended the process, as graphics drivers make one now and then when they are closed.
 * "broken" is all else: a type error, a crash amid the tests, an end without a closing line.
 */
export type Verdict = "passed" | "failed" | "aborted" | "broken";

const FAULTS: readonly (string | null)[] = ["SIGABRT", "SIGSEGV", "SIGBUS"];
/** How long a process that has ended may still be heard, ms: one that it left behind may hold its streams. */
const LAST_WORDS = 2000;

/** What the end of `deno test` means; `counts` are those of its closing line. */
export function verdictOf(
  counts: Counts | undefined,
  { code, signal }: Pick<Deno.CommandStatus, "code" | "signal">,
): Verdict {
  if (!counts) return "broken";
  if (counts.failed > 0) return code === 1 ? "failed" : "broken";
  if (code === 0) return "passed";
  return FAULTS.includes(signal) ? "aborted" : "broken";
}

/** Runs a job to its end. `onStart` gets the process; `program` takes the place of `deno`. */
export async function runProcess(
  { name, args, env }: Job,
  { onStart = () => {}, program = Deno.execPath() }: {
    onStart?: (child: Deno.ChildProcess) => void;
    program?: string;
  } = {},
): Promise<Ended> {
  const from = performance.now();
  const child = new Deno.Command(program, {
    args: [...args],
    env: { ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  onStart(child);
  const out = new Listener(child.stdout), err = new Listener(child.stderr);
  const status = await child.status;
  const [stdout, stderr] = await Promise.all([out.end(), err.end()]);
  const output = readOutput(stdout);
  const verdict = args[0] === "test"
    ? verdictOf(output.counts, status)
    : status.success
    ? "passed"
    : "broken";
  return {
    name,
    ...output,
    said: readErrors(stderr),
    verdict,
    end: status.signal ?? `code ${status.code}`,
    seconds: (performance.now() - from) / 1000,
  };
}

/** Collects what is said on a stream. */
class Listener {
  #text = "";
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #whole: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.pipeThrough(new TextDecoderStream()).getReader();
    this.#whole = this.#collect();
  }

  async #collect(): Promise<void> {
    for (;;) {
      const { value, done } = await this.#reader.read();
      if (done) return;
      this.#text += value;
    }
  }

  /** All that was said, once the process has ended. */
  async end(): Promise<string> {
    const timer = setTimeout(() => this.#reader.cancel(), LAST_WORDS);
    await this.#whole;
    clearTimeout(timer);
    return this.#text;
  }
}
