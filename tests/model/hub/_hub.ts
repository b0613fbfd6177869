/** A hub on the loopback address that behaves, until a test has it misbehave. @module */
import { createHash } from "node:crypto";

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";
export const ID = "someone/small-gpt2";
/** Weights are kept on another host, as the hub keeps large files. */
export const WEIGHTS = "model.safetensors";

/** One request as it came in. */
export interface Seen {
  /** "api", "head", "get" (the hub's own), or "cdn". */
  kind: "api" | "head" | "get" | "cdn";
  /** `owner/name`; of the other host too. */
  repo: string;
  name: string;
  /** Path of the address, as it was sent. */
  path: string;
  headers: Headers;
}

/** What a test wants instead of the honest answer; undefined: that one. `count` is 1 for the first of its kind and name. */
export type Mischief = (
  seen: Seen & { count: number; hub: FakeHub },
) => Response | undefined | Promise<Response | undefined>;

export const sha256 = (bytes: Uint8Array): string =>
  createHash("sha256").update(bytes).digest("hex");
export const gitSha = (bytes: Uint8Array): string =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");

/** Bytes that repeat nowhere near. */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  let x = seed;
  return Uint8Array.from({ length }, () => (x = (x * 1103515245 + 12345) & 0x7fffffff) >> 16);
}

const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value);

/** The files of a whole model. */
export function modelFiles(size = 100_000): Map<string, Uint8Array<ArrayBuffer>> {
  return new Map([
    ["config.json", text('{"model_type": "gpt2"}')],
    ["generation_config.json", text("{}")],
    ["tokenizer.json", text('{"model": {}}')],
    ["README.md", text("not wanted")],
    [WEIGHTS, noise(size)],
  ]);
}

/** The files of an adapter as PEFT saves it. */
export function adapterFiles(base: unknown, revision: unknown = null): typeof NO_FILES {
  const config = { peft_type: "LORA", base_model_name_or_path: base, revision };
  return new Map([
    ["adapter_config.json", text(JSON.stringify(config))],
    ["README.md", text("not wanted")],
    ["adapter_model.safetensors", noise(3000, 2)],
  ]);
}

/** The files of a data set with two configs, each with two splits, as GSM8K has them; what is in them by name. */
export function datasetFiles(given: Record<string, string | Uint8Array> = {}): typeof NO_FILES {
  const card = `---
license: mit
configs:
- config_name: main
  data_files:
  - split: train
    path: main/train-*
  - split: test
    path: main/test-*
- config_name: socratic
  data_files:
  - split: train
    path: socratic/train-*
  - split: test
    path: socratic/test-*
---
# A data set
`;
  const parts = ["main/train", "main/test", "socratic/train", "socratic/test"];
  const all: [string, string | Uint8Array][] = [
    ["README.md", card],
    [".gitattributes", "*.parquet filter=lfs"],
    ...parts.map((part, i): [string, Uint8Array] => [
      `${part}-00000-of-00001.parquet`,
      noise(20_000 + i, i + 3),
    ]),
    ...Object.entries(given),
  ];
  return new Map(all.map(([name, content]) => [
    name,
    typeof content === "string" ? text(content) : new Uint8Array(content),
  ]));
}
const NO_FILES: Map<string, Uint8Array<ArrayBuffer>> = new Map();

/** Two servers: the hub, and the host to which it redirects for weights. */
export class FakeHub implements AsyncDisposable {
  readonly seen: Seen[] = [];
  /** What models other than those of `files` have, by `owner/name`. */
  readonly repos: Map<string, typeof NO_FILES> = new Map();
  readonly endpoint: string;
  readonly cdn: string;
  #servers: Deno.HttpServer<Deno.NetAddr>[];

