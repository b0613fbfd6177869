import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { openAnswerFile } from "../../experiment/folder/answer_file.ts";
import { answerKey } from "../../rewards/servers/answer_lines.ts";
import { AnswerCache } from "../../rewards/servers/cache.ts";
import { inTemporary } from "../_folder.ts";

const key = (i: number): string => i.toString(16).padStart(64, "0");
const known = async (path: string): Promise<AnswerCache> =>
  await AnswerCache.open(await openAnswerFile(path));

Deno.test("answerKey() is the SHA-256 of a question's JSON", async () => {
  // printf '["a",1]' | sha256sum
  assert.equal(
    await answerKey(["a", 1]),
    "135f17a475a61afdeeaf3759ad2e45ad1c7abb192395abe47e41fc8e395dc1a9",
  );
});

Deno.test("a question is asked once, by however many at once; one that failed is asked again", async () => {
  const cache = new AnswerCache();
  let asked = 0;
  const ask = async () => {
    await Promise.resolve();
    if (++asked === 1) throw new Error("no");
    return `answer ${asked}`;
  };
  const one = () => cache.answer(key(1), { model: "m", ask });
  const both = await Promise.allSettled([one(), one()]);
  assert.deepEqual(both.map(({ status }) => status), ["rejected", "rejected"]);
  assert.equal(asked, 1);
  assert.deepEqual(await Promise.all([one(), one(), one()]), Array(3).fill("answer 2"));
  assert.equal(await one(), "answer 2");
  assert.equal(asked, 2);
});

Deno.test("of too many answers those go that were not used for longest", async () => {
  const size = 2 * 10 + 200, cache = new AnswerCache(undefined, 3 * size);
  for (const i of [1, 2, 3]) await cache.put(key(i), "m", "0123456789");
  cache.take(key(1));
  await cache.put(key(4), "m", "0123456789");
  assert.deepEqual([1, 2, 3, 4].map((i) => cache.take(key(i)) !== undefined), [
    true,
    false,
    true,
    true,
  ]);
  await cache.put(key(4), "m", "9876543210"); // in its own place
  assert.deepEqual([1, 3, 4].map((i) => cache.take(key(i))), [
    "0123456789",
    "0123456789",
    "9876543210",
  ]);
  await cache.put(key(5), "m", "x".repeat(9999)); // alone it is too many: it stays, as it is in use
  assert.deepEqual([1, 3, 4, 5].map((i) => cache.take(key(i)) !== undefined), [
    false,
    false,
    false,
    true,
  ]);
});

inTemporary("answers are in the file for the next run, one line each", async (place) => {
  const path = `${place}/new/folder/answers.jsonl`, cache = await known(path);
  await cache.put(key(1), "m", 'a "b"\n\u2028c');
  await cache.put(key(2), "m", "ü😀");
  const text = await Deno.readTextFile(path);
  assert.equal(text.split("\n").length, 3);
  assert.deepEqual(JSON.parse(text.split("\n")[0]), {
    key: key(1),
    model: "m",
    value: 'a "b"\n\u2028c',
  });
  const next = await known(path);
  assert.deepEqual([next.take(key(1)), next.take(key(2))], ['a "b"\n\u2028c', "ü😀"]);
  assert.equal(next.broken, 0);
});

inTemporary("a line that was cut off costs itself alone, wherever it was cut", async (place) => {
  const line = (i: number) => JSON.stringify({ key: key(i), model: "m", value: `ü${i}` });
  const last = new TextEncoder().encode(line(2));
  for (let length = 0; length <= last.length; length++) {
    const path = `${place}/${length}.jsonl`;
    await Deno.writeTextFile(path, `${line(1)}\n`);
    await Deno.writeFile(path, last.subarray(0, length), { append: true });
    const cache = await known(path);
    const isWhole = length === last.length;
    assert.equal(cache.take(key(2)), isWhole ? "ü2" : undefined);
    assert.equal(cache.broken, isWhole || length === 0 ? 0 : 1);
    await cache.put(key(3), "m", "ü3");
    await cache.put(key(4), "m", "ü4");
    const next = await known(path);
    assert.deepEqual(
      [1, 3, 4].map((i) => next.take(key(i))),
      ["ü1", "ü3", "ü4"],
      `cut at ${length}`,
    );
  }
});

inTemporary("lines of any other kind are passed over, and said to be", async (place) => {
  const path = `${place}/answers.jsonl`, good = JSON.stringify({ key: key(1), value: "1" });
  const bad = ["x", "null", "[]", "1", '{"key": 1, "value": "1"}', '{"__proto__": 1}'];
  bad.push(`{"key": "${key(2)}", "value": 1}`, `{"key": "${key(3).slice(1)}A", "value": "1"}`);
  await Deno.writeTextFile(path, [...bad, "", good, "\r"].join("\n"));
  const cache = await known(path);
  assert.deepEqual([1, 2, 3].map((i) => cache.take(key(i))), ["1", undefined, undefined]);
  assert.equal(cache.broken, bad.length);
  // One that has no end takes no more memory than a line may.
  await Deno.writeTextFile(path, `${"x".repeat(5e6)}\n${good}\n`);
  const long = await known(path);
  assert.equal(long.take(key(1)), "1");
  assert.ok(long.broken > 1, `${long.broken} parts`);
});

inTemporary("a file that cannot be had is said with its cure", async (place) => {
  await assert.rejects(known(place), /^WriteError: Cannot write \S+ as /);
  await Deno.writeTextFile(`${place}/file`, "");
  await assert.rejects(known(`${place}/file/answers.jsonl`), /^WriteError: Cannot write \S+ as /);
});

const WRITER = fileURLToPath(new URL("_answers.ts", import.meta.url));

inTemporary(
  "a process that is killed while it writes loses at most the last line",
  async (place) => {
    const path = `${place}/answers.jsonl`, kills = 4;
    for (let i = 0; i < kills; i++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--no-check",
          "--no-prompt",
          "--allow-read",
          "--allow-write",
          WRITER,
          path,
          String(i),
        ],
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const reader = child.stdout.getReader(); // it says when it is at work
      await reader.read();
      await new Promise((done) => setTimeout(done, 20 * Math.random()));
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
      const cache = await known(path);
      assert.ok(cache.broken <= i + 1, `${cache.broken} lines are broken after ${i + 1} kills`);
    }
    const lines = (await Deno.readTextFile(path)).split("\n");
    const whole = lines.filter((line) => line.endsWith('"}')).map((line) => JSON.parse(line));
    for (const { key, value } of whole) {
      assert.ok(
        value.startsWith(key),
        "an answer to another question",
      );
    }
    for (let i = 0; i < kills; i++) {
      assert.ok(whole.some(({ model }) => model === String(i)), `nothing of process ${i}`);
    }
  },
);
