/** An OpenAI-compatible server on the loopback address that behaves, until a test has it misbehave. @module */
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

/** What may go wrong with one answer. */
export const FAULTS = [
  "slow", // never answers: whoever waits waits for its own time to be over
  "busy", // 429 with Retry-After
  "trouble", // 500
  "malformed", // half of a JSON object
  "page", // HTML, as a login page or proxy sends it
  "eleven", // "11/10"
  "of ten", // "7.5 of 10": not the form that was asked for, and the right number
  "prose", // a sentence with a number in it
  "empty", // no choice
  "blank", // a choice without text
  "cut off", // the answer ends in the middle, as the server says
  "huge", // 100 MB
  "bomb", // 100 MB in a few KB, compressed
  "closed", // the connection ends without an answer
  "broken", // the connection ends in the middle of one
  "redirect", // to another host, which gives everyone a 10
] as const;
export type Fault = typeof FAULTS[number];

/** One request as it came in. */
export interface Seen {
  path: string;
  key: string | undefined;
  // deno-lint-ignore no-explicit-any -- whatever was sent
  body: any;
  /** Clock, milliseconds. */
  at: number;
}

/** What comes in place of an answer. */
interface Refusal {
  status: number;
  headers?: Record<string, string>;
  body?: string;
  /** With a body of 100 MB. */
  pour?: boolean;
}

/** How the server answers. */
export interface FakeOptions {
  /** The content of a chat's answer; default "7". */
  chat?: (seen: Seen) => string;
  /** The object that answers a request for embeddings. */
  embeddings?: (texts: string[], seen: Seen) => unknown;
  /** What goes wrong with this request, the first of which is 0; default nothing. */
  fault?: (seen: Seen, count: number) => Fault | undefined;
  /** Milliseconds that an answer takes. */
  delay?: (seen: Seen, count: number) => number;
  /** Status and headers in place of an answer. */
  refuse?: (
    seen: Seen,
    count: number,
  ) => Refusal | undefined;
}

/** Milliseconds that no test takes. */
const NEVER = 86_400_000;

const MB = Buffer.alloc(2 ** 20, 32);
const BOMB = gzipSync(Buffer.alloc(100 * 2 ** 20, 32));

/** The server, and another one that redirects lead to. */
export class FakeServer implements AsyncDisposable {
  readonly seen: Seen[] = [];
  /** Requests that came to the other host. */
  readonly strange: Seen[] = [];
  /** Requests in hand at once: now, and the most. */
  busy = 0;
  most = 0;
  /** MB of huge answers that were taken. */
  taken = 0;
  url = "";
  #servers: Server[] = [];
  #timers = new Set<ReturnType<typeof setTimeout>>();

  private constructor(readonly options: FakeOptions) {}

  static async open(options: FakeOptions = {}): Promise<FakeServer> {
    const fake = new FakeServer(options);
    fake.url = await fake.#listen((request, response) => fake.#answer(request, response));
    return fake;
  }

  async #listen(
    handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  ): Promise<string> {
    const server = createServer((request, response) =>
      void handle(request, response).catch(() => response.destroy())
    );
    this.#servers.push(server);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = await read(request);
    const { fault, delay, refuse } = this.options, count = this.seen.length;
    this.seen.push(seen);
    this.most = Math.max(this.most, ++this.busy);
    response.on("close", () => this.busy--);
    const refused = refuse?.(seen, count);
    if (refused?.pour) return await this.#pour(response, refused.status);
    if (refused) {
      response.writeHead(refused.status, refused.headers).end(refused.body ?? "");
      return;
    }
    const ms = delay?.(seen, count) ?? 0;
    if (ms > 0) await this.#wait(ms);
    const wrong = fault?.(seen, count);
    if (wrong) await this.#misbehave(wrong, seen, response);
    else send(response, this.#honest(seen));
  }

  #honest(seen: Seen): unknown {
    if (seen.path.endsWith("/embeddings")) return this.options.embeddings?.(seen.body.input, seen);
    return choice(this.options.chat?.(seen) ?? "7");
  }

  async #misbehave(fault: Fault, seen: Seen, response: ServerResponse): Promise<void> {
    const right = this.options.chat?.(seen) ?? "7";
    switch (fault) {
      case "slow":
        return await this.#wait(NEVER);
      case "busy":
        return void response.writeHead(429, { "retry-after": "0" }).end("slow down");
      case "trouble":
        return void response.writeHead(500).end(
          JSON.stringify({ error: { message: "overheated" } }),
        );
      case "malformed":
        return void response.end(JSON.stringify(choice(right)).slice(0, 30));
      case "page":
        return void response.end("<!doctype html><title>10</title>");
      case "eleven":
        return send(response, choice("11/10"));
      case "of ten":
        return send(response, choice(`${right} of 10`));
      case "prose":
        return send(response, choice(`A solid 9 for tone, though 10 would be too much.`));
      case "empty":
        return send(response, { choices: [] });
      case "blank":
        return send(response, choice(" \n"));
      case "cut off":
        return send(response, {
          choices: [{ message: { content: "1" }, finish_reason: "length" }],
        });
      case "huge":
        return await this.#pour(response);
      case "bomb":
        return void response.writeHead(200, { "content-encoding": "gzip" }).end(BOMB);
      case "closed":
        return void response.socket?.destroy();
      case "broken":
        response.writeHead(200, { "content-length": "1000" }).write('{"choices": [{"message"');
        return void await this.#wait(5).then(() => response.socket?.destroy());
      case "redirect":
        return void response.writeHead(307, { location: await this.#elsewhere() }).end();
    }
  }

  #other: string | undefined;
  async #elsewhere(): Promise<string> {
    this.#other ??= await this.#listen(async (request, response) => {
      this.strange.push(await read(request));
      send(response, choice("10"));
    });
    return `${this.#other}/chat/completions`;
  }

  async #pour(response: ServerResponse, status = 200): Promise<void> {
    response.writeHead(status);
    for (let i = 0; i < 100 && !response.destroyed; i++) {
      this.taken++;
      if (response.write(MB)) continue;
      await new Promise<void>((done) => {
        response.once("drain", done);
        response.once("close", done);
      });
    }
    response.end();
  }

  #wait(ms: number): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        done();
      }, ms);
      this.#timers.add(timer);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.#servers.map((server) => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    }));
  }
}

/** A chat's answer. */
export const choice = (content: string): unknown => ({
  choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
});

function send(response: ServerResponse, value: unknown): void {
  if (!response.destroyed) {
    response.setHeader("content-type", "application/json").end(JSON.stringify(value));
  }
}

async function read(request: IncomingMessage): Promise<Seen> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return {
    path: request.url ?? "",
    key: request.headers.authorization,
    body: text === "" ? undefined : JSON.parse(text),
    at: performance.now(),
  };
}
