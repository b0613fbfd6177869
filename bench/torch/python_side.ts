/** A Python program as the other side: requests and answers are JSON, one a line. @module */
import type { Result, Session, Side, Work } from "./compare.ts";

/** Talks to a running program; `name` is what it said first. */
export class PythonSide implements Side, AsyncDisposable {
  private constructor(
    readonly name: string,
    readonly process: Deno.ChildProcess,
    readonly lines: ReadableStreamDefaultReader<string>,
    readonly requests: WritableStreamDefaultWriter<Uint8Array>,
  ) {}

  /**
   * Starts `python script`.
   * @throws {Error} when there is no such program, or when it lacks a package; says how to get it
   */
  static async start(python: string, script: string): Promise<PythonSide> {
    let process: Deno.ChildProcess;
    try {
      process = new Deno.Command(python, {
        args: ["-W", "ignore", script],
        stdin: "piped",
        stdout: "piped",
        env: { OMP_NUM_THREADS: "2", TRANSFORMERS_VERBOSITY: "error" },
      }).spawn();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) throw absent(`there is no program ${python}`);
      throw error;
    }
    const lines = linesOf(process.stdout).getReader();
    const { name, error } = JSON.parse((await lines.read()).value ?? '{"error":"it said nothing"}');
    if (error) throw absent(error);
    return new PythonSide(name, process, lines, process.stdin.getWriter());
  }

  async open({ name: _, ...work }: Work): Promise<Session> {
    await this.#ask(work);
    return {
      run: async (count) => await this.#ask({ run: count }) as Result,
      [Symbol.dispose]() {}, // the next `open` frees it
    };
  }

  async #ask(request: unknown): Promise<unknown> {
    await this.requests.write(new TextEncoder().encode(JSON.stringify(request) + "\n"));
    const { value = '{"error":"it ended"}' } = await this.lines.read();
    const answer = JSON.parse(value);
    if (answer.error) throw new Error(`Cannot run the other side: ${answer.error}`);
    return answer;
  }

  /** Ends the program. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.requests.close();
    await this.lines.cancel();
    await this.process.status;
  }
}

const absent = (reason: string): Error =>
  new Error(
    `Cannot compare with PyTorch as ${reason}. Fix: --python VENV/bin/python of an environment with ` +
      "torch==2.5.1 and transformers==4.46.3",
  );

/** Bytes as lines of text. */
function linesOf(bytes: ReadableStream<Uint8Array>): ReadableStream<string> {
  let rest = "";
  return bytes.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
    .pipeThrough(
      new TransformStream({
        transform(text, controller) {
          const lines = (rest + text).split("\n");
          rest = lines.pop()!;
          for (const line of lines) controller.enqueue(line);
        },
      }),
    );
}
