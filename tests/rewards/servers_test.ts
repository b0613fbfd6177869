/** What servers may do wrong, request by request, and what becomes of it. */
import assert from "node:assert/strict";
import { isUsage } from "../../base/usage.ts";
import { sleep } from "../../base/wait.ts";
import { serverAddress } from "../../rewards/servers/address.ts";
import { askAll } from "../../rewards/servers/ask.ts";
import { chat, chatBody, type ChatServer } from "../../rewards/servers/chat.ts";
import { AnswerError, causedBy, OutageError } from "../../rewards/servers/errors.ts";
import { Gate } from "../../rewards/servers/gate.ts";
import type { ServerLimits } from "../../rewards/servers/limits.ts";
import { Secret } from "../../rewards/servers/secret.ts";
import { Servers } from "../../rewards/servers/servers.ts";
import { FakeServer, type Fault, FAULTS } from "./_server.ts";

const MESSAGES = [{ role: "user", content: "rate" }] as const;

/** A model behind the fake server, with short pauses. */
function model(
  { url }: FakeServer,
  limits: Partial<ServerLimits> = {},
  access: ConstructorParameters<typeof Servers>[0] = {},
): ChatServer & { servers: Servers } {
  const servers = new Servers(access, { serverPause: 0.001, serverTimeout: 10, ...limits });
  return { ...servers.chat("judge", url, "m"), servers };
}

const ask = (server: ChatServer, signal?: AbortSignal): Promise<string> =>
  chat(server, chatBody(server, MESSAGES), (text) => text, signal);

/** What a fault ends with where every try meets it; undefined: with the right answer. */
const ENDS: Record<Fault, { says: RegExp; tries: number } | undefined> = {
  "slow": { says: /as it gave no whole answer in 0\.5 s$/, tries: 3 },
  "busy": { says: /as it has too many requests \(429: slow down\)$/, tries: 3 },
  "trouble": { says: /as it has trouble \(500: overheated\)$/, tries: 3 },
  "malformed": { says: /as it answers with no JSON$/, tries: 3 },
  "page": { says: /as it answers with a page$/, tries: 3 },
  "eleven": undefined, // text like any other; what a judge makes of it is another test
  "of ten": undefined,
  "prose": undefined,
  "empty": { says: /as its answer has no text$/, tries: 3 },
  "blank": { says: /as its answer has no text$/, tries: 3 },
  "cut off": { says: /cut off: a larger serverMaxTokens lets it end$/, tries: 1 },
  "huge": { says: /as its answer is above 1048576 bytes$/, tries: 3 },
  "bomb": { says: /as its answer is above 1048576 bytes$/, tries: 3 },
  "closed": { says: /as it cannot be reached: /, tries: 3 },
  "broken": { says: /as it cannot be reached: /, tries: 3 },
  "redirect": {
    says: /as it redirects to 127\.0\.0\.1:\d+, and a request .* is not sent on/,
    tries: 1,
  },
};

for (const fault of FAULTS) {
  Deno.test(`a server's fault, ${fault}: once it costs a try, always it ends as it should`, async () => {
    const end = ENDS[fault];
    const limits = { serverRetries: 2, ...(fault === "slow" && { serverTimeout: 0.5 }) };
    // On a machine that is busy, time may be over for a good answer too.
    const often = { ...limits, ...(fault === "slow" && { serverRetries: 20 }) };
    await using once = await FakeServer.open({
      fault: (_, count) => count === 0 ? fault : undefined,
    });
    const answered = ask(model(once, often));
    if (end?.tries === 1) await assert.rejects(answered, end.says);
    else if (end) assert.equal(await answered, "7");
    else await answered;
    const tries = end && end.tries > 1 ? 2 : 1;
    assert.ok(once.seen.length === tries || fault === "slow" && once.seen.length > tries);

    await using always = await FakeServer.open({ fault: () => fault });
    const server = model(always, limits);
    if (!end) return void await ask(server);
    await assert.rejects(ask(server), (error) => {
      assert.ok(error instanceof AnswerError, String(error));
      assert.match(error.message, /^Cannot ask http:\/\/127\.0\.0\.1:\d+\/v1 as /);
      assert.match(error.message, end.says);
      return true;
    });
    assert.equal(always.seen.length, end.tries);
    assert.deepEqual(always.strange, []); // nobody else was told anything
    assert.ok(always.taken <= 30, `${always.taken} MB of 300 were taken`);
    const { sent, again, failed } = server.connection.counts;
    assert.deepEqual([sent, again, failed], [end.tries, end.tries - 1, 1]);
  });
}