  constructor(
    readonly files: Map<string, Uint8Array<ArrayBuffer>> = modelFiles(),
    readonly mischief: Mischief = () => undefined,
  ) {
    const serve = (handler: Deno.ServeHandler) =>
      Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {}, onError: broken }, handler);
    this.#servers = [
      serve((request) => this.#answer(request, false)),
      serve((request) => this.#answer(request, true)),
    ];
    [this.endpoint, this.cdn] = this.#servers.map(({ addr }) => `http://127.0.0.1:${addr.port}`);
  }

  /** How often something was asked for. */
  count(kind: Seen["kind"], name = ""): number {
    return this.seen.filter((one) => one.kind === kind && (!name || one.name === name)).length;
  }

  async #answer(request: Request, cdn: boolean): Promise<Response> {
    const { pathname } = new URL(request.url);
    const [, inside] = /^(?:\/[^/]+)+?\/resolve\/[0-9a-f]{40}\/(.+)$/.exec(pathname) ?? [];
    const name = decodeURIComponent(inside ?? pathname.slice(pathname.lastIndexOf("/") + 1));
    const kind = cdn
      ? "cdn"
      : pathname.startsWith("/api/")
      ? "api"
      : request.method === "HEAD"
      ? "head"
      : "get";
    const [, repo] = /^(?:\/api\/(?:models|datasets)|\/datasets)?\/([^/]+\/[^/]+)\//
      .exec(pathname) ?? ["", ""];
    const seen = { kind, repo, name, path: pathname, headers: request.headers } as const;
    this.seen.push(seen);
    const count = this.count(kind, name);
    return await this.mischief({ ...seen, count, hub: this }) ?? this.honest(seen);
  }

  /** What a hub answers. */
  honest({ kind, repo, name, headers }: Seen): Response {
    const files = this.repos.get(repo) ?? this.files;
    if (kind === "api") {
      const siblings = [...files.keys()].map((rfilename) => ({ rfilename }));
      return Response.json({ id: ID, sha: COMMIT, siblings });
    }
    const bytes = files.get(name);
    if (!bytes) {
      return new Response(null, { status: 404, headers: { "x-error-code": "EntryNotFound" } });
    }
    const about = { "x-repo-commit": COMMIT, "accept-ranges": "bytes" };
    if (kind !== "cdn" && /\.(?:safetensors|parquet)$/.test(name)) {
      return new Response(null, {
        status: 302,
        headers: {
          ...about,
          "x-linked-size": String(bytes.length),
          "x-linked-etag": `"${sha256(bytes)}"`,
          location: `${this.cdn}/${repo}/${encodeURIComponent(name)}`,
        },
      });
    }
    const etag = `"${gitSha(bytes)}"`;
    return rangeOf(bytes, headers, { ...about, etag });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.shutdown()));
  }
}

const broken = (): Response => new Response(null, { status: 500 });

/** Bytes, or the part of them that was asked for. */
export function rangeOf(
  bytes: Uint8Array<ArrayBuffer>,
  asked: Headers,
  headers: Record<string, string> = {},
): Response {
  const range = /^bytes=(\d+)-$/.exec(asked.get("range") ?? "");
  const current = asked.get("if-range") ?? headers.etag;
  const from = range && current === headers.etag ? Number(range[1]) : 0;
  const common = { "content-type": "application/octet-stream", ...headers };
  if (from === 0) {
    return new Response(bytes, { headers: { ...common, "content-length": String(bytes.length) } });
  }
  return new Response(bytes.subarray(from), {
    status: 206,
    headers: {
      ...common,
      "content-length": String(bytes.length - from),
      "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
    },
  });
}

/** An answer whose connection breaks after `length` bytes of its body. */
export function cut(response: Response, length: number): Response {
  const reader = response.body!.getReader();
  let left = length;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value } = left > 0 ? await reader.read() : { value: undefined };
      if (value) controller.enqueue(value.subarray(0, left));
      left -= value?.length ?? 0;
      if (!value || left <= 0) {
        await new Promise((done) => setTimeout(done, 20)); // for what was sent to arrive
        controller.error(new Error("cut"));
        await reader.cancel();
      }
    },
  });
  const { status, headers } = response;
  return new Response(body, { status, headers });
}
