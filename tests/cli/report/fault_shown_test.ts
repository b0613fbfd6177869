/** A run with a fault on purpose says so at the head of its report, before any of its numbers. */
import assert from "node:assert/strict";
import { report } from "../../../cli/report/report.ts";
import { warnings } from "../../../cli/report/report_words.ts";
import type { RunData } from "../../../experiment/folder/run_data.ts";
import { FAULT_NAMES, findFault } from "../../../experiment/faults/registry.ts";
import { fakeMetrics } from "../_fake.ts";
import { info, summary } from "../_folders.ts";

const runWith = (config: Record<string, unknown>): RunData => ({
  folder: "runs/x",
  config: { ...info("1"), command: "deno task train colors", request: {}, config, versions: {} },
  names: Object.keys(fakeMetrics(0)),
  metrics: [1, 2].map((step) => [step, ...Object.values(fakeMetrics(step))]),
  completions: [],
  summary,
});

Deno.test("the report of a faulty run opens with its fault, that of a right one with nothing of it", async () => {
  for (const fault of FAULT_NAMES.slice(1)) {
    const [first] = warnings(runWith({ fault }));
    assert.equal(
      first,
      `This run has a fault on purpose, fault=${fault}: ${findFault(fault)!.doc}.`,
    );
  }
  const page = await report(runWith({ fault: "unshifted" }));
  const at = page.indexOf("has a fault on purpose, fault=unshifted");
  assert.ok(at > 0 && at < page.indexOf("<h2>"), "above the first heading");
  for (const config of [{ fault: "none" }, {}]) {
    assert.ok(!(await report(runWith(config))).includes("has a fault on purpose"));
  }
});
