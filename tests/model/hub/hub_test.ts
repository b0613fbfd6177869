import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { cachedModel } from "../../../model/hub/cache.ts";
import { HubError, type HubErrorCode } from "../../../model/hub/errors.ts";
import { fetchedLine, fetchModel } from "../../../model/hub/hub.ts";
import { isHubId } from "../../../model/hub/names.ts";
import type { HubOptions } from "../../../model/hub/settings.ts";
import {
  adapterFiles,
  COMMIT,
  cut,
  FakeHub,
  gitSha,
  ID,
  type Mischief,
  modelFiles,
  noise,
  rangeOf,
  sha256,
  WEIGHTS,
} from "./_hub.ts";

const SIZE = 100_000;
const TOKEN = "hf_canary";

const inCache = async (body: (cache: string) => Promise<void>): Promise<void> => {
  const cache = await Deno.makeTempDir();
  try {
    await body(cache);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
};

const options = (hub: { endpoint: string }, cache: string, more: HubOptions = {}): HubOptions => ({
  endpoint: hub.endpoint,
  cache,
  token: "",
  offline: false,
  tries: 4,
  pause: 1,
  timeout: 5_000,
  ...more,
});

const blobs = (cache: string) => `${cache}/models--someone--small-gpt2/blobs`;

/** Every file with a final name is what the hub has; gives the names of the unfinished ones. */
async function inspect(cache: string, hub: FakeHub): Promise<string[]> {
  const unfinished: string[] = [];
  const home = `${cache}/models--someone--small-gpt2`;
  const list = async (folder: string): Promise<string[]> => {
    try {
      return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
    } catch {
      return [];
    }
  };
  for (const name of await list(home)) assert.match(name, /^(?:blobs|snapshots|refs)$/);
  for (const name of await list(`${home}/blobs`)) {
    if (name.endsWith(".incomplete")) {
      unfinished.push(name);
      continue;
    }
    const bytes = await Deno.readFile(`${home}/blobs/${name}`);
    assert.equal(name, name.length === 64 ? sha256(bytes) : gitSha(bytes), "a bad blob");
  }
  for (const commit of await list(`${home}/snapshots`)) {
    assert.equal(commit, COMMIT);
    for (const name of await list(`${home}/snapshots/${commit}`)) {
      const bytes = await Deno.readFile(`${home}/snapshots/${commit}/${name}`);
      assert.deepEqual(bytes, hub.files.get(name), `a bad ${name}`);
    }
  }
  return unfinished;
}

const fails = (code: HubErrorCode, message: RegExp) => (error: unknown): true => {
  assert.ok(error instanceof HubError, String(error));
  assert.match(error.message, message);
  assert.equal(error.code, code, error.message);
  assert.ok(!error.message.includes(TOKEN), "the token stands in a message");
  return true;
};

/** What a hub may do wrong, and how it ends: with the model, or with an error. */
interface Fault {
  name: string;
  mischief: Mischief;
  ends: "good" | [HubErrorCode, RegExp];
  options?: HubOptions;
  /** Most requests that may be made. Default 16; an honest download makes 10. */
  most?: number;
  files?: () => Map<string, Uint8Array<ArrayBuffer>>;
}

const weights = (
  of: (count: number, hub: FakeHub, headers: Headers) => Response | undefined | Promise<Response>,
): Mischief =>
({ kind, count, hub, headers }) => kind === "cdn" ? of(count, hub, headers) : undefined;
const status = (code: number, headers: Record<string, string> = {}) =>
  new Response(code === 200 ? "" : null, { status: code, headers });
const html = () =>
  new Response("<!doctype html><title>Log in</title>", {
    headers: { "content-type": "text/html; charset=utf-8" },
  });
const firstly = (kind: string, response: () => Response, times = 1): Mischief => (seen) =>
  seen.kind === kind && seen.count <= times ? response() : undefined;
const always = (kind: string, response: () => Response): Mischief =>
  firstly(kind, response, Infinity);
const redirect =
  (kind: string, location: string | ((hub: FakeHub) => string)): Mischief => (seen) =>
    seen.kind === kind
      ? status(302, { location: typeof location === "string" ? location : location(seen.hub) })
      : undefined;
const honestWeights = (hub: FakeHub, headers: Headers, etag?: string): Response =>
  rangeOf(hub.files.get(WEIGHTS)!, headers, etag ? { etag } : {});
const half = (hub: FakeHub, etag = '"one"'): Response =>
  cut(honestWeights(hub, new Headers(), etag), SIZE / 2);
const head = (headers: Record<string, string>): Mischief => ({ kind, name }) =>
  kind === "head" && name === WEIGHTS
    ? status(200, {
      "x-repo-commit": COMMIT,
      "x-linked-etag": `"${"a".repeat(64)}"`,
      "x-linked-size": "10",
      ...headers,
    })
    : undefined;
const only = (...names: string[]) => () =>
  new Map([["config.json", noise(5)], ["tokenizer.json", noise(6)]].concat(
    names.map((name) => [name, noise(9)]),
  ) as [string, Uint8Array<ArrayBuffer>][]);

const FAULTS: Fault[] = [
  {
    name: "a body cut off half way, once",
    mischief: weights((count, hub) => count === 1 ? half(hub) : undefined),
    ends: "good",
  },
  {
    name: "a body cut off at the same byte every time",
    mischief: weights((_, hub) => cut(honestWeights(hub, new Headers()), 10_000)),
    ends: ["unreachable", /cut off.*Gave up after 4 tries/],
  },
  {
    name: "a connection that breaks before any answer",
    mischief: weights((_, hub) => cut(honestWeights(hub, new Headers()), 0)),
    ends: ["unreachable", /Gave up after 4 tries/],
  },
  {
    name: "401 where no token is set",
    mischief: always("api", () => status(401, { "x-error-code": "RepoNotFound" })),
    ends: [
      "refused",
      /\(401\): none such, or private\. Check the name; for a private model set HF_TOKEN/,
    ],
    options: { token: "" },
    most: 1,
  },
  {
    name: "401 for a token",
    mischief: always("api", () => status(401)),
    ends: ["refused", /the token in HF_TOKEN is valid/],
    most: 1,
  },
  {
    name: "403, gated",
    mischief: always("head", () => status(403, { "x-error-code": "GatedRepo" })),
    ends: ["refused", /accept their terms at http:.*\/someone\/small-gpt2, then set HF_TOKEN/],
    most: 2,
  },
  {
    name: "403 of a file's host",
    mischief: weights(() => status(403)),
    ends: ["refused", /\(403\)/],
  },
  {
    name: "404, no such model",
    mischief: always("api", () => status(404, { "x-error-code": "RepoNotFound" })),
    ends: ["missing", /no such model or file \(404\): check the name/],
    most: 1,
  },
  {
    name: "404, no such revision",
    mischief: always("api", () => status(404, { "x-error-code": "RevisionNotFound" })),
    ends: ["missing", /no such revision/],
    most: 1,
  },
  {
    name: "404 for a file that was listed",
    mischief: ({ kind, name }) =>
      kind === "head" && name === "tokenizer.json" ? status(404) : undefined,
    ends: ["missing", /tokenizer\.json as/],
  },
  {
    name: "429 with Retry-After, then success",
    mischief: firstly("api", () => status(429, { "retry-after": "1" })),
    ends: "good",
  },
  {
    name: "429 with a Retry-After that is a date",
    mischief: firstly("cdn", () => status(429, { "retry-after": new Date().toUTCString() })),
    ends: "good",
  },
  {
    name: "429 with an hour to wait",
    mischief: always("api", () => status(429, { "retry-after": "3600" })),
    ends: ["unreachable", /too many requests \(429\), and asks to wait 3600 seconds/],
    most: 1,
  },
  {
    name: "429 for ever",
    mischief: always("api", () => status(429)),
    ends: ["unreachable", /Gave up after 4 tries/],
    most: 4,
  },
  {
    name: "500 twice, then success",
    mischief: firstly("cdn", () => status(500), 2),
    ends: "good",
  },
  {
    name: "503 for ever",
    mischief: weights(() => status(503)),
    ends: ["unreachable", /\(503\)\. Gave up after 4 tries/],
  },
  {
    name: "a body longer than the hub says",
    mischief: weights((_, hub) => new Response(noise(hub.files.get(WEIGHTS)!.length + 1))),
    ends: ["damaged", /more came, twice/],
  },
  {
    name: "a whole body shorter than the hub says",
    mischief: weights(() => new Response(noise(SIZE - 1))),
    ends: ["unreachable", /./],
  },
  {
    name: "the right size with wrong bytes",
    mischief: weights(() => new Response(noise(SIZE, 7))),
    ends: ["damaged", /hash [0-9a-f]{12}….*twice/],
  },
  {
    name: "the right size with wrong bytes, once",
    mischief: weights((count) => count === 1 ? new Response(noise(SIZE, 7)) : undefined),
    ends: "good",
  },
  {
    name: "a small file with wrong bytes",
    mischief: ({ kind, name }) =>
      kind === "get" && name === "config.json" ? new Response('{"model_type": "gptX"}') : undefined,
    ends: ["damaged", /config\.json.*twice/],
  },
  {
    name: "a list of files that redirects to itself",
    mischief: redirect("api", (hub) => `${hub.endpoint}/api/models/${ID}/revision/main`),
    ends: ["answer", /^Cannot fetch .* as at most 5 redirects are followed: .* gives another$/],
  },
  {
    name: "a redirect that never ends",
    mischief: redirect("cdn", (hub) => `${hub.cdn}/${WEIGHTS}`),
    ends: ["answer", /^Cannot fetch .* as at most 5 redirects are followed: .* gives another$/],
  },
  {
    name: "a redirect to no address",
    mischief: weights(() => status(302)),
    ends: ["answer", /redirects to no address/],
  },
  {
    name: "a redirect to a file",
    mischief: redirect("cdn", "file:///etc/passwd"),
    ends: ["answer", /redirects to file:/],
  },
  {
    name: "a redirect with a password in it",
    mischief: redirect("cdn", (hub) => hub.cdn.replace("//", "//user:secret@")),
    ends: ["answer", /a password in it/],
  },
  {
    name: "a changed etag half way",
    mischief: weights((count, hub, headers) => {
      if (count === 1) {
        return cut(new Response(noise(SIZE, 7), { headers: { etag: '"one"' } }), SIZE / 2);
      }
      return honestWeights(hub, headers, '"two"');
    }),
    ends: "good",
  },
  {
    name: "a changed etag half way, on a host that takes no notice of If-Range",
    mischief: weights((count, hub, headers) => {
      if (count === 1) {
        return cut(new Response(noise(SIZE, 7), { headers: { etag: '"one"' } }), SIZE / 2);
      }
      const heedless = new Headers(headers);
      heedless.delete("if-range");
      return honestWeights(hub, heedless, '"two"');
    }),
    ends: "good",
  },
  {
    name: "other bytes half way under the same etag",
    mischief: weights((count, hub, headers) => {
      if (count === 1) {
        return cut(new Response(noise(SIZE, 7), { headers: { etag: '"one"' } }), SIZE / 2);
      }
      return honestWeights(hub, headers, '"one"');
    }),
    ends: "good",
  },
  {
    name: "200 where 206 was asked for",
    mischief: weights((count, hub) => count === 1 ? half(hub) : honestWeights(hub, new Headers())),
    ends: "good",
  },
  {
    name: "206 with another range than was asked for",
    mischief: weights((count, hub, headers) => {
      if (count === 1) return half(hub);
      if (count > 2) return honestWeights(hub, headers, '"one"');
      return honestWeights(hub, new Headers({ range: "bytes=7-" }));
    }),
    ends: "good",
  },
  {
    name: "206 where all was asked for",
    mischief: weights((_, hub) => honestWeights(hub, new Headers({ range: "bytes=7-" }))),
    ends: ["answer", /another part than asked for came\. Gave up/],
  },
  {
    name: "416 for the rest",
    mischief: weights((count, hub) =>
      count === 1 ? half(hub) : count === 2 ? status(416) : undefined
    ),
    ends: "good",
  },
  {
    name: "a packed range",
    mischief: weights((count, hub, headers) => {
      if (count === 1) return half(hub);
      if (count > 2) return honestWeights(hub, headers, '"one"');
      const plain = honestWeights(hub, headers, '"one"');
      const packed = new Headers(plain.headers);
      packed.delete("content-length");
      packed.set("content-encoding", "gzip");
      const body = plain.body!.pipeThrough(new CompressionStream("gzip"));
      return new Response(body, { status: 206, headers: packed });
    }),
    ends: "good",
  },
  {
    name: "a login page for the list of files",
    mischief: always("api", html),
    ends: ["answer", /does not answer as a model hub does: it sends a page.*HF_ENDPOINT/],
    most: 1,
  },
  {
    name: "a login page for what is asked about a file",
    mischief: always("head", html),
    ends: ["answer", /no commit, hash and size/],
    most: 2,
  },
  {
    name: "a login page for a small file",
    mischief: always("get", html),
    ends: ["answer", /config\.json as a page came in its place/],
  },
  {
    name: "a login page for the weights",
    mischief: weights(html),
    ends: ["answer", /a page came in its place/],
  },
  {
    name: "a byte now and then",
    mischief: weights((_, hub) => {
      let timer: ReturnType<typeof setInterval>;
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => {
          timer = setInterval(() => controller.enqueue(new Uint8Array(1)), 20);
        },
        cancel: () => clearInterval(timer),
      });
      return new Response(body, {
        headers: { "content-length": String(hub.files.get(WEIGHTS)!.length) },
      });
    }),
    ends: ["unreachable", /it all but stopped/],
    options: { timeout: 100, tries: 2 },
  },
  {
    name: "no answer at all",
    mischief: weights(() => new Promise((done) => setTimeout(() => done(status(500)), 400))),
    ends: ["unreachable", /no answer in time/],
    options: { timeout: 100, tries: 2 },
  },
  {
    name: "a hash that is a path",
    mischief: head({ "x-linked-etag": '"../../../evil"' }),
    ends: ["answer", /no commit, hash and size/],
  },
  {
    name: "a size that is no number",
    mischief: head({ "x-linked-size": "1e9" }),
    ends: ["answer", /no commit, hash and size/],
  },
  {
    name: "a file of another commit",
    mischief: head({ "x-repo-commit": "f".repeat(40) }),
    ends: ["answer", /no commit, hash and size/],
  },
  {
    name: "a commit that is a path",
    mischief: always("api", () => Response.json({ sha: "../../../../evil", siblings: [] })),
    ends: ["answer", /no commit or list of files/],
    most: 1,
  },
  {
    name: "a list of files without end",
    mischief: always("api", () => new Response(" ".repeat(2 ** 24 + 1))),
    ends: ["answer", /above 16 MiB/],
    most: 1,
  },
  {
    name: "an index with the path of another folder",
    mischief: () => undefined,
    files: () =>
      only()().set(
        `${WEIGHTS}.index.json`,
        new TextEncoder().encode('{"weight_map": {"wte": "../../evil.safetensors"}}'),
      ),
    ends: ["unsupported", /weight_map/],
  },
  {
    name: "pickled weights only",
    mischief: () => undefined,
    files: only("pytorch_model.bin"),
    ends: ["unsupported", /only pickled weights.*python -c .*'someone\/small-gpt2'.*converted/],
    most: 1,
  },
  {
    name: "no weights",
    mischief: () => undefined,
    files: only(),
    ends: ["unsupported", /no weights/],
    most: 1,
  },
];

