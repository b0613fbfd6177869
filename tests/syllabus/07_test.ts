import assert from "node:assert/strict";
import { runCommand } from "../../scripts/figures/_run.ts";
import { RUNS } from "../../scripts/figures/_record.ts";
import { answer, claim, SEEDS, shares } from "./_claims.ts";

const page = "07-log-probability";
const change = RUNS["one-row-early"][1]!;
const COMMAND = "colors --steps 12";

claim({
  page,
  says: "a policy that reads its log-probabilities one row early learns, and one column tells",
  shows: [change.file, change.from, change.to, `deno task train ${COMMAND}`],
  async holds() {
    for (const seed of SEEDS) {
      const { summary, metrics } = await runCommand(`${COMMAND} --seed ${seed}`, change);
      const { train } = summary;
      console.log(`${page}, one row early, seed ${seed}: ${shares(summary)}`);
      assert.ok(train.after.exact > train.before.exact + 0.2);
      const [head, ...rows] = metrics.trim().split("\n").map((line) => line.split(","));
      const at = head.indexOf("sampling/logp_difference_max");
      for (const row of rows) assert.ok(Number(row[at]) > 5, `a gap of ${row[at]} nats`);
    }
  },
});

answer({
  page,
  says: "half the temperature makes the probable more so",
  example: 1,
  change: [["temperature: 1", "temperature: 0.5"]],
  prints: ["-0.1429 0.4411"],
});

answer({
  page,
  says: "an improbable token has a large gradient",
  example: 1,
  change: [["Uint32Array.of(0)", "Uint32Array.of(2)"]],
  prints: ["-2.4076", "-0.6652 -0.2447 0.9100"],
});
