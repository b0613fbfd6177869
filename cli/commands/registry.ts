/** Every command, in the order of help. A new one is a file of its own and a line here. @module */
import type { Command } from "../command.ts";
import { command as compare } from "./compare.ts";
import { command as doctor } from "./doctor.ts";
import { command as evaluate } from "./eval.ts";
import { command as exportModel } from "./export.ts";
import { command as fetch } from "./fetch.ts";
import { command as generate } from "./generate.ts";
import { command as pretrain } from "./pretrain.ts";
import { command as runs } from "./runs.ts";
import { command as study } from "./study.ts";
import { command as train } from "./train.ts";
import { command as tune } from "./tune.ts";

/** All commands. */
export const COMMANDS: readonly Command[] = [
  train,
  runs,
  compare,
  study,
  generate,
  evaluate,
  exportModel,
  fetch,
  pretrain,
  doctor,
  tune,
];