for (const { name, mischief, ends, options: more, most = 16, files } of FAULTS) {
  Deno.test(`a hub with ${name} ends ${ends === "good" ? "well" : "in a clear error"}`, () =>
    inCache(async (cache) => {
      await using hub = new FakeHub(files?.() ?? modelFiles(SIZE), mischief);
      const fetching = fetchModel(ID, { ...options(hub, cache, { token: TOKEN }), ...more });
      if (ends === "good") await fetching;
      else await assert.rejects(fetching, fails(...ends));
      const unfinished = await inspect(cache, hub);
      if (ends === "good") assert.deepEqual(unfinished, []);
      assert.ok(hub.seen.length <= most, `${hub.seen.length} requests`);
      for (const { kind, headers } of hub.seen) {
        if (kind === "cdn") assert.ok(!JSON.stringify([...headers]).includes(TOKEN));
      }
      const found = await cachedModel(ID, options(hub, cache));
      assert.equal(found !== undefined, ends === "good");
      if (files) return;
      // Whatever was left behind, an honest hub mends it.
      await using honest = new FakeHub(modelFiles(SIZE));
      await fetchModel(ID, options(honest, cache));
      assert.deepEqual(await inspect(cache, honest), []);
      assert.ok(await cachedModel(ID, options(honest, cache)));
    }));
}

