/** What the command line grants, and keeps to itself, where a run asks a server. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { hostFault } from "../../scripts/net_host.ts";
import { boundsFor, play } from "../../experiment/players.ts";
import { modelFolder } from "../../model/hub/find_model.ts";
import { loadTokenizer } from "../../model/hub/load.ts";
import { combine } from "../../rewards/combine.ts";
import type { Reward } from "../../rewards/reward.ts";
import { colors } from "../../tasks/colors.ts";
import { SETTINGS } from "../../tasks/prompts.ts";
import { rubricRating } from "../../rewards/judges/rubric.ts";
import { inTemporary, withFolder } from "../_folder.ts";
import { writeSmallModel } from "../experiment/_model.ts";
import { type FakeOptions, FakeServer, FAULTS } from "../rewards/_server.ts";
import { run } from "./_terminal.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
const KEYS = ["PLAINRL_JUDGE_KEY", "PLAINRL_PARENT_KEY", "PLAINRL_EMBEDDING_KEY", "OPENAI_API_KEY"];
const SMALL = "--device cpu --seed 2 --steps 2 batchSize=6 epochs=1 judgeModel=m serverPause=0.001";

Deno.test("train:net is train with one host more, and the keys", () => {
  const [check, command, ...more] = tasks["train:net"].command.split(" && ");
  assert.deepEqual(more, []);
  assert.equal(check, "deno run --no-prompt --allow-env=PLAINRL_HOST scripts/net_host.ts");
  // In quotes, a value with a space in it is one word, and no flag of its own.
  const plain = command.replace(' "--allow-net=$PLAINRL_HOST"', "").replace(`,${KEYS.join()}`, "");
  assert.equal(plain, tasks.train.command);
  assert.doesNotMatch(tasks.train.command, /allow-net|_KEY|HF_TOKEN|-A\b/);
});

Deno.test("eval:net is eval with the same host more, and the same keys", () => {
  const [check, command, ...more] = tasks["eval:net"].command.split(" && ");
  assert.deepEqual(more, []);
  const words = "eval:net runs/RUN";
  assert.equal(
    check,
    `deno run --no-prompt --allow-env=PLAINRL_HOST scripts/net_host.ts '${words}'`,
  );
  const plain = command.replace(' "--allow-net=$PLAINRL_HOST"', "").replace(`,${KEYS.join()}`, "");
  assert.equal(plain, tasks.eval.command);
  assert.doesNotMatch(tasks.eval.command, /allow-net|_KEY|HF_TOKEN|-A\b/);
  assert.match(
    hostFault("*", words)!,
    /^Cannot start eval:net as .* PLAINRL_HOST=127\.0\.0\.1:8080 deno task eval:net runs\/RUN \.\.\.,/,
  );
});

Deno.test("PLAINRL_HOST names hosts, and no more than hosts", () => {
  const good = "a, a.example, api.example.com:443, 127.0.0.1:8080, localhost:1, [::1]:8080, a-b.c1";
  for (const host of good.split(", ")) assert.equal(hostFault(host), undefined, host);
  assert.equal(hostFault("a.example,b.example,127.0.0.1:1"), undefined);
  for (
    const [value, now] of [
      [undefined, "it is not set"],
      ["", "it is not set"],
      ["a,b,c,d", "it names 4, at most 3 may be"],
      ["*", '"*" is none'],
      ["*.example.com", '"*.example.com" is none'],
      ["a.example --allow-run", '"a.example --allow-run" is none'],
      ["a.example,", '"" is none'],
      ["https://a.example", '"https://a.example" is none'],
      ["a.example/v1", '"a.example/v1" is none'],
      ["user@a.example", '"user@a.example" is none'],
      ["10.0.0.0/8", '"10.0.0.0/8" is none'],
      ["a.example:", '"a.example:" is none'],
      ["-a", '"-a" is none'],
      ["a\nb", '"a\\nb" is none'],
    ] as const
  ) {
    assert.equal(
      hostFault(value),
      "Cannot start train:net as PLAINRL_HOST must name the host that it may ask, like api.example.com or " +
        `127.0.0.1:8080: ${now}. Write: PLAINRL_HOST=127.0.0.1:8080 deno task train:net colors ..., see ` +
        "docs/servers.md",
    );
  }
});

/** A folder with a small model and the repository's own tasks; runs a line of them there. */
async function prepare(place: string) {
  await Deno.mkdir(`${place}/model`, { recursive: true });
  await writeSmallModel(`${place}/model`);
  const here = (command: string) =>
    command.replaceAll("deno run", `${Deno.execPath()} run --no-check --config=${root}deno.json`)
      .replaceAll(/(cli|scripts)\/(\w+\.ts)/g, `${root}$1/$2`);
  const own = ["train", "train:net"].map((name) => [name, here(tasks[name].command)]);
  await Deno.writeTextFile(
    `${place}/deno.json`,
    JSON.stringify({ tasks: Object.fromEntries(own) }),
  );
  return (line: string, env: Record<string, string> = {}) =>
    new Deno.Command(Deno.execPath(), {
      args: ["task", "-q", ...line.split(" ")],
      cwd: place,
      env: { NO_COLOR: "1", ...env },
      stdout: "piped",
      stderr: "piped",
    }).spawn();
}

