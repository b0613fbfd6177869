/** Where the command line starts. @module */
import { main } from "./main.ts";

// Where this is not set, the Vulkan loader writes two error lines at every start that mean nothing to
// a program without windows. Any folder that exists will do.
if (Deno.build.os === "linux" && !Deno.env.get("XDG_RUNTIME_DIR")) {
  Deno.env.set("XDG_RUNTIME_DIR", "/tmp");
}
Deno.exit(await main(Deno.args));