Deno.test("an honest hub: the wanted files, by commit, in the layout that Python's library reads", () =>
  inCache(async (cache) => {
    await using hub = new FakeHub();
    const seen: string[] = [];
    const model = await fetchModel(ID, {
      ...options(hub, cache),
      onProgress: ({ file, done, size }) => done === size && seen.push(file),
    });
    assert.deepEqual(seen, ["config.json", "generation_config.json", "tokenizer.json", WEIGHTS]);
    assert.equal(model.folder, `${cache}/models--someone--small-gpt2/snapshots/${COMMIT}`);
    assert.equal(model.commit, COMMIT);
    assert.equal(
      await Deno.readTextFile(`${cache}/models--someone--small-gpt2/refs/main`),
      COMMIT,
    );
    const blob = `../../blobs/${sha256(hub.files.get(WEIGHTS)!)}`;
    assert.equal(await Deno.readLink(`${model.folder}/${WEIGHTS}`), blob);
    assert.equal(hub.count("get", "README.md"), 0);
    assert.match(
      fetchedLine(model),
      /^someone\/small-gpt2@main \(commit 0123.*\) from http:.*: 4 files of 0\.1 MB, 0\.1 MB of it downloaded now, in /,
    );
    // What is there is checked, not fetched again.
    const again = await fetchModel(ID, options(hub, cache));
    assert.ok(again.files.every(({ arrived }) => arrived === 0));
    assert.equal(hub.count("cdn"), 1);
    assert.deepEqual(await inspect(cache, hub), []);
  }));