async function ended(
  child: Deno.ChildProcess,
): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await child.output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out, err };
}

/** Ends a run with the second request in a row that has no usable answer. */
const OUTAGE = { settings: "serverOutage=2" };

const randomKey = (): string => `k-${crypto.randomUUID().replaceAll("-", "")}`;

inTemporary(
  "train has neither network nor keys, and says which command has; that asks its host alone",
  async (place) => {
    await using fake = await FakeServer.open();
    await using other = await FakeServer.open();
    const start = await prepare(place), { host } = new URL(fake.url), key = randomKey();
    const line = `colors --model model --reward judge_soft ${SMALL} judgeServer=${fake.url}`;
    const env = { PLAINRL_JUDGE_KEY: key, OPENAI_API_KEY: "k-common" };

    const refused = await ended(
      start(`train ${line} --out runs/a`, { ...env, PLAINRL_HOST: host }),
    );
    assert.equal(refused.code, 2, refused.err);
    assert.match(
      refused.err,
      new RegExp(
        `^error: Cannot ask ${host} as this program may not use the network there\\. In place of "deno task ` +
          `train", begin the same line with: PLAINRL_HOST=${host} deno task train:net$`,
        "m",
      ),
    );
    assert.equal(fake.seen.length, 0);

    const nameless = await ended(start(`train:net ${line}`, env));
    assert.deepEqual([nameless.code, nameless.out], [2, ""]);
    assert.match(
      nameless.err,
      /^error: Cannot start train:net as PLAINRL_HOST must name the host .*: it is not set/,
    );

    const elsewhere = await ended(
      start(`train:net ${line}`, { ...env, PLAINRL_HOST: new URL(other.url).host }),
    );
    assert.equal(elsewhere.code, 2);
    assert.match(elsewhere.err, new RegExp(`Cannot ask ${host} as this program may not use the`));

    const done = await ended(
      start(`train:net ${line} --out runs/b --json`, { ...env, PLAINRL_HOST: host }),
    );
    assert.equal(done.code, 0, done.err);
    assert.ok(fake.seen.length > 0 && fake.seen.every((one) => one.key === `Bearer ${key}`));
    assert.deepEqual(other.seen, []);
    const { command } = JSON.parse(await Deno.readTextFile(`${place}/runs/b/config.json`));
    assert.match(
      command,
      new RegExp(`^PLAINRL_HOST=${host} deno task train:net colors .* judgeServer=`),
    );
    // A key for any server goes over https alone.
    const sent = fake.seen.length;
    await ended(
      start(`train:net ${line} --out runs/c`, { OPENAI_API_KEY: "k-common", PLAINRL_HOST: host }),
    );
    assert.ok(
      fake.seen.length > sent && fake.seen.slice(sent).every((one) => one.key === undefined),
    );
  },
);