Deno.test("a request says what is asked, with the key in its header alone", async () => {
  await using fake = await FakeServer.open();
  const key = new Secret("k-123", "PLAINRL_JUDGE_KEY");
  const server = model(fake, { serverMaxTokens: 5, serverTemperature: 0.5 }, { key: () => key });
  assert.equal(await ask(server), "7");
  const [{ path, key: sent, body }] = fake.seen;
  assert.deepEqual([path, sent], ["/v1/chat/completions", "Bearer k-123"]);
  assert.deepEqual(body, { model: "m", messages: MESSAGES, temperature: 0.5, max_tokens: 5 });
  await ask(model(fake, { serverMaxTokens: 0 }));
  assert.deepEqual(fake.seen[1].body, { model: "m", messages: MESSAGES, temperature: 0 });
  assert.equal(fake.seen[1].key, undefined);
});

Deno.test("what a server says again of a key is not passed on", async () => {
  const key = new Secret("k-123456", "PLAINRL_JUDGE_KEY"), access = { key: () => key };
  await using fake = await FakeServer.open({ chat: ({ key }) => `your ${key}` });
  assert.equal(await ask(model(fake, {}, access)), "your Bearer [key]");
  await using refusing = await FakeServer.open({
    refuse: ({ key }) => ({
      status: 400,
      body: JSON.stringify({ error: { message: `no ${key}` } }),
    }),
  });
  await assert.rejects(
    ask(model(refusing, {}, access)),
    /refuses the request \(400: no Bearer \[key\]\)$/,
  );
  for (
    const shown of [
      String(key),
      JSON.stringify({ key }),
      Deno.inspect(key),
      Deno.inspect({ a: { key } }, { showHidden: true, depth: 9 }),
    ]
  ) {
    assert.ok(!shown.includes("123456"), shown);
  }
  for (const bad of ["a b", "a\n", "schlüssel", ""]) {
    assert.throws(() => new Secret(bad, "X"), /^TypeError: Cannot use X as a key has no spaces/);
  }
});

Deno.test("a redirect to a host that is named as the key, in any case, is told without it", async () => {
  for (const text of ["Sk-Proj.K123", "a+b$c", "$&k"]) {
    const key = new Secret(text, "PLAINRL_JUDGE_KEY");
    const said = `${text} ${text.toUpperCase()}${text.toLowerCase()}`;
    assert.equal(key.redact(said), "[key] [key][key]");
    assert.equal(key.redact("Sk-ProjxK123 aab$c"), "Sk-ProjxK123 aab$c");
  }
  const key = new Secret("Sk-Proj.K123", "PLAINRL_JUDGE_KEY");
  const hosts: [string, RegExp][] = [
    [
      "http://Sk-Proj.K123.example.com/x",
      / as it redirects to \[key\]\.example\.com, and a request/,
    ],
    ["//SK-PROJ.K123:81", / as it redirects to \[key\]:81, and a request/],
    ["sk-proj.k123:x", / as it redirects to elsewhere, and a request/],
    [
      `http://${"a.".repeat(300)}example.com`,
      / as it redirects to (?:a\.)+… \(611 characters\), and a/,
    ],
  ];
  for (const [location, says] of hosts) {
    await using fake = await FakeServer.open({
      refuse: () => ({ status: 307, headers: { location } }),
    });
    await assert.rejects(ask(model(fake, {}, { key: () => key })), (error) => {
      assert.match(String(error), says);
      return !/sk-proj/i.test(String(error));
    });
  }
});

Deno.test("a refused key, no key, and a path or model that is not there stop at once", async () => {
  for (
    const [status, key, says] of [
      [401, "k", /as it does not take the key in X \(401\)$/],
      [401, undefined, /as it wants a key \(401\): set PLAINRL_JUDGE_KEY, see docs\/servers\.md$/],
      [
        404,
        undefined,
        /as it has no such path or model \(404: no model m\): check address and model$/,
      ],
    ] as const
  ) {
    const body = JSON.stringify({ error: { message: "no model m" } });
    await using fake = await FakeServer.open({ refuse: () => ({ status, body }) });
    const access = { key: () => key && new Secret(key, "X") || undefined };
    await assert.rejects(ask(model(fake, {}, access)), (error) => {
      assert.ok(error instanceof OutageError);
      assert.match(error.message, says);
      return true;
    });
    assert.equal(fake.seen.length, 1);
  }
});