Deno.test("a download cut off at every tenth goes on where it was, and asks for no byte twice", () =>
  inCache(async (cache) => {
    const asked: string[] = [];
    await using hub = new FakeHub(modelFiles(SIZE), ({ kind, headers, hub }) => {
      if (kind !== "cdn") return undefined;
      asked.push(headers.get("range") ?? "");
      return cut(honestWeights(hub, headers, '"one"'), SIZE / 10);
    });
    const { files } = await fetchModel(ID, options(hub, cache, { tries: 10 }));
    assert.deepEqual(asked, ["", ...Array.from({ length: 9 }, (_, i) => `bytes=${i + 1}0000-`)]);
    assert.equal(files.find(({ name }) => name === WEIGHTS)!.arrived, SIZE);
    assert.deepEqual(await inspect(cache, hub), []);
  }));

Deno.test("tries that bring a megabyte each do not count", () =>
  inCache(async (cache) => {
    const part = 1_100_000;
    await using hub = new FakeHub(
      modelFiles(6 * part),
      weights((_, hub, headers) => cut(honestWeights(hub, headers, '"one"'), part)),
    );
    await fetchModel(ID, options(hub, cache, { tries: 2 }));
    assert.equal(hub.count("cdn"), 6);
    // Starting over is no progress.
    await Deno.remove(cache, { recursive: true });
    await using fickle = new FakeHub(
      modelFiles(6 * part),
      weights((count, hub, headers) => cut(honestWeights(hub, headers, `"${count}"`), 2 * part)),
    );
    const fetching = fetchModel(ID, options(fickle, cache, { tries: 3 }));
    await assert.rejects(fetching, fails("unreachable", /Gave up after 3 tries/));
    assert.ok(fickle.count("cdn") <= 5, `${fickle.count("cdn")} tries`);
  }));

Deno.test("what an earlier process left is gone on with; damaged, it is thrown away", () =>
  inCache(async (cache) => {
    const files = modelFiles(SIZE);
    const bytes = files.get(WEIGHTS)!;
    const left = `${blobs(cache)}/${sha256(bytes)}.earlier.incomplete`;
    const cases: [Uint8Array, number][] = [
      [bytes.subarray(0, 60_000), 40_000],
      [bytes, 0], // killed before the rename
      [noise(60_000, 9), SIZE + 40_000],
      [noise(SIZE + 5, 9), SIZE],
      [new Uint8Array(0), SIZE],
    ];
    for (const [found, arrives] of cases) {
      await using hub = new FakeHub(files);
      await Deno.mkdir(blobs(cache), { recursive: true });
      await Deno.writeFile(left, found);
      const model = await fetchModel(ID, options(hub, cache, { tries: 2 }));
      assert.equal(model.files.find(({ name }) => name === WEIGHTS)!.arrived, arrives);
      assert.deepEqual(await inspect(cache, hub), []);
      await Deno.remove(`${cache}/models--someone--small-gpt2`, { recursive: true });
    }
  }));

Deno.test("a bad file that stands in the cache already is replaced", () =>
  inCache(async (cache) => {
    await using hub = new FakeHub(modelFiles(SIZE));
    const { folder } = await fetchModel(ID, options(hub, cache));
    await Deno.writeFile(`${blobs(cache)}/${sha256(hub.files.get(WEIGHTS)!)}`, noise(SIZE, 4));
    await Deno.remove(`${folder}/config.json`);
    await Deno.writeTextFile(`${folder}/config.json`, "{}");
    await assert.rejects(inspect(cache, hub));
    await fetchModel(ID, options(hub, cache));
    assert.deepEqual(await inspect(cache, hub), []);
  }));

Deno.test("the token reaches the hub's own origin, and no other host, nor the hub by way of one", () =>
  inCache(async (cache) => {
    for (const code of [301, 302, 303, 307, 308]) {
      await using hub = new FakeHub(modelFiles(SIZE), ({ kind, name, count, headers, hub }) => {
        if (kind === "get" && name === WEIGHTS && count === 2) return honestWeights(hub, headers);
        if (kind === "cdn") return status(code, { location: `${hub.endpoint}/x/${name}` });
        // A small file by way of a relative redirect, which keeps the token.
        if (kind === "get" && name === "config.json" && count === 1) {
          return status(code, { location: `/moved/${name}` });
        }
      });
      await fetchModel(ID, options(hub, cache, { token: ` ${TOKEN}\n` }));
      let shown = 0;
      for (const { kind, name, headers } of hub.seen) {
        const told = JSON.stringify([...headers]).includes(TOKEN);
        const returned = name === WEIGHTS && kind === "get" &&
          headers ===
            hub.seen.findLast((one) => one.kind === "get" && one.name === WEIGHTS)!.headers;
        assert.equal(told, kind !== "cdn" && !returned, `${kind} ${name}`);
        if (told) shown++;
      }
      assert.equal(hub.count("get", "config.json"), 2);
      assert.equal(hub.count("get", WEIGHTS), 2);
      assert.equal(shown, hub.seen.length - 2);
      await Deno.remove(`${cache}/models--someone--small-gpt2`, { recursive: true });
    }
  }));

