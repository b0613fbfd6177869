/** Whether what a task lets its policy write is long enough for its answers. @module */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { encode } from "gpt-3-encoder";
import { loadTokenizer } from "../../model/files/tokenizer_file.ts";
import { openTaskNow } from "../../tasks/open.ts";
import { listTasks } from "../../tasks/registry.ts";
import { allOf } from "./_open.ts";

const tiny = await loadTokenizer(fileURLToPath(new URL("../../assets/tiny", import.meta.url)));
const LENGTHS: [string, (text: string) => number][] = [
  ["tiny", (text) => tiny.encode(text).length],
  ["GPT-2", (text) => encode(text).length],
];

for (const definition of listTasks()) {
  const { task } = openTaskNow(definition);
  for (const [tokenizer, lengthOf] of LENGTHS) {
    Deno.test(`the answers of ${task.name} fit in its tokens, in those of ${tokenizer}`, () => {
      for (const { prompt, answer } of allOf(task)) {
        if (answer === undefined) continue; // imdb goes on without end
        const length = lengthOf(prompt.endsWith(" ") ? answer : ` ${answer}`);
        // A sentence needs an end as well, else it would be cut off with any word behind it.
        const end = answer.includes(" ") ? 1 : 0;
        assert.ok(length + end <= task.maxNewTokens, `${length}: ${answer}`);
      }
    });
  }
}