Deno.test("of a refusal no more is taken than is said", async () => {
  for (const status of [302, 400, 401, 404, 500]) {
    await using fake = await FakeServer.open({ refuse: () => ({ status, pour: true }) });
    await assert.rejects(ask(model(fake, { serverRetries: 0 })));
    for (let i = 0; i < 100 && fake.busy > 0; i++) await sleep(10);
    assert.equal(fake.busy, 0, "the connection is still held");
    assert.ok(fake.taken <= 10, `${fake.taken} MB of a ${status}`);
  }
});

Deno.test("so many requests in a row without an answer are an outage; one answer begins anew", async () => {
  let down = true;
  await using fake = await FakeServer.open({ fault: () => down ? "trouble" : undefined });
  const server = model(fake, { serverRetries: 1, serverOutage: 3 });
  for (const _ of [1, 2]) await assert.rejects(ask(server), AnswerError);
  down = false;
  await ask(server);
  down = true;
  for (const _ of [1, 2]) await assert.rejects(ask(server), AnswerError);
  await assert.rejects(ask(server), (error) => {
    assert.ok(error instanceof OutageError);
    assert.match(
      error.message,
      /\(500: overheated\)\. So ended 3 requests in a row \(serverOutage\): see to the server, then continue$/,
    );
    assert.ok(causedBy(new Error("x", { cause: error }), (cause) => cause instanceof OutageError));
    return true;
  });
  down = false; // whoever tries again finds it as it is now
  assert.equal(await ask(server), "7");
});

Deno.test("a server that nobody listens at is said to be that", async () => {
  const fake = await FakeServer.open();
  await fake[Symbol.asyncDispose]();
  const server = model(fake, { serverRetries: 0, serverOutage: 1 });
  await assert.rejects(
    ask(server),
    /^OutageError: Cannot ask http:\S+ as it cannot be reached: .*\. So ended 1 /,
  );
});

Deno.test("pauses double; a Retry-After is kept to by all requests, one above a minute by none", async () => {
  await using fake = await FakeServer.open({
    fault: (_, count) => count < 3 ? "trouble" : undefined,
  });
  await ask(model(fake, { serverPause: 0.04 }));
  const times = fake.seen.map(({ at }) => at), gaps = times.slice(1).map((at, i) => at - times[i]);
  [40, 80, 160].forEach((ms, i) =>
    assert.ok(gaps[i] > 0.95 * ms, `${gaps[i]} ms before try ${i + 2}`)
  );

  await using busy = await FakeServer.open({
    refuse: (_, count) =>
      count === 0 ? { status: 429, headers: { "retry-after": "1" } } : undefined,
    delay: () => 1,
  });
  const server = model(busy);
  const first = ask(server);
  while (busy.seen.length === 0 || busy.busy > 0) await sleep(2);
  await sleep(20);
  await Promise.all([first, ask(server), ask(server)]);
  for (const { at } of busy.seen.slice(1)) assert.ok(at - busy.seen[0].at > 950, "before its time");

  await using long = await FakeServer.open({
    refuse: () => ({ status: 503, headers: { "retry-after": "61" } }),
  });
  await assert.rejects(ask(model(long)), /\(503\), and asks to wait 61 s$/);
  assert.equal(long.seen.length, 1);
});

Deno.test("at most so many requests are sent at once, to each host, whoever sends them", async () => {
  await using fake = await FakeServer.open({ delay: () => 10 });
  const servers = new Servers({}, { serverRequests: 3 });
  const judge = servers.chat("judge", fake.url, "m"),
    parent = servers.chat("parent", fake.url, "m");
  await Promise.all(Array.from({ length: 20 }, (_, i) => ask(i % 2 ? judge : parent)));
  assert.equal(fake.most, 3);
  assert.equal(servers.connect("judge", `${fake.url}/`, "judgeServer"), judge.connection);
  assert.deepEqual(
    servers.report(),
    Array(2).fill(
      `${fake.url} was sent 10 requests, 0 of them again; 0 had no usable answer`,
    ),
  );
});

