/**
 * Runs `deno test` with the arguments that it is given, and says in its last lines how many tests of the
 * WGSL did not run on this machine, why, and what mends it: `deno task test`.
 * @module
 */
import { adapterCure } from "../cli/doctor/findings.ts";

/** Names the file in which tests that do not run leave a line each, the reason; see `tests/_devices.ts`. */
export const NOT_RUN = "PLAINRL_NOT_RUN";

/** The last lines; none where all ran. `isSome` where only some tests were asked for, by `--filter`. */
export function notRunLines(
  reasons: readonly string[],
  { isSome, cure }: { isSome: boolean; cure: string | undefined },
): string[] {
  if (reasons.length === 0) return [];
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const width = String(reasons.length).length;
  return [
    "",
    isSome
      ? "TESTS OF THE WGSL DID NOT RUN, as many as stand above as ignored:"
      : `${reasons.length} TESTS OF THE WGSL DID NOT RUN:`,
    ...[...counts].map(([reason, n]) =>
      `  ${isSome ? "" : `${String(n).padStart(width)}: `}${reason}`
    ),
    "What ran shows that the TypeScript twins are right, and nothing of the kernels that a graphics",
    `card would run. ${
      cure === undefined ? "deno task doctor says more." : "To run them as well:"
    }`,
    ...(cure === undefined ? [] : [`  ${cure}`]),
  ];
}

if (import.meta.main) {
  const file = await Deno.makeTempFile();
  try {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["test", ...Deno.args],
      env: { [NOT_RUN]: file },
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn().status;
    const reasons = (await Deno.readTextFile(file)).split("\n").filter((line) => line !== "");
    const isSome = Deno.args.some((word) => word.startsWith("--filter"));
    const lines = notRunLines(reasons, { isSome, cure: adapterCure(Deno.build.os) });
    for (const line of lines) console.log(line);
    Deno.exitCode = code;
  } finally {
    await Deno.remove(file);
  }
}
