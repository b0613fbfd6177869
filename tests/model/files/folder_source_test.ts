import assert from "node:assert/strict";
import { CpuDevice } from "../../../kernels/devices/cpu.ts";
import { checksums } from "../../../model/files/checksum.ts";
import { denoFolder, splitPath } from "../../../model/files/deno_folder.ts";
import { loadSentenceEmbedder } from "../../../model/files/encoder_folder.ts";
import {
  type FolderSource,
  hasFile,
  pathIn,
  readJson,
} from "../../../model/files/folder_source.ts";
import { loadGpt2 } from "../../../model/files/gpt2_folder.ts";
import { openTensors } from "../../../model/files/safetensors.ts";
import { loadTokenizer } from "../../../model/files/tokenizer_file.ts";
import { urlFolder } from "../../../model/files/url_folder.ts";
import { languageModelRows } from "../../../model/rows.ts";
import { modelFolder } from "../../_fixtures.ts";
import { withFolder } from "../../_folder.ts";

const FIXTURES = modelFolder("gpt2-b").replace(/\/[^/]*$/, "");

/** A server on the loopback; its address has no slash at the end. */
function serve(answer: (request: Request) => Response | Promise<Response>) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Bytes of the range that a request asks for, from 0 on; all of them where it asks for none. */
function rangeOf(request: Request, size: number): [begin: number, end: number] {
  const [, begin, end] = request.headers.get("range")?.match(/^bytes=(\d+)-(\d+)$/) ?? [];
  return begin === undefined ? [0, size] : [Number(begin), Math.min(Number(end) + 1, size)];
}

/** Answers as a server with ranges does; `headers` come on top. */
function ranged(
  request: Request,
  bytes: Uint8Array,
  headers: Record<string, string> = {},
): Response {
  const [begin, end] = rangeOf(request, bytes.length);
  if (bytes.length === 0) {
    return new Response(null, { status: 416, headers: { "content-range": "bytes */0" } });
  }
  const range = `bytes ${begin}-${end - 1}/${bytes.length}`;
  const part = bytes.slice(begin, end);
  return new Response(part, { status: 206, headers: { ...headers, "content-range": range } });
}

/** Serves the fixtures, with ranges or without. */
const serveFixtures = (hasRanges: boolean, seen: string[] = []) =>
  serve(async (request) => {
    const { pathname } = new URL(request.url);
    seen.push(pathname);
    const bytes = await Deno.readFile(FIXTURES + pathname).catch(() => undefined);
    if (!bytes) return new Response("none", { status: 404 });
    const isPart = hasRanges && request.headers.has("range");
    return isPart ? ranged(request, bytes) : new Response(bytes);
  });

async function readAll(folder: FolderSource, name: string, block: number): Promise<Uint8Array> {
  using file = await folder.openRange(name);
  assert.ok(file);
  const all = new Uint8Array(file.size);
  for (let at = 0; at < all.length; at += block) {
    const part = new Uint8Array(Math.min(block, all.length - at));
    assert.equal(await file.read(part, at), part.length);
    all.set(part, at);
  }
  return all;
}

