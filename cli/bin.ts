/** Where the command line starts: joins the commands with what they run. @module */
import { main } from "./main.ts";
import type { TrainRequest as Request } from "../experiment/request.ts";
import type { Programs, TrainRequest } from "./programs.ts";

/** A request as `tasks/` takes it. */
const plain = ({ rewards, resume, ...request }: TrainRequest): Request => ({
  ...request,
  reward: rewards?.map(({ name, weight }) => `${name}:${weight}`).join(),
  resume: resume?.checkpoint,
});

/** Each part is loaded when a command needs it: `--help` needs none. */
const programs: Programs = {
  async catalogue() {
    const { listPresets } = await import("../experiment/presets.ts");
    const { listTasks } = await import("../tasks/registry.ts");
    const { listRewards } = await import("../experiment/rewards.ts");
    const entry = ({ name, summary }: { name: string; summary: string }) => ({
      name,
      doc: summary,
    });
    return {
      tasks: listTasks().map(entry),
      algorithms: [{ name: "ppo", doc: "proximal policy optimisation with GAE and a KL penalty" }],
      rewards: listRewards().map(entry),
      presets: listPresets().map(entry),
    };
  },
  async train() {
    const { trainTask } = await import("../experiment/train.ts");
    return (request, observer, signal) => trainTask(plain(request), observer, signal);
  },
  async plan() {
    const { planTask } = await import("../experiment/plan.ts");
    return (request) => planTask(plain(request));
  },
  async generate() {
    return (await import("../experiment/complete.ts")).completeText;
  },
  async export() {
    return (await import("../experiment/export.ts")).exportModel;
  },
  async pretrain() {
    return (await import("../experiment/pretraining/pretrain.ts")).pretrain;
  },
  async fetch() {
    const { fetchedLine, fetchModel } = await import("../model/hub/hub.ts");
    return async (name, onProgress) => {
      const model = await fetchModel(name, { onProgress });
      const { folder, commit, endpoint } = model;
      return { folder, commit, endpoint, line: fetchedLine(model) };
    };
  },
};

// Where this is not set, the Vulkan loader writes two error lines at every start that mean nothing to
// a program without windows. Any folder that exists will do.
if (Deno.build.os === "linux" && !Deno.env.get("XDG_RUNTIME_DIR")) {
  Deno.env.set("XDG_RUNTIME_DIR", "/tmp");
}
Deno.exit(await main(Deno.args, programs));
