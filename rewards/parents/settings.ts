/** Who gives the answers of a run: the task's table, a rule, or a server. @module */
import { asUsage } from "../../base/usage.ts";
import {
  defineOptions,
  type OptionRows,
  type OptionTable,
  type OptionValues,
} from "../../base/options.ts";
import type { Example, Parent } from "../reward.ts";
import { isAddress } from "../servers/address.ts";
import type { Servers } from "../servers/servers.ts";
import { quotedSentence, ruleParent } from "./rule.ts";
import { serverParent } from "./server.ts";

// deno-fmt-ignore
const ROWS = {
  parent: { kind: "text", default: "table", unit: "table, rule, or https://host/v1", doc: "who gives the answers that semantic compares with: the task's table, the quoted sentence of the prompt, or an OpenAI-compatible chat server (docs/servers.md)", group: "Rewards and advantages" },
  parentModel: { kind: "text", otherwise: "none", only: { parent: { not: "table" } }, doc: "name of the parent server's model", group: "Rewards and advantages" },
  parentInstruction: { kind: "text", otherwise: "the task's summary", only: { parent: { not: "table" } }, doc: "what a parent server is told to do with a prompt", group: "Rewards and advantages" },
} as const satisfies OptionRows;

/** Settings of the parent by name. */
export type ParentSettings = OptionValues<typeof ROWS>;
/** The settings of a run's parent. */
export const PARENT_OPTIONS: OptionTable<ParentSettings> = defineOptions("the parent", ROWS);

/** What people should know of a run with this parent. */
export const parentNotices = ({ parent, parentModel }: ParentSettings): string[] =>
  isAddress(parent)
    ? [`${parent} is sent every prompt, for ${parentModel} to give the parent's answer`]
    : [];

const SHOTS = 4; // of the task's own answers that a server is shown

/** What a parent is opened for. */
export interface Taught {
  name: string;
  summary: string;
  examples: { readonly train: readonly Example[]; readonly heldout: readonly Example[] };
  parent: Parent;
}

/**
 * The parent that the settings name.
 * @throws {TypeError} for a name that is none, a rule that suits no prompt of the task, or what
 * `Servers.chat` refuses
 */
export async function openParent(
  { parent, parentModel, parentInstruction }: ParentSettings,
  task: Taught,
  servers: Servers,
): Promise<Parent> {
  const { train, heldout } = task.examples;
  if (parent === "table") return task.parent;
  if (parent === "rule") {
    const rule = ruleParent(quotedSentence, "the quoted sentence");
    if ((await rule.answer([...train, ...heldout])).some((answer) => answer !== null)) return rule;
    throw asUsage(
      new TypeError(
        `Cannot use parent=rule as it gives the quoted sentence at a prompt's end: no prompt of ${task.name} ` +
          "has one; leave it out for the task's table",
      ),
    );
  }
  if (!isAddress(parent)) {
    throw asUsage(
      new TypeError(
        "Cannot use the parent as it must be table, rule, or an address like https://host/v1: it is another word",
      ),
    );
  }
  const shots = train.filter(({ answer }) => answer !== undefined).slice(0, SHOTS)
    .map((example) => ({ ...example, answer: example.answer!.trim() }));
  const instruction = parentInstruction ?? task.summary;
  const server = servers.chat("parent", parent, parentModel);
  return serverParent(server, { instruction, shots }, servers);
}
