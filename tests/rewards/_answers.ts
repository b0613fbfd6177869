/** A process that adds answers to a file until it is killed. @module */
import { openAnswerFile } from "../../experiment/folder/answer_file.ts";
import { AnswerCache } from "../../rewards/servers/cache.ts";

const [path, model] = Deno.args;
const cache = await AnswerCache.open(await openAnswerFile(path));
for (let i = 0;; i++) {
  const key = `${model}${i}`.padStart(64, "0");
  await cache.put(key, model, `${key}${"x".repeat(20_000)}`);
  if (i === 3) console.log("at work");
}