Deno.test("a redirect from https to http is not followed", () =>
  inCache(async (cache) => {
    await using hub = new FakeHub();
    const hosts: string[] = [];
    const secure: typeof fetch = (input, init) => { // https ends here, as at a proxy that speaks it
      const url = new URL(String(input));
      hosts.push(url.origin);
      return fetch(url.origin === "https://hub.test" ? hub.endpoint + url.pathname : url, init);
    };
    const fetching = fetchModel(ID, {
      ...options({ endpoint: "https://hub.test" }, cache, { token: TOKEN }),
      fetch: secure,
    });
    await assert.rejects(fetching, fails("answer", /redirects from https to http/));
    assert.deepEqual([...new Set(hosts)], ["https://hub.test"]);
    const open = fetchModel(ID, options({ endpoint: "http://hub.test" }, cache, { token: TOKEN }));
    await assert.rejects(
      open,
      fails("refused", /Cannot send a token to http:\/\/hub\.test as http/),
    );
  }));

Deno.test("a host that is named as the token stands in no message, in any case of its letters", () =>
  inCache(async (cache) => {
    const token = "hf-CanaryX.1", fails = new TypeError("no host hf-canaryx.1.example.com");
    const to = (location: string) => new Response(null, { status: 302, headers: { location } });
    const named = "https://hf-canaryx.1.example.com/";
    const broken = () => {
      const body = new ReadableStream({ pull: (stream) => stream.error(fails) });
      return Promise.resolve(new Response(body));
    };
    const denied = Object.assign(new Error("no"), { name: "NotCapable" });
    const cases: [string, () => Promise<Response>, RegExp][] = [
      [
        "http://HF-CanaryX.1.example.com/",
        broken,
        /from https to http, on \[token\]\.example\.com, where/,
      ],
      ["https://u:p@hf-canaryx.1.example.com/", broken, /a password in it, on \[token\]\.example/],
      ["hf-canaryx.1:x", broken, /redirects to \[token\]:$/],
      [
        named,
        () => Promise.reject(fails),
        /reach https:\/\/\[token\]\.example\.com: no host \[token\]/,
      ],
      [named, () => Promise.reject(denied), /--allow-net=\[token\]\.example\.com/],
      [named, broken, /download from https:\/\/\[token\]\.example\.com as .*no host \[token\]/],
      [named, () => Promise.resolve(to(named)), /followed: \[token\]\.example\.com gives another/],
      [named, () => Promise.resolve(to("")), /as \[token\]\.example\.com redirects to no address/],
      ...[403, 404, 500, 418].map((code): typeof cases[number] => [
        named,
        () => Promise.resolve(new Response(null, { status: code })),
        /\[token\]\.example\.com/,
      ]),
    ];
    for (const [location, then, says] of cases) {
      const steps: string[] = [];
      const fetching = fetchModel(ID, {
        ...options({ endpoint: "https://hub.test" }, cache, { token, tries: 2 }),
        onStep: (line) => steps.push(line),
        fetch: (input) =>
          new URL(String(input)).host === "hub.test" ? Promise.resolve(to(location)) : then(),
      });
      await assert.rejects(fetching, (error) => {
        assert.match(String(error), says);
        return !/canary/i.test(String(error) + steps.join());
      }, location);
    }
  }));

Deno.test("whom is asked is said at once, and why it is asked again", () =>
  inCache(async (cache) => {
    await using hub = new FakeHub(
      undefined,
      ({ kind, count }) =>
        kind === "api" && count < 3 ? new Response(null, { status: 503 }) : undefined,
    );
    const lines: string[] = [];
    await fetchModel(ID, options(hub, cache, { onStep: (line) => lines.push(line) }));
    assert.equal(lines[0], `asking ${hub.endpoint} for ${ID}@main`);
    assert.equal(lines.length, 3);
    assert.match(lines[1], /it has trouble \(503\)\. Trying again in .* s \(2 of \d+\)$/);
  }));

Deno.test("offline opens no connection", () =>
  inCache(async (cache) => {
    await using hub = new FakeHub();
    const offline = options(hub, cache, { offline: true });
    await assert.rejects(fetchModel(ID, offline), fails("offline", /HF_HUB_OFFLINE is set/));
    assert.equal(hub.seen.length, 0);
    const { folder } = await fetchModel(ID, options(hub, cache));
    const before = hub.seen.length;
    assert.equal((await fetchModel(ID, offline)).folder, folder);
    assert.equal((await fetchModel(`${ID}@${COMMIT}`, offline)).folder, folder);
    await assert.rejects(fetchModel(`${ID}@other`, offline), fails("offline", /other/));
    assert.equal(hub.seen.length, before);
    for (const name of ["tokenizer.json", WEIGHTS, "config.json"]) { // not all of it is none of it
      await Deno.rename(`${folder}/${name}`, `${folder}/${name}-`);
      assert.equal(await cachedModel(ID, offline), undefined);
      await Deno.rename(`${folder}/${name}-`, `${folder}/${name}`);
    }
  }));

Deno.test("weights in shards, a vocabulary with merges, and a revision with a slash", () =>
  inCache(async (cache) => {
    const index = {
      weight_map: { a: "model-1.safetensors", b: "model-2.safetensors", c: "model-1.safetensors" },
    };
    const files = new Map([
      ["config.json", noise(9)],
      ["vocab.json", noise(10)],
      ["merges.txt", noise(11)],
      [`${WEIGHTS}.index.json`, new TextEncoder().encode(JSON.stringify(index))],
      ["model-1.safetensors", noise(1000)],
      ["model-2.safetensors", noise(0)],
      ["pytorch_model.bin", noise(5)],
    ]);
    await using hub = new FakeHub(files);
    const model = await fetchModel(`${ID}@refs/pr/1`, options(hub, cache));
    const names = (await Array.fromAsync(Deno.readDir(model.folder))).map(({ name }) => name)
      .sort();
    assert.deepEqual(names, [...files.keys()].filter((name) => !/bin$/.test(name)).sort());
    assert.deepEqual(await inspect(cache, hub), []);
    assert.equal((await cachedModel(`${ID}@refs/pr/1`, options(hub, cache)))!.folder, model.folder);
    await Deno.remove(`${model.folder}/model-2.safetensors`);
    assert.equal(await cachedModel(`${ID}@refs/pr/1`, options(hub, cache)), undefined);
  }));

