/** Where the command line starts. @module */
import { main } from "./main.ts";

// Where this is not set, the Vulkan loader writes two error lines at every start that mean nothing to
// a program without windows. Any folder that exists will do.
const variable = "XDG_RUNTIME_DIR";
const { state } = Deno.permissions.querySync({ name: "env", variable });
if (Deno.build.os === "linux" && state === "granted" && !Deno.env.get(variable)) {
  Deno.env.set(variable, "/tmp");
}
Deno.exit(await main(Deno.args));