inTemporary(
  "Ctrl-C ends a run that waits for its server, with a checkpoint and the line that continues it",
  async (place) => {
    let slow = false;
    await using fake = await FakeServer.open({ delay: () => slow ? 3_600_000 : 0 });
    const start = await prepare(place), { host } = new URL(fake.url);
    const line =
      `train:net colors --model model --reward judge_soft ${SMALL} judgeServer=${fake.url}`;
    const child = start(`${line} --steps 100000 --out runs/a`.replace("--steps 2 ", ""), {
      PLAINRL_HOST: host,
    });
    const read = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    let said = "";
    const until = async (what: RegExp) => {
      while (!what.test(said)) {
        const { value, done } = await read.read();
        if (done) break;
        said += value;
      }
      assert.match(said, what);
    };
    await until(/reward .*KL/);
    slow = true;
    const sent = fake.seen.length;
    while (fake.busy === 0 || fake.seen.length < sent) {
      await new Promise((done) => setTimeout(done, 2));
    }
    const from = performance.now();
    Deno.kill(child.pid, "SIGINT");
    await until(/Continue: {2}PLAINRL_HOST=\S+ deno task train:net --resume runs\/a/);
    const [{ code }] = await Promise.all([child.status, child.stdout.cancel()]);
    assert.equal(code, 130, said);
    assert.ok(performance.now() - from < 600_000, "it waited for its server");
    await read.cancel();
    slow = false;
    const resume = `train:net --resume runs/a --steps ${
      /stopped at step (\d+)/.exec(said)![1]
    } serverRequests=2`;
    const next = await ended(start(resume, { PLAINRL_HOST: host }));
    assert.equal(next.code, 0, next.err);
  },
);

/** Every byte that a run left, and what was printed. */
async function everything(folder: string): Promise<string> {
  const parts: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    parts.push(
      name,
      isDirectory
        ? await everything(path)
        : new TextDecoder("latin1").decode(await Deno.readFile(path)),
    );
  }
  return parts.join("\n");
}

Deno.test("a key, and a token of the hub, stand in no byte that a run leaves or prints, whatever the server does", () =>
  withFolder(async (place) => {
    await Deno.mkdir(`${place}/model`);
    await writeSmallModel(`${place}/model`);
    const key = randomKey(),
      forms = [key, btoa(key), btoa(`Bearer ${key}`).slice(0, 40), encodeURIComponent(key)];
    const before = ["PLAINRL_JUDGE_KEY", "HF_TOKEN"].map((name) =>
      [name, Deno.env.get(name)] as const
    );
    for (const [name] of before) Deno.env.set(name, key);
    let runs = 0;
    const check = async (
      options: FakeOptions,
      ends: number,
      { settings = "", timeout = 600 } = {},
    ) => {
      await using fake = await FakeServer.open(options);
      const out = `${place}/run-${runs++}`;
      const words =
        `train colors --model ${place}/model --reward judge_soft --out ${out} ${SMALL} ` +
        `judgeServer=${fake.url} serverRetries=0 serverTimeout=${timeout} serverCache=${place}/answers-${runs}.jsonl`;
      const { code, out: printed, err } = await run(
        `${words} ${settings} --json`.replaceAll("  ", " "),
      );
      assert.equal(code, ends, err);
      assert.ok(fake.seen.length > 0 && fake.seen.every((one) => one.key === `Bearer ${key}`));
      assert.deepEqual(fake.strange, []);
      const all = [printed, err, await everything(place)].join("\n");
      for (const form of forms) {
        assert.ok(!all.includes(form), `${form} after ${JSON.stringify(options)}`);
      }
      return err;
    };
    try {
      // One that repeats the key wherever it can.
      const echo = (seen: { key: string | undefined }) => `${seen.key}`;
      await check({ chat: () => "7" }, 0);
      await check({ chat: echo }, 1, { settings: "serverOutage=3" });
      await check({ chat: echo }, 0, { settings: "serverOutage=100000 judgeFallback=parity" });
      for (const status of [400, 401, 403, 404, 429, 500]) {
        const body = JSON.stringify({ error: { message: `wrong key ${key}, ${key}!` } });
        const said = await check({ refuse: () => ({ status, body }) }, 1, OUTAGE);
        assert.match(
          said,
          status === 401 ? /the key in PLAINRL_JUDGE_KEY/ : /wrong key \[key\], \[key\]!/,
        );
      }
      // Letters of a host are in lower case.
      const headers = { location: `http://${key.toUpperCase()}.example.com/` };
      assert.match(
        await check({ refuse: () => ({ status: 307, headers }) }, 1, OUTAGE),
        /redirects to \[key\]\.example\.com/,
      );
      for (const fault of FAULTS) {
        const ends = fault === "of ten" ? 0 : 1;
        // Only where no answer comes may time be over: a machine that is busy takes its time for the others.
        const timeout = fault === "slow" ? 0.1 : 600;
        await check({ fault: () => fault }, ends, { ...OUTAGE, timeout });
      }
      const quick = FAULTS.filter((fault) => fault !== "slow");
      await check(
        { fault: (_, count) => count % 3 ? undefined : quick[count % quick.length] },
        0,
      );
    } finally {
      for (const [name, value] of before) {
        value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
      }
    }
  }));