Deno.test("what a sentence encoder says of itself comes too, in its folders", () =>
  inCache(async (cache) => {
    const files = new Map([
      ...modelFiles(1000),
      ["sentence_bert_config.json", noise(12)],
      ["1_Pooling/config.json", noise(13)],
      ["2_Dense/config.json", noise(14)],
    ]);
    await using hub = new FakeHub(files);
    const { folder } = await fetchModel(ID, options(hub, cache));
    for (const name of ["sentence_bert_config.json", "1_Pooling/config.json"]) {
      assert.deepEqual(await Deno.readFile(`${folder}/${name}`), files.get(name), name);
    }
    const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
    assert.ok(!names.includes("2_Dense"));
    const again = await fetchModel(ID, options(hub, cache));
    assert.ok(again.files.every(({ arrived }) => arrived === 0));
  }));

const OLD_NAMES: [old: string, now: string][] = [
  ["gpt2", "openai-community/gpt2"],
  ["gpt2-medium", "openai-community/gpt2-medium"],
  ["gpt2-large", "openai-community/gpt2-large"],
  ["gpt2-xl", "openai-community/gpt2-xl"],
  ["distilgpt2", "distilbert/distilgpt2"],
  [
    "distilbert-base-uncased-finetuned-sst-2-english",
    "distilbert/distilbert-base-uncased-finetuned-sst-2-english",
  ],
];

Deno.test("an old name without owner stands for the model's name of today, and the line says so", () =>
  inCache(async (cache) => {
    await using hub = new FakeHub();
    for (const [old, now] of OLD_NAMES) {
      assert.ok(isHubId(old) && isHubId(`${old}@refs/pr/1`), old);
      const model = await fetchModel(old, options(hub, cache));
      assert.equal(hub.seen.at(-1)!.repo, now);
      const home = `models--${now.replace("/", "--")}`;
      assert.equal(model.folder, `${cache}/${home}/snapshots/${COMMIT}`);
      const line = fetchedLine(model);
      assert.ok(line.startsWith(`${old} is now ${now}: ${now}@main (commit ${COMMIT}) from`), line);
      const cached = { given: old, id: now, revision: "main", commit: COMMIT };
      const found = await cachedModel(old, options(hub, cache));
      assert.deepEqual(found, { ...cached, folder: model.folder });
      assert.equal((await cachedModel(now, options(hub, cache)))!.folder, model.folder);
      // Python's library files it under the name that it was given.
      await Deno.rename(`${cache}/${home}`, `${cache}/models--${old}`);
      const folder = `${cache}/models--${old}/snapshots/${COMMIT}`;
      assert.deepEqual(await cachedModel(old, options(hub, cache)), { ...cached, folder });
      assert.equal(await cachedModel(now, options(hub, cache)), undefined);
    }
    assert.ok(hub.seen.every(({ repo }) => OLD_NAMES.some(([, now]) => repo === now)));
  }));

/** Runs `body` with these variables set, or unset where undefined, and no others of the hub's token. */
async function withEnvironment(
  values: Record<string, string | undefined>,
  body: () => Promise<void>,
): Promise<void> {
  const unset = {
    HF_TOKEN: undefined,
    HUGGING_FACE_HUB_TOKEN: undefined,
    HF_TOKEN_PATH: undefined,
    HF_HOME: undefined,
  };
  const all = Object.entries({ ...unset, XDG_CACHE_HOME: undefined, ...values });
  const before = all.map(([name]) => [name, Deno.env.get(name)] as const);
  const set = ([name, value]: readonly [string, string | undefined]): void =>
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  all.forEach(set);
  try {
    await body();
  } finally {
    before.forEach(set);
  }
}

Deno.test("the token that a login left is sent to the hub alone, unless HF_TOKEN is set", () =>
  inCache(async (folder) => {
    const cases: [file: string, variables: Record<string, string>, sent: string | undefined][] = [
      ["token", { HF_HOME: folder }, TOKEN],
      ["huggingface/token", { XDG_CACHE_HOME: folder }, TOKEN],
      [".cache/huggingface/token", { HOME: folder }, TOKEN],
      ["my-token", { HF_TOKEN_PATH: `${folder}/my-token`, HF_HOME: "/nowhere" }, TOKEN],
      ["my-token", { HF_TOKEN_PATH: "~/my-token", HOME: folder }, TOKEN],
      ["token", { HF_HOME: folder, HF_TOKEN: "hf_other" }, "hf_other"],
      ["token", { HF_HOME: folder, HUGGING_FACE_HUB_TOKEN: "hf_old" }, "hf_old"],
      ["token", { HF_HOME: folder, HF_TOKEN_PATH: `${folder}/none` }, undefined],
      ["other", { HF_HOME: folder }, undefined],
    ];
    for (const [file, variables, sent] of cases) {
      await using hub = new FakeHub();
      const path = `${folder}/${file}`;
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(path, `${TOKEN}\n`);
      await withEnvironment(variables, async () => {
        await fetchModel(ID, options(hub, `${folder}/cache`, { token: undefined }));
        for (const { kind, headers } of hub.seen) {
          const want = kind === "cdn" || !sent ? null : `Bearer ${sent}`;
          assert.equal(headers.get("authorization"), want, `${file} ${kind}`);
        }
        assert.ok(hub.count("cdn") > 0 && hub.count("get") > 0);
      });
      await Deno.remove(path);
      await Deno.remove(`${folder}/cache`, { recursive: true });
    }
  }));

