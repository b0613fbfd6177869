import assert from "node:assert/strict";
import { examplesOf, run } from "../_examples.ts";
import { answer, claim } from "./_claims.ts";

const page = "08-sampling-and-cache";

answer({
  page,
  says: "a prompt in another row draws other numbers",
  example: 1,
  change: [["{ ...settings, row0: 1 }", "settings"]],
  prints: ["false"],
});

for (const [temperature, prints] of [["0.01", "They differ"], ["0.0001", "they agree"]]) {
  answer({
    page,
    says: `greedy choices and draws at a temperature of ${temperature}: ${prints}`,
    example: 1,
    change: [
      ["seed: 9, eos: 0 }", `seed: 9, eos: 0, temperature: ${temperature} }`],
      [
        "const drawn =",
        `const greedy = await generate(model, [[5, 6, 7], [8]], { ...settings, greedy: true });
        const isSame = greedy.responses.join() === together.responses.join();
        console.log(isSame ? "they agree" : "They differ");
        const drawn =`,
      ],
    ],
    prints: [prints],
  });
}

claim({
  page,
  says: "the longer the text, the more a cache saves",
  shows: ["0.58 and 0.71, 0.68 and 1.73, 1.68 and 6.91 seconds"],
  async holds() {
    const text = await Deno.readTextFile(new URL(`../../docs/reading/${page}.md`, import.meta.url));
    const lines = await run(examplesOf(page, text)[1]);
    console.log(lines.join("\n"));
    const factors = lines.filter((line) => line.includes("cached"))
      .map((line) => /cached (\S+) s, plainly (\S+) s/.exec(line)!)
      .map(([, cached, plainly]) => Number(plainly) / Number(cached));
    assert.ok(factors[2] > 2, factors.join(" "));
  },
});
