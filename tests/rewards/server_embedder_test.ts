import assert from "node:assert/strict";
import { openRewards } from "../../experiment/rewards.ts";
import { openServerEmbedder } from "../../rewards/embeddings/server.ts";
import { readVectors, textVector, vectorText } from "../../rewards/embeddings/vectors.ts";
import { tableParent } from "../../rewards/parents/table.ts";
import { AnswerCache } from "../../rewards/servers/cache.ts";
import { AnswerError, OutageError } from "../../rewards/servers/errors.ts";
import { Servers } from "../../rewards/servers/servers.ts";
import { colors } from "../../tasks/colors.ts";
import { type FakeOptions, FakeServer } from "./_server.ts";
import { batch } from "./_words.ts";

/** A text's direction: letters count, their order does not. */
const vectorOf = (text: string): number[] => {
  const at = [0, 0, 0.25];
  for (const letter of text) at[letter.charCodeAt(0) % 2] += 1;
  return at;
};
const data = (texts: readonly string[]) =>
  texts.map((text, index) => ({ object: "embedding", index, embedding: vectorOf(text) }));
/** Its list is in another order than the texts. */
const honest: FakeOptions = { embeddings: (texts) => ({ data: data(texts).reverse() }) };

const open = (fake: FakeServer, limits = {}, access = {}) =>
  openServerEmbedder(
    fake.url,
    "e",
    new Servers(access, { serverPause: 0.001, serverRetries: 1, ...limits }),
  );

Deno.test("a server's vectors go to their own texts, each asked for once, 32 to a request", async () => {
  await using fake = await FakeServer.open(honest);
  const embedder = await open(fake);
  assert.deepEqual([embedder.name, embedder.dimensions], [`e at ${fake.url}`, 3]);
  assert.deepEqual(fake.seen[0].body, {
    model: "e",
    input: ["dimensions"],
    encoding_format: "float",
  });
  assert.equal(fake.seen[0].path, "/v1/embeddings");
  const texts = Array.from({ length: 70 }, (_, i) => "ab".repeat(i) + "a".repeat(i % 7 + 1));
  const vectors = await embedder.embed([...texts, ` ${texts[3]}\n`, "", "  "]);
  texts.forEach((text, i) => assert.deepEqual([...vectors[i]!], vectorOf(text)));
  assert.deepEqual(vectors[70], vectors[3]); // white space around a text does not count
  assert.deepEqual(vectors.slice(71), [null, null]);
  assert.deepEqual(fake.seen.slice(1).map(({ body }) => body.input.length), [32, 32, 6]);
  assert.deepEqual(await embedder.embed(texts.slice(0, 9)), vectors.slice(0, 9));
  assert.equal(fake.seen.length, 4);
  await embedder.embed([]);
  assert.equal(fake.seen.length, 4);
});

const one = { index: 0, embedding: [1, 2] }, other = { index: 1, embedding: [3, 4] };
const FAULTY: [unknown, RegExp][] = [
  [null, /there is no list of them$/],
  [{ data: {} }, /there is no list of them$/],
  [{ data: [one] }, /1 came for 2 texts$/],
  [{ data: [one, other, { index: 2, embedding: [5, 6] }] }, /3 came for 2 texts$/],
  [{ data: [one, null] }, /one has no place$/],
  [{ data: [one, { embedding: [3, 4] }] }, /one has no place$/],
  [{ data: [one, { index: 2, embedding: [3, 4] }] }, /one has no place$/],
  [{ data: [one, { index: -1, embedding: [3, 4] }] }, /one has no place$/],
  [{ data: [one, { index: 0.5, embedding: [3, 4] }] }, /one has no place$/],
  [{ data: [one, { index: "1", embedding: [3, 4] }] }, /one has no place$/],
  [{ data: [one, { index: 0, embedding: [3, 4] }] }, /two are of text 0$/],
  [{ data: [one, { index: 1, embedding: [3] }] }, /one has 1 numbers, others 2$/],
  [{ data: [one, { index: 1, embedding: [3, 4, 5] }] }, /one has 3 numbers, others 2$/],
  [{ data: [one, { index: 1, embedding: [] }] }, /one is no finite numbers$/],
  [{ data: [one, { index: 1, embedding: [3, null] }] }, /one is no finite numbers$/],
  [{ data: [one, { index: 1, embedding: [3, "NaN"] }] }, /one is no finite numbers$/],
  [{ data: [one, { index: 1, embedding: [3, NaN] }] }, /one is no finite numbers$/],
  [{ data: [one, { index: 1, embedding: [3, 1e39] }] }, /one is no finite numbers$/], // in 32 bits
  [{ data: [one, { index: 1, embedding: "AAAA" }] }, /one is no finite numbers$/],
];