Deno.test("a saved token that is refused or broken is named by its file, and never shown", () =>
  inCache(async (folder) => {
    const path = `${folder}/token`;
    await using hub = new FakeHub(modelFiles(), always("api", () => status(401)));
    const more = { token: undefined };
    await withEnvironment({ HF_HOME: folder }, async () => {
      await Deno.writeTextFile(path, TOKEN);
      const fetching = fetchModel(ID, options(hub, folder, more));
      await assert.rejects(fetching, fails("refused", /the token in \/.*\/token is valid/));
      const asked = hub.seen.length;
      await Deno.writeTextFile(path, `${TOKEN}\n${TOKEN}`);
      const broken = fetchModel(ID, options(hub, folder, more));
      await assert.rejects(
        broken,
        fails("refused", /Cannot use \/.*\/token as a token has no spaces/),
      );
      // Where anyone could read it on the way, a saved token stays here.
      const sent: (string | null)[] = [];
      const open = fetchModel(ID, {
        ...options({ endpoint: "http://hub.test" }, folder, more),
        fetch: (_, init) => {
          sent.push(new Headers(init?.headers).get("authorization"));
          return Promise.resolve(status(404));
        },
      });
      await assert.rejects(open, fails("missing", /no such model/));
      assert.deepEqual(sent, [null]);
      await Deno.remove(path);
      await Deno.mkdir(path);
      const folderInstead = fetchModel(ID, options(hub, folder, more));
      await assert.rejects(
        folderInstead,
        fails("refused", /Cannot read the token in \/.*\/token: /),
      );
      assert.equal(hub.seen.length, asked);
    });
  }));

const ADAPTER = "someone/adapter";

Deno.test("an adapter is fetched with the model that it is for", () =>
  inCache(async (cache) => {
    await using hub = new FakeHub();
    hub.repos.set(ADAPTER, adapterFiles("gpt2", COMMIT));
    const model = await fetchModel(ADAPTER, options(hub, cache));
    const files = await Array.fromAsync(Deno.readDir(model.folder), ({ name }) => name);
    assert.deepEqual(files.sort(), ["adapter_config.json", "adapter_model.safetensors"]);
    const { base } = model;
    assert.deepEqual([base!.id, base!.revision], ["openai-community/gpt2", COMMIT]);
    assert.ok((await Deno.stat(`${base!.folder}/${WEIGHTS}`)).isFile);
    assert.match(
      fetchedLine(model),
      /^someone\/adapter@main .* 2 files of 0\.0 MB, .*; an adapter for gpt2 is now openai-community\/gpt2: .*4 files/,
    );
    const cached = await cachedModel(ADAPTER, options(hub, cache));
    assert.deepEqual([cached!.folder, cached!.base!.folder], [model.folder, base!.folder]);
    const before = hub.seen.length;
    const offline = await fetchModel(ADAPTER, options(hub, cache, { offline: true }));
    assert.equal(offline.base!.folder, base!.folder);
    assert.match(fetchedLine(offline), /an adapter for gpt2 .* from the cache/);
    assert.equal(hub.seen.length, before);
    await Deno.remove(`${base!.folder}/${WEIGHTS}`);
    assert.equal(await cachedModel(ADAPTER, options(hub, cache)), undefined);
    await fetchModel(ADAPTER, options(hub, cache));
    assert.ok(await cachedModel(ADAPTER, options(hub, cache)));
  }));

Deno.test("a tokenizer beside an adapter is fetched, and a whole model needs no base", () =>
  inCache(async (cache) => {
    await using hub = new FakeHub();
    const tokenizer = ["tokenizer.json", noise(9)] as const;
    hub.repos.set(ADAPTER, new Map([...adapterFiles(ID), tokenizer]));
    const { folder, base } = await fetchModel(ADAPTER, options(hub, cache));
    assert.ok((await Deno.stat(`${folder}/tokenizer.json`)).isFile);
    assert.equal(base!.id, ID);
    hub.repos.set("someone/both", new Map([...modelFiles(), ...adapterFiles(42)]));
    const both = await fetchModel("someone/both", options(hub, cache));
    assert.equal(both.base, undefined);
    assert.ok((await Deno.stat(`${both.folder}/${WEIGHTS}`)).isFile);
  }));

Deno.test("an adapter that cannot be used says why, before its weights are fetched", () =>
  inCache(async (cache) => {
    await using hub = new FakeHub();
    const cases: [Map<string, Uint8Array<ArrayBuffer>>, RegExp][] = [
      [adapterFiles(null), /its adapter_config.json must name the model .* is null/],
      [adapterFiles(7), /base_model_name_or_path is missing/],
      [adapterFiles("/home/me/model"), /base_model_name_or_path is "\/home\/me\/model"/],
      [adapterFiles("../a"), /must name the model of the hub that it is for/],
      [
        new Map(
          [...adapterFiles(ID)].map(([name, data]) => [name.replace("safetensors", "bin"), data]),
        ),
        /no adapter_model.safetensors, only pickled .* import AutoPeftModelForCausalLM as M; .*'someone\/adapter', revision='main'/,
      ],
      [
        new Map([...adapterFiles(ID)].slice(0, 1)),
        /someone\/adapter as it has no adapter_model.safetensors$/,
      ],
    ];
    for (const [files, message] of cases) {
      hub.repos.set(ADAPTER, files);
      await Deno.remove(cache, { recursive: true });
      const fetching = fetchModel(ADAPTER, options(hub, cache));
      await assert.rejects(fetching, fails("unsupported", message));
      assert.equal(hub.count("cdn"), 0);
      assert.equal(
        await cachedModel(ADAPTER, options(hub, cache)).catch(() => undefined),
        undefined,
      );
    }
    hub.repos.set(ADAPTER, adapterFiles(ADAPTER)); // for itself
    const fetching = fetchModel(ADAPTER, options(hub, cache));
    await assert.rejects(
      fetching,
      fails(
        "unsupported",
        /someone\/adapter as its base someone\/adapter is an adapter itself: merge/,
      ),
    );
    await Deno.mkdir(`${cache}/models--someone--adapter/refs`, { recursive: true });
    await Deno.writeTextFile(`${cache}/models--someone--adapter/refs/main`, COMMIT);
    assert.equal(await cachedModel(ADAPTER, options(hub, cache)), undefined);
  }));