for (const hasRanges of [true, false]) {
  const how = hasRanges ? "in ranges" : "as a whole";
  Deno.test(`a folder of the web, read ${how}, has the bytes of the folder on disk`, async () => {
    await using server = serveFixtures(hasRanges);
    const disk = denoFolder(modelFolder("gpt2-c")), web = urlFolder(`${server.url}/gpt2-c`);
    const name = "model.safetensors";
    const want = await Deno.readFile(pathIn(disk, name));
    for (const folder of [disk, web]) {
      assert.deepEqual(await readAll(folder, name, 7000), want);
      using file = await folder.openRange(name);
      assert.equal(file!.size, want.length);
      const end = new Uint8Array(9);
      assert.equal(await file!.read(end, want.length - 5), 5); // as far as the file goes
      assert.deepEqual(end.subarray(0, 5), want.subarray(-5));
      assert.equal(await file!.read(end, want.length + 5), 0);
      assert.equal(await file!.read(end, 3), 9); // and back again
      assert.deepEqual(end, want.subarray(3, 12));
      assert.deepEqual(
        await readJson(folder, "config.json"),
        JSON.parse(
          await Deno.readTextFile(pathIn(disk, "config.json")),
        ),
      );
      assert.equal(await folder.readText("none.json"), undefined);
      assert.equal(await folder.openRange("none.json"), undefined);
      assert.equal(await hasFile(folder, name), true);
      assert.equal(await hasFile(folder, "none"), false);
    }
    assert.equal(pathIn(web, name), `${server.url}/gpt2-c/${name}`);
  });

  Deno.test(`models, shards, adapters, encoders and tokenizers load from the web ${how}`, async () => {
    await using server = serveFixtures(hasRanges);
    using device = new CpuDevice();
    const rows = languageModelRows([[1, 2, 3, 4], [5, 6]]);
    for (const name of ["gpt2-b", "family-neo", "lora-b"]) {
      using web = await loadGpt2(device, urlFolder(`${server.url}/${name}/`), { frozen: true });
      using disk = await loadGpt2(device, modelFolder(name), { frozen: true });
      assert.deepEqual(await web.logits(rows), await disk.logits(rows), name);
    }
    const bert = urlFolder(`${server.url}/bert-a`);
    using web = await loadSentenceEmbedder(device, bert);
    using disk = await loadSentenceEmbedder(device, modelFolder("bert-a"));
    assert.deepEqual(await web.embed(["the red sun"]), await disk.embed(["the red sun"]));
    const tokenizer = await loadTokenizer(urlFolder(`${server.url}/family-dialogpt`)); // vocab, merges
    const same = await loadTokenizer(modelFolder("family-dialogpt"));
    assert.deepEqual(tokenizer.encode("The sea is"), same.encode("The sea is"));
  });
}

Deno.test("a megabyte of a file is asked for at a time, and held", async () => {
  const bytes = new Uint8Array(2.5 * 2 ** 20).map((_, i) => i % 251);
  const asked: string[] = [];
  await using server = serve((request) => {
    asked.push(request.headers.get("range") ?? "all");
    return ranged(request, bytes);
  });
  assert.deepEqual(await readAll(urlFolder(server.url), "x", 100_000), bytes);
  assert.deepEqual(asked, ["bytes=0-1048575", "bytes=1048576-2097151", "bytes=2097152-2621439"]);
});

Deno.test("an empty file is empty, with ranges and without", async () => {
  for (
    const answer of [ranged, (_: Request, bytes: Uint8Array<ArrayBuffer>) => new Response(bytes)]
  ) {
    await using server = serve((request) => answer(request, new Uint8Array(0)));
    using file = await urlFolder(server.url).openRange("x");
    assert.equal(file?.size, 0);
    assert.equal(await file?.read(new Uint8Array(4), 0), 0);
    await assert.rejects(openTensors(urlFolder(server.url), "x"), {
      name: "SafetensorsError",
      message: /needs 8 bytes of header length: it has 0 \(http:.*\/x\)/,
    });
  }
});

const bytes = new Uint8Array(3 * 2 ** 20);
const parts = (body: BodyInit, range: string) =>
  new Response(body, { status: 206, headers: { "content-range": range } });
let turn = 0;