/** A clock that jumps from one sleeper's time to the next. */
class TestClock {
  time = 0;
  #sleepers: { end: number; wake: () => void }[] = [];
  now = () => this.time;
  sleep = (ms: number) =>
    new Promise<void>((wake) => void this.#sleepers.push({ end: this.time + ms, wake }));

  /** Runs until all of `work` is done. */
  async until(work: Promise<unknown>[]): Promise<void> {
    let done = false;
    Promise.all(work).then(() => done = true);
    while (!done) {
      await sleep(0); // whoever can go on does
      const next = this.#sleepers.sort((a, b) => a.end - b.end).shift();
      if (!next) continue;
      this.time = next.end;
      next.wake();
    }
  }
}

Deno.test("a gate starts requests at even distances, and none while a server asks to wait", async () => {
  const clock = new TestClock(), gate = new Gate(3, 120, clock), starts: number[] = [];
  const start = (ms: number) => () => (starts.push(clock.time), clock.sleep(ms));
  await clock.until(Array.from({ length: 5 }, () => gate.run(start(1))));
  assert.deepEqual(starts.splice(0), [0, 500, 1000, 1500, 2000]);
  clock.time = 5000;
  gate.hold(10_000);
  await clock.until([gate.run(start(1)), gate.run(start(1))]);
  assert.deepEqual(starts.splice(0), [15_000, 15_500]);
  // Of requests that have their turns already: none before its time, and at their distances.
  clock.time = 20_000;
  const turned = [1, 2, 3].map(() => gate.run(start(1)));
  setTimeout(() => gate.hold(1000), 0);
  await clock.until(turned);
  assert.equal(starts.shift(), 20_000); // before the server asked
  assert.deepEqual(starts, [21_000, 21_500]);
});

Deno.test("a gate of one at a time gives places away in their order, as soon as they are free", async () => {
  const clock = new TestClock(), gate = new Gate(1, 0, clock), starts: number[][] = [];
  await clock.until(
    [30, 10, 20].map((ms, i) => gate.run(() => (starts.push([i, clock.time]), clock.sleep(ms)))),
  );
  assert.deepEqual(starts, [[0, 0], [1, 30], [2, 40]]);
  assert.equal(clock.time, 60);
});

Deno.test("a place at the gate is free again after an error, and after whoever gave up waiting", async () => {
  const gate = new Gate(1, 0), stop = new AbortController();
  await assert.rejects(gate.run(() => Promise.reject(new Error("no"))), /no/);
  const { promise, resolve } = Promise.withResolvers<void>();
  const held = gate.run(() => promise);
  const waiting = gate.run(() => Promise.resolve(1), stop.signal);
  const after = gate.run(() => Promise.resolve(2));
  stop.abort(new Error("given up"));
  await assert.rejects(waiting, /given up/);
  resolve();
  await held;
  assert.equal(await after, 2);
  await assert.rejects(gate.run(() => Promise.resolve(3), stop.signal), /given up/);
  assert.equal(await gate.run(() => Promise.resolve(4)), 4);
});

Deno.test("who stops waits for nothing: neither an answer, nor a pause, nor a place", async () => {
  await using fake = await FakeServer.open({
    fault: (_, count) => count === 0 ? "slow" : "trouble",
  });
  const stop = new AbortController(), reason = new Error("enough");
  const server = model(fake, { serverTimeout: 100, serverRequests: 1, serverPause: 60 });
  const all = [ask(server, stop.signal), ask(server, stop.signal)];
  while (fake.seen.length === 0) await sleep(2);
  const from = performance.now();
  stop.abort(reason);
  const ends = await Promise.allSettled(all);
  for (const end of ends) assert.equal(end.status === "rejected" && end.reason, reason);
  assert.equal(fake.seen.length, 1);
  const paused = new AbortController(), last = ask(server, paused.signal);
  while (fake.seen.length < 2) await sleep(2);
  await sleep(20); // it waits for its second try
  paused.abort(reason);
  await assert.rejects(last, (error) => error === reason);
  assert.ok(performance.now() - from < 30_000);
  await assert.rejects(ask(server, paused.signal), (error) => error === reason);
  assert.equal(fake.seen.length, 2);
});

Deno.test("who stops a request that has no further try is told of the stop, not of a failure", async () => {
  await using fake = await FakeServer.open({ fault: () => "slow" });
  const stop = new AbortController(), reason = new Error("enough");
  const server = model(fake, { serverRetries: 0, serverTimeout: 100, serverOutage: 1 });
  const waiting = ask(server, stop.signal);
  while (fake.seen.length === 0) await sleep(2);
  stop.abort(reason);
  await assert.rejects(waiting, (error) => error === reason);
  assert.equal(server.connection.counts.failed, 0);
});

Deno.test("a letter that comes in two parts is one letter", async () => {
  const bytes = new TextEncoder().encode('{"choices": [{"message": {"content": "grün 😀"}}]}');
  const body = () =>
    new ReadableStream({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
  const servers = new Servers({ fetch: () => Promise.resolve(new Response(body())) });
  assert.equal(await ask(servers.chat("judge", "https://a.example/v1", "m")), "grün 😀");
});

Deno.test("askAll() gives answers in the order of the items; one that must stop stops the others", async () => {
  const numbers = await askAll([30, 10, 20], async (ms) => (await sleep(ms), ms));
  assert.deepEqual(numbers, [30, 10, 20]);
  let stopped = 0;
  const outage = new OutageError("down");
  const all = askAll([0, 1, 2], async (i, signal) => {
    if (i === 1) throw outage;
    await sleep(10_000, signal).catch((error) => {
      assert.equal(error, outage);
      stopped++;
    });
  });
  await assert.rejects(all, (error) => error === outage);
  await sleep(1);
  assert.equal(stopped, 2);
  const stop = new AbortController(),
    waiting = askAll([1], (_, signal) => sleep(9999, signal), stop.signal);
  stop.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  await assert.rejects(askAll([1], () => Promise.resolve(), stop.signal), /enough/);
});

Deno.test("an address is host and path alone, and is not repeated where it is refused", () => {
  const good = (text: string) => serverAddress(text, "judgeServer").href;
  assert.equal(good("https://api.example.com/v1/"), "https://api.example.com/v1");
  assert.equal(good("http://127.0.0.1:8080"), "http://127.0.0.1:8080/");
  for (
    const [text, rule] of [
      ["", /is like https:\/\/host\/v1: this is none$/],
      ["sk-secretsecret", /this is none$/],
      ["ftp://secret.example/v1", /this is none$/],
      [
        "https://user:secret@host/v1",
        /it holds a name, a password, a key or a query\. Put the key into/,
      ],
      ["https://secret@host/v1", /a password, a key or a query/],
      ["https://host/v1?key=secret", /a password, a key or a query/],
      ["https://host/v1#secret", /a password, a key or a query/],
      ["https://host/sk-secretsecret/v1", /a password, a key or a query/],
      ["https://host/hf_secretsecret", /a password, a key or a query/],
      ["https://host/v1/chat/completions/", /ends before \/chat\/completions, which requests add/],
      ["https://host/v1/embeddings", /ends before \/embeddings/],
    ] as const
  ) {
    assert.throws(() => serverAddress(text, "judgeServer"), (error) => {
      assert.ok(error instanceof TypeError);
      assert.match(error.message, /^Cannot use judgeServer as /);
      assert.match(error.message, rule);
      assert.ok(!error.message.includes("secret"), error.message);
      return true;
    });
  }
});

Deno.test("a key goes over https, or stays on this machine; a model has a name", () => {
  const key = new Secret("k", "PLAINRL_JUDGE_KEY"), servers = new Servers({ key: () => key });
  for (
    const text of [
      "https://a.example/v1",
      "http://localhost:1/v1",
      "http://[::1]:1",
      "http://127.1.2.3",
    ]
  ) {
    servers.connect("judge", text, "judgeServer");
  }
  for (
    const text of ["http://a.example/v1", "http://127.evil.example", "http://10.0.0.7:8080/v1"]
  ) {
    assert.throws(() => servers.connect("judge", text, "judgeServer"), (error) => {
      assert.match(
        String(error),
        /^TypeError: Cannot send the key in PLAINRL_JUDGE_KEY to \S+ as http shows/,
      );
      return isUsage(error);
    });
  }
  new Servers().connect("judge", "http://10.0.0.7:8080/v1", "judgeServer"); // nothing to hide
  for (const [role, name] of [["judge", "judgeModel"], ["parent", "parentModel"]] as const) {
    const message = `Cannot ask https://a.example/v1 as ${name} must name its model: it is missing`;
    assert.throws(() => servers.chat(role, "https://a.example/v1", undefined), { message });
  }
});