Deno.test("names that are no model of a hub are refused before any request", async () => {
  const good = ["a/b", "openai-community/gpt2", "EleutherAI/gpt-neo-125M@main", "a/b@refs/pr/1"];
  for (const name of good) assert.ok(isHubId(name), name);
  const bad = [
    "gpt3",
    "gpt2@",
    "a/b/c",
    "/a/b",
    "./a",
    "a/..",
    "../b",
    "a/.b",
    "a/b@",
    "a/b@../c",
    "a/b@c@d",
  ];
  bad.push(
    "a/b@x/../y",
    "a/b?x",
    "a/b#x",
    "a/b%2f",
    "a b/c",
    "a/b--c",
    "a/b@c/",
    "a/b\n",
    "a/b@x//y",
  );
  for (const name of bad) {
    assert.ok(!isHubId(name), name);
    await assert.rejects(fetchModel(name, { cache: "/nowhere" }), fails("name", /is owner\/name/));
  }
  for (const endpoint of ["huggingface.co", "ftp://x", "https://u:p@x", "https://x?key=1"]) {
    const fetching = fetchModel("a/b", { cache: "/nowhere", offline: false, endpoint });
    await assert.rejects(fetching, fails("name", /HF_ENDPOINT as it must be an address/));
  }
});

Deno.test("a download that is aborted ends with the reason, and is gone on with later", () =>
  inCache(async (cache) => {
    await using hub = new FakeHub(
      modelFiles(SIZE),
      weights((count, hub, headers) =>
        count === 1 ? cut(honestWeights(hub, headers), SIZE / 2) : undefined
      ),
    );
    const stop = new AbortController();
    const fetching = fetchModel(ID, {
      ...options(hub, cache, { pause: 60_000 }),
      signal: stop.signal,
      onProgress: ({ done }) => {
        if (done >= SIZE / 2) setTimeout(() => stop.abort(new Error("enough")), 100);
      },
    });
    await assert.rejects(fetching, /^Error: enough$/);
    const { files } = await fetchModel(ID, options(hub, cache));
    assert.equal(files.find(({ name }) => name === WEIGHTS)!.arrived, SIZE / 2);
    assert.deepEqual(await inspect(cache, hub), []);
  }));

Deno.test("eight processes fetch one model while three of them are killed", () =>
  inCache(async (cache) => {
    const size = 4_000_000;
    await using hub = new FakeHub(
      modelFiles(size),
      weights((_, hub, headers) => {
        const whole = honestWeights(hub, headers);
        const from = hub.files.get(WEIGHTS)!.length - Number(whole.headers.get("content-length"));
        return slow(whole, hub.files.get(WEIGHTS)!.subarray(from));
      }),
    );
    const children = Array.from({ length: 8 }, () =>
      new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--no-check",
          "--no-prompt",
          `--allow-read`,
          `--allow-write=${cache}`, // without the right to make symbolic links
          "--allow-net=127.0.0.1",
          fileURLToPath(new URL("./_fetcher.ts", import.meta.url)),
          hub.endpoint,
          cache,
        ],
        stdout: "piped",
        stderr: "piped",
      }).spawn());
    const ended = await Promise.all(children.map(async (child, i) => {
      const errors = new Response(child.stderr).text();
      for await (const _ of child.stdout) if (i < 3) child.kill("SIGKILL");
      return { ...await child.status, said: await errors };
    }));
    for (const [i, { signal, success, said }] of ended.entries()) {
      if (i < 3) assert.equal(signal, "SIGKILL", "ended by itself");
      else assert.ok(success, said);
    }
    await inspect(cache, hub);
    const before = hub.count("cdn");
    await fetchModel(ID, options(hub, cache));
    assert.equal(hub.count("cdn"), before); // it was there
    assert.deepEqual(await inspect(cache, hub), []); // and nothing of the killed ones is
  }));

/** The same answer in about a second. */
function slow(response: Response, bytes: Uint8Array): Response {
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise((done) => setTimeout(done, 10));
      controller.enqueue(bytes.subarray(at, at += 40_000));
      if (at >= bytes.length) controller.close();
    },
  }, { highWaterMark: 0 });
  return new Response(body, { status: response.status, headers: response.headers });
}

Deno.test("damage left by an earlier process is not held against the hub", () =>
  inCache(async (cache) => {
    const files = modelFiles(SIZE);
    await using hub = new FakeHub(
      files,
      weights((count) => count === 1 ? new Response(noise(SIZE, 7)) : undefined),
    );
    await Deno.mkdir(blobs(cache), { recursive: true });
    const left = `${blobs(cache)}/${sha256(files.get(WEIGHTS)!)}.earlier.incomplete`;
    await Deno.writeFile(left, noise(SIZE, 9));
    await fetchModel(ID, options(hub, cache));
    assert.equal(hub.count("cdn"), 2);
    assert.deepEqual(await inspect(cache, hub), []);
  }));

Deno.test("the rest of a file under another etag is not even read", () =>
  inCache(async (cache) => {
    await using hub = new FakeHub(
      modelFiles(SIZE),
      weights((count, hub, headers) => {
        if (count === 1) return half(hub);
        const heedless = new Headers(headers);
        heedless.delete("if-range");
        return honestWeights(hub, heedless, '"two"');
      }),
    );
    const { files } = await fetchModel(ID, options(hub, cache));
    assert.equal(files.find(({ name }) => name === WEIGHTS)!.arrived, SIZE / 2 + SIZE);
  }));
