/** The files of a run that people look at. @module */
import type { RunData } from "../../experiment/folder/run_data.ts";

/** Text by file name: `curves.svg` and `report.html`. The same run gives the same bytes. */
export async function drawRun(run: RunData): Promise<Record<string, string>> {
  // Loaded here: a run's start should not wait for what is needed at its end.
  const { curves } = await import("./plots.ts");
  const { report } = await import("./report.ts");
  return { "curves.svg": curves(run), "report.html": await report(run) };
}
