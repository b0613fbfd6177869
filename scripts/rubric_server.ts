/**
 * A stand-in for a judge's server, to try `train:net` without a model or an account: `deno task
 * serve:rubric`. It speaks as an OpenAI-compatible chat server does, and rates by the rubric of
 * `rewards/judges/rubric.ts`, to one decimal.
 * @module
 */
import { rubricRating } from "../rewards/judges/rubric.ts";

/** Answers one request. */
export async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const refuse = (status: number, message: string) =>
    Response.json({ error: { message } }, { status });
  if (request.method !== "POST" || pathname !== "/v1/chat/completions") {
    return refuse(404, "only POST /v1/chat/completions is here");
  }
  try {
    const { messages } = await request.json();
    const { instruction, reply } = JSON.parse(messages.at(-1).content);
    const content = rubricRating(instruction, reply).toFixed(1);
    const message = { role: "assistant", content };
    return Response.json({ choices: [{ index: 0, message, finish_reason: "stop" }] });
  } catch {
    return refuse(400, "the last message must be JSON with instruction and reply");
  }
}

if (import.meta.main) {
  const { hostname, port } = { hostname: "127.0.0.1", port: 8080 };
  Deno.serve(
    { hostname, port, onListen: () => console.log(`http://${hostname}:${port}/v1`) },
    answer,
  );
}
