/** A parent that is a language model behind a server. @module */
import type { Example, Parent } from "../reward.ts";
import { answerKey } from "../servers/answer_lines.ts";
import { askAll } from "../servers/ask.ts";
import { chat, chatBody, type ChatServer, type Message } from "../servers/chat.ts";
import { AnswerError } from "../servers/errors.ts";
import type { Servers } from "../servers/servers.ts";
import { parentAnswer } from "./answer.ts";

const FORM =
  'Answer with JSON that has the single key OUTPUT, such as {"OUTPUT": "..."}, and with ' +
  "nothing else.";

/** What a parent is told of its task. */
export interface ParentTask {
  /** What is to be done, in words for the model. */
  instruction: string;
  /** Prompts with the answers that are wanted, shown first. Default: none. */
  shots?: readonly Example[];
}

/** The turns that ask for one prompt's answer. */
export const parentMessages = (
  { instruction, shots = [] }: ParentTask,
  prompt: string,
): Message[] => [
  { role: "system", content: `${instruction}\n${FORM}` },
  ...shots.flatMap(({ prompt, answer }): Message[] => [
    { role: "user", content: JSON.stringify({ INPUT: prompt }) },
    { role: "assistant", content: JSON.stringify({ OUTPUT: answer }) },
  ]),
  { role: "user", content: JSON.stringify({ INPUT: prompt }) },
];

/**
 * Asks for each prompt once. An answer that does not come is null, and is asked for again when its prompt
 * comes again.
 */
export function serverParent(
  server: ChatServer,
  task: ParentTask,
  { cache, signal }: Servers,
): Parent {
  const { connection: { name }, model } = server;
  const answer = async ({ prompt }: Example, stop: AbortSignal): Promise<string | null> => {
    const body = chatBody(server, parentMessages(task, prompt));
    const key = await answerKey(["parent", name, body]);
    try {
      const ask = () => chat(server, body, answerOf, stop);
      return await cache.answer(key, { model, ask });
    } catch (error) {
      if (error instanceof AnswerError) return null;
      throw error;
    }
  };
  return { name: `${model} at ${name}`, answer: (all) => askAll(all, answer, signal) };
}

function answerOf(text: string): string {
  const answer = parentAnswer(text);
  if (answer === null) throw new AnswerError("its answer is empty", { retry: true });
  return answer;
}
