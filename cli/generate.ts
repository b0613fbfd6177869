/** `generate`: completes one prompt. @module */
import type { Parsed } from "./parse.ts";
import type { GenerateRequest, Programs } from "./programs.ts";
import { printable, type Terminal } from "./terminal.ts";

/** Runs the command; gives the exit code. */
export async function generate(
  { positional, flags }: Parsed,
  programs: Pick<Programs, "generate">,
  terminal: Terminal,
): Promise<number> {
  const { json, ...rest } = flags;
  const request = { prompt: positional[0], ...rest } as unknown as GenerateRequest;
  const completions = await (await programs.generate())(request);
  if (json) terminal.out(JSON.stringify({ ...request, completions }));
  else for (const text of completions) terminal.out(printable(request.prompt + text));
  return 0;
}
