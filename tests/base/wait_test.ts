import assert from "node:assert/strict";
import { retryAfter, sleep } from "../../base/wait.ts";

Deno.test("retryAfter() reads seconds and dates", () => {
  assert.deepEqual([null, "", "x", " 7 ", "0"].map((text) => retryAfter(text)), [
    ...[undefined, undefined, undefined, 7000, 0],
  ]);
  const date = new Date(5_000_000).toUTCString();
  assert.deepEqual([4_000_000, 6_000_000].map((now) => retryAfter(date, now)), [1_000_000, 0]);
});

Deno.test("sleep() ends by itself, or with the reason of its signal, and leaves no timer", async () => {
  const from = performance.now();
  await sleep(20);
  assert.ok(performance.now() - from > 19);
  const stop = new AbortController(), reason = new Error("enough");
  await sleep(1, stop.signal);
  const waiting = sleep(60_000, stop.signal);
  stop.abort(reason);
  await assert.rejects(waiting, (error) => error === reason);
  await assert.rejects(sleep(1, stop.signal), (error) => error === reason);
});
