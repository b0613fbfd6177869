/** What `deno task test` says of tests that this machine cannot run. @module */

/** Names the file in which tests that do not run leave a line each, the reason; see `tests/_devices.ts`. */
export const NOT_RUN = "PLAINRL_NOT_RUN";

/** The reason of tests that need a browser. */
export const NO_BROWSER = "no Chromium is installed";

/** The last lines; none where all ran. `isSome` where only some tests were asked for, by `--filter`. */
export function notRunLines(
  reasons: readonly string[],
  options: { isSome: boolean; cure: string | undefined },
): string[] {
  const pages = reasons.filter((reason) => reason === NO_BROWSER);
  return [
    ...wgslLines(reasons.filter((reason) => reason !== NO_BROWSER), options),
    ...(pages.length === 0 ? [] : [
      "",
      `${
        options.isSome ? "" : `${pages.length} `
      }TESTS OF PAGES DID NOT RUN: ${NO_BROWSER}. To run them as well:`,
      "  apt-get install --no-install-recommends chromium fonts-dejavu-core",
    ]),
  ];
}

function wgslLines(
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