Deno.test("readVectors() takes an answer whole, or nothing of it", () => {
  assert.deepEqual(readVectors({ data: [other, one] }, 2, 2).map((x) => [...x]), [[1, 2], [3, 4]]);
  for (const [answer, rule] of FAULTY) {
    assert.throws(() => readVectors(answer, 2), (error) => {
      assert.ok(error instanceof AnswerError && error.fault.retry === true);
      assert.match(error.message, rule);
      return true;
    });
  }
  assert.throws(() => readVectors({ data: [one, other] }, 2, 3), /one has 2 numbers, others 3$/);
});

Deno.test("a vector as text is the same bits; what is none is not taken", () => {
  const vector = Float32Array.of(1, -0, 1e-45, 3.4e38, 0.1);
  assert.deepEqual(textVector(vectorText(vector), 5), vector);
  assert.deepEqual(textVector(vectorText(vector.subarray(1, 3)), 2), vector.slice(1, 3));
  assert.equal(textVector(vectorText(vector), 4), undefined);
  for (const text of ["", "AAAA", "!", "AAAAA", vectorText(Float32Array.of(1, NaN))]) {
    assert.equal(textVector(text), undefined, text);
  }
});

Deno.test("a batch whose answer is not right is asked for again; then its texts have no vector", async () => {
  for (const [answer] of FAULTY) {
    let wrong = 1;
    await using fake = await FakeServer.open({
      embeddings: (texts) =>
        texts[0] === "dimensions" || wrong-- <= 0 ? { data: data(texts) } : answer,
    });
    const embedder = await open(fake);
    assert.deepEqual((await embedder.embed(["a", "b"])).map((x) => [...x!]), [
      vectorOf("a"),
      vectorOf("b"),
    ]);
    wrong = 2;
    assert.deepEqual(await embedder.embed(["c", "", "a"]), [
      undefined,
      null,
      Float32Array.from(vectorOf("a")),
    ]);
    assert.equal(fake.seen.length, 5);
  }
});

Deno.test("a space is not opened where its server gives nothing, or its model has no name", async () => {
  await using fake = await FakeServer.open({ refuse: () => ({ status: 500 }) });
  await assert.rejects(open(fake), /^AnswerError: Cannot ask \S+ as it has trouble \(500\)$/);
  await assert.rejects(open(fake, { serverOutage: 1 }), OutageError);
  const servers = new Servers();
  await assert.rejects(
    openServerEmbedder(fake.url, undefined, servers),
    /^TypeError: Cannot ask \S+ as semanticEmbeddingModel must name its model: it is missing$/,
  );
});

Deno.test("vectors are kept, and not asked for by the next run", async () => {
  await using fake = await FakeServer.open(honest);
  const cache = new AnswerCache(), texts = ["a", "bb"];
  const vectors = await (await open(fake, {}, { cache })).embed(texts);
  assert.equal(fake.seen.length, 2);
  const next = await open(fake, {}, { cache });
  assert.deepEqual([next.dimensions, await next.embed(texts)], [3, vectors]);
  assert.equal(fake.seen.length, 2);
});

Deno.test("semantic compares in a server's space; where that gives no vector there is no score", async () => {
  let down = false;
  await using fake = await FakeServer.open({
    embeddings: (texts) =>
      down && texts.some((text) => text.includes("x")) ? {} : { data: data(texts) },
  });
  const task = {
    ...colors(),
    parent: tableParent(new Map([["0", "ab"], ["1", "ab"], ["2", "ax"]])),
  };
  const rewards = await openRewards(task, "semantic", {
    settings: { semanticEmbedder: fake.url, semanticEmbeddingModel: "e" },
    servers: new Servers({}, { serverPause: 0.001, serverRetries: 0 }),
  });
  const cos = (a: number[], b: number[]) => {
    const dot = (x: number[], y: number[]) => x.reduce((sum, v, i) => sum + v * y[i], 0);
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  };
  const { total } = await rewards.breakdown(batch(["ba", "aaa"]));
  assert.deepEqual(total[0], 1);
  assert.ok(Math.abs(total[1]! - ((cos(vectorOf("ab"), vectorOf("aaa")) + 1) / 2) ** 4) < 1e-6);
  down = true;
  const failed = await rewards.breakdown(batch(["ab", "xyz", "ab"])); // the second, and the third's answer
  assert.deepEqual(failed.total, [1, null, null]);
  assert.deepEqual(rewards.takeCounts(), {
    "semantic/out_of_vocabulary": 0,
    "semantic/no_parent_answer": 0,
    "semantic/parent_out_of_vocabulary": 0,
    "semantic/fallbacks": 2,
  });
});