Deno.test("a key in an address is refused, and not repeated", async () => {
  const words = "train colors --reward judge_soft judgeModel=m --json judgeServer=";
  for (
    const address of [
      "https://user:sesame@a.example/v1",
      "https://a.example/v1?key=sesame",
      "https://a.example/sk-sesamesesame",
    ]
  ) {
    const { code, out, err } = await run(words + address);
    assert.equal(code, 2);
    assert.match(err, /^error: Cannot use judgeServer as its address must be host and path alone/);
    assert.ok(!`${out}${err}`.includes("sesame"), err);
  }
});

Deno.test("the worked example asks as often as its page says, and what players say is the rest", () =>
  withFolder(async (place) => {
    const page = await Deno.readTextFile(`${root}docs/servers.md`);
    const [, words] = /deno task train:net (colors --steps[^`]*?) \\\n +judgeServer/.exec(page)!;
    await using fake = await FakeServer.open({
      chat: ({ body }) => {
        const { instruction, reply } = JSON.parse(body.messages.at(-1).content);
        return rubricRating(instruction, reply).toFixed(1);
      },
    });
    let runs = 0;
    const asked = async (more: string, line = words) => {
      const { code, out, err } = await run(
        `train ${line} --device cpu --out ${place}/${runs++} judgeServer=${fake.url} judgeModel=rubric ${more}`,
      );
      assert.equal(code, 0, err);
      const said = `${out}${err}`.replaceAll(/\s+/g, " ").replaceAll(
        fake.url,
        "http://127.0.0.1:8080/v1",
      );
      const [, sent = "0"] = /was sent (\d+) requests/.exec(said) ?? [];
      const [, known = "0"] = /(\d+) answers were known/.exec(said) ?? [];
      return { said, sent: Number(sent), known: Number(known) };
    };
    const cache = `serverCache=${place}/answers.jsonl`;
    const first = await asked(cache), flat = page.replaceAll(/\s+/g, " ");
    for (const [, line] of page.split("```text\n")[1].split("```")[0].matchAll(/^note: (.*)$/gm)) {
      assert.ok(first.said.includes(line), `${line} is not in ${first.said}`);
    }
    const all = first.sent + first.known;
    const lines = (await Deno.readTextFile(`${place}/answers.jsonl`)).trim().split("\n");
    assert.equal(lines.length, first.sent);
    const other = await asked(`${cache} --seed 2`); // each run of the page's model takes seconds
    for (
      const text of [
        `all ${all} scores are known from the ${first.sent} ratings`,
        `With \`--seed 2\` it asks for ${other.sent}.`,
        `of the ${all} scores above ${first.known} were not asked for`,
      ]
    ) {
      assert.ok(flat.includes(text), `the page does not say: ${text}`);
    }
    const players = await scoresOfPlayers();
    assert.ok(flat.includes(`(${players} with \`colors\`)`), `${players} scores of players`);
    const { train, heldout } = colors().examples;
    assert.equal(all, players + 2 * (train.length + heldout.length) + 3 * SETTINGS.batchSize);
    // That the same line asks nothing again, and players the rest, a random model shows too.
    await writeSmallModel(place);
    const small = `colors --model ${place} --reward judge_soft --steps 2 batchSize=6 epochs=1`;
    const own = `serverCache=${place}/small.jsonl`;
    const once = await asked(own, small), twice = await asked(own, small);
    assert.deepEqual([twice.sent, twice.known], [0, once.sent + once.known]);
    const alone = await asked("--skip-players", small);
    assert.equal(alone.sent + alone.known, twice.known - players);
  }));

/** How many scores players are given on `colors` by a reward that may be slow. */
async function scoresOfPlayers(): Promise<number> {
  let scores = 0;
  const counting: Reward = {
    name: "counting",
    score({ completions }) {
      scores += completions.length;
      return Promise.resolve(completions.map(() => 0));
    },
  };
  const { examples, maxNewTokens } = colors();
  await play({
    ...{ examples, maxNewTokens, batchSize: SETTINGS.batchSize },
    rewards: combine([{ reward: counting, weight: 1 }]),
    tokenizer: await loadTokenizer(await modelFolder("tiny")),
    bounds: boundsFor([{ reward: counting, weight: 1 }]),
  });
  return scores;
}
