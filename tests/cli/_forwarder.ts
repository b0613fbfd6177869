/** Runs a command as `npx` does: sends it what it is sent itself, more than once, and ends before it. @module */
const child = new Deno.Command(Deno.args[0], { args: Deno.args.slice(1) }).spawn();
Deno.addSignalListener("SIGINT", async () => {
  for (let i = 0; i < 3; i++) {
    await new Promise((done) => setTimeout(done, 2));
    child.kill("SIGINT");
  }
  Deno.exit(130);
});
Deno.exit((await child.status).code);
