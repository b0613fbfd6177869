/** `generate`: completes one prompt, and shows a single completion as it comes. @module */
import type { Parsed } from "../parse.ts";
import type { GenerateRequest, Programs } from "../programs.ts";
import { printableLines, type Terminal } from "../terminal.ts";
import { UsageError } from "../values.ts";

/** Runs the command; gives the exit code. */
export async function generate(
  { positional, flags, given }: Parsed,
  programs: Pick<Programs, "generate">,
  terminal: Terminal,
): Promise<number> {
  const drawn = given.find((name) => ["top-k", "top-p", "min-p"].includes(name));
  if (drawn && flags.temperature === 0) {
    throw new UsageError(
      `Cannot use --${drawn} as nothing is drawn: --temperature is 0; set it, e.g. to 1`,
    );
  }
  const {
    json,
    "top-k": topK,
    "top-p": topP,
    "min-p": minP,
    "repetition-penalty": repetitionPenalty,
    ...rest
  } = flags;
  const filters = { topK, topP, minP, repetitionPenalty };
  const request = { prompt: positional[0], ...rest, ...filters } as unknown as GenerateRequest;
  const run = await programs.generate();
  if (!json && request.samples === 1) {
    let begun = false;
    const show = (text: string): void => {
      terminal.write(printableLines(begun ? text : request.prompt + text));
      begun = true;
    };
    await run(request, show);
    if (!begun) show("");
    terminal.write("\n");
    return 0;
  }
  const completions = await run(request);
  if (json) terminal.out(JSON.stringify({ ...request, completions }));
  else for (const text of completions) terminal.out(printableLines(request.prompt + text));
  return 0;
}
