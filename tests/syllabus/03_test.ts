import assert from "node:assert/strict";
import { lacking } from "../_devices.ts";
import { examplesOf, run } from "../_examples.ts";
import { answer, claim } from "./_claims.ts";

const page = "03-devices-and-programs";
const CHANGED = "device.write(a, [0, 0, 0]); // new numbers, same program\n";

answer({
  page,
  says: "a program that ran before the numbers came has not seen them",
  example: 1,
  change: [[`${CHANGED}program.run();`, `program.run();\n${CHANGED}`]],
  prints: ["22 44 66"],
});

answer({
  page,
  says: "a program whose tensor was freed refuses to run",
  example: 1,
  change: [[
    "try {\n  add(device, { a, b, out: a }, { N: 3 });",
    "try {\n  device.free(sum);\n  program.run();",
  ]],
  prints: ['its tensors must be live: "sum" was freed; record it again'],
});

claim({
  page,
  says: "to read after every launch costs many times what a recorded launch does",
  shows: ["at once 241 µs a launch, recorded 22, read every time 480"],
  async holds() {
    const text = await Deno.readTextFile(new URL(`../../docs/reading/${page}.md`, import.meta.url));
    const lines = await run(examplesOf(page, text)[1]);
    const [atOnce, recorded, read] = lines.slice(1).map((line) =>
      Number(/: (\d+) /.exec(line)![1])
    );
    console.log(lines.join("; "));
    if (await lacking("adapter") !== undefined) return; // on the twins there is nothing to wait for
    assert.ok(recorded < atOnce && read > atOnce && read > 4 * recorded, lines.join("\n"));
  },
});