const WRONG: [string, (request: Request) => Response, RegExp][] = [
  ["is in trouble", () => new Response("", { status: 503 }), /must give the file: it answers 503/],
  ["refuses", () => new Response("", { status: 403 }), /must give the file: it answers 403/],
  [
    "sends more than was asked for",
    () => parts(bytes, "bytes 0-9/10"),
    /10 bytes was asked for: more/,
  ],
  ["sends less", () => parts("abc", "bytes 0-9/10"), /a part of 10 bytes was asked for: 3 came/],
  [
    "never says which part",
    () => parts("abc", "bytes 1/2/3"),
    /must give the file: it answers 206/,
  ],
  [
    "changes the file",
    (request) => ranged(request, bytes, { etag: `"${turn++}"` }),
    /the file must stay as it is: it changed meanwhile/,
  ],
  [
    "makes the file shorter",
    (request) => ranged(request, bytes.subarray(0, bytes.length - turn++)),
    /the file must stay as it is: it changed meanwhile/,
  ],
  [
    "stops giving ranges",
    (request) => turn++ === 0 ? ranged(request, bytes) : new Response(bytes),
    /the file must stay as it is: it changed meanwhile/,
  ],
];
for (const [name, answer, message] of WRONG) {
  Deno.test(`a server that ${name} is said by its address`, async () => {
    turn = 0;
    await using server = serve(answer);
    const folder = urlFolder(server.url);
    await assert.rejects(() => readAll(folder, "x", 2 ** 20), (error: Error) => {
      assert.match(error.message, message);
      assert.match(error.message, /^Cannot read http:\/\/127.0.0.1:\d+\/x as /);
      return true;
    });
  });
}

Deno.test("an adapter on the web finds its base beside it, and on no other server", async () => {
  const asked: string[] = [];
  await using server = serveFixtures(true, asked);
  await using other = serveFixtures(true, asked);
  const folder = urlFolder(`${server.url}/lora-b`);
  const found = await folder.named("../gpt2-b");
  assert.equal("path" in found && found.path, `${server.url}/gpt2-b`);
  const before = asked.length;
  for (
    const name of [`${other.url}/gpt2-b`, `//${new URL(other.url).host}/gpt2-b`, "file:///etc"]
  ) {
    const missing = await folder.named(name);
    assert.match(
      "missing" in missing ? missing.missing : "",
      /is not on http:.* beside the adapter/,
    );
  }
  assert.equal(asked.length, before); // nothing was asked of anyone
  const none = await folder.named("none");
  assert.match("missing" in none ? none.missing : "", /"none" is not on http/);
});

Deno.test("names in a folder: those on disk, those that are stated for the web", async () => {
  await withFolder(async (folder) => {
    for (const name of ["b", "a"]) await Deno.writeTextFile(`${folder}/${name}`, name);
    assert.deepEqual(await denoFolder(folder).list(), ["a", "b"]);
  });
  const url = "http://127.0.0.1:1/x";
  assert.deepEqual(await urlFolder(url, { names: ["b", "a"] }).list(), ["a", "b"]);
  await assert.rejects(urlFolder(url).list(), /a server gives no names: state them/);
  assert.throws(() => urlFolder("file:///etc/"), { name: "TypeError", message: /begin with http/ });
});

Deno.test("checksums() are SHA-256 of whole files, by name", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/b.txt`, "abc");
    await Deno.writeTextFile(`${folder}/a.txt`, "");
    await Deno.writeFile(`${folder}/large.txt`, new Uint8Array(2 ** 20 + 1));
    await Deno.writeTextFile(`${folder}/other`, "abc");
    const found = await checksums(denoFolder(folder), (name) => name.endsWith(".txt"));
    assert.deepEqual(Object.keys(found), ["a.txt", "b.txt", "large.txt"]);
    assert.match(found["a.txt"], /^e3b0c44298fc1c14.*52b855$/);
    assert.match(found["b.txt"], /^ba7816bf8f01cfea.*f20015ad$/);
    const whole = await crypto.subtle.digest("SHA-256", new Uint8Array(2 ** 20 + 1));
    assert.equal(found["large.txt"], new Uint8Array(whole).toHex());
  });
});

Deno.test("a path is parted into folder and file on every system", () => {
  const parted = (path: string) => {
    const { folder, name } = splitPath(path);
    return [folder.path, name, pathIn(folder, name)];
  };
  assert.deepEqual(parted("a/b.json"), ["a", "b.json", "a/b.json"]);
  assert.deepEqual(parted("b.json"), ["", "b.json", "b.json"]);
  assert.deepEqual(parted("/b.json").slice(1, 2), ["b.json"]);
  assert.deepEqual(parted("C:\\a\\b.json").slice(0, 2), ["C:\\a", "b.json"]);
});
