/**
 * Pages in a headless Chromium. Where a machine has none, these tests do not run, and `deno task test` says
 * so in its last lines; where CI is set they run and fail.
 * @module
 */
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { NO_BROWSER, NOT_RUN } from "../scripts/test/not_run.ts";

/** Where systems put it, unless CHROMIUM names another. */
const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

const isThere = (path: string): boolean => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
};

const named = Deno.env.get("CHROMIUM");
const found = (named === undefined ? PLACES : [named]).find(isThere);
const isIgnored = found === undefined && !Deno.env.get("CI");

/** A tab, and what went on in it beside what it shows. */
export interface Tab {
  readonly page: Page;
  /** Addresses asked for since `open`, but for the page's own. */
  readonly requests: readonly string[];
  /** Errors and lines of the console, and dialogs. */
  readonly said: readonly string[];
  /** Opens a file. */
  open(path: string): Promise<void>;
}

let browser: Promise<Browser> | undefined; // of all tests of a file

/** Registers a test with a tab of its own. */
export function testInBrowser(name: string, body: (tab: Tab) => Promise<void>): void {
  const notes = Deno.env.get(NOT_RUN);
  if (isIgnored && notes) Deno.writeTextFileSync(notes, `${NO_BROWSER}\n`, { append: true });
  Deno.test({
    name: `browser: ${name}`,
    ignore: isIgnored,
    // A browser's process, pipes and timers are not the test's.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const tab = await newTab(await (browser ??= launch()));
      await body(tab);
      await tab.page.close();
    },
  });
}

Deno.test.afterAll(async () => {
  await (await browser)?.close();
});

async function launch(): Promise<Browser> {
  if (found === undefined) {
    throw new Error(
      `Cannot test pages as they need a Chromium: there is none at ${
        named ?? PLACES.join(", ")
      }. Install it (apt-get install chromium), or name it: CHROMIUM=/path/to/it`,
    );
  }
  return await puppeteer.launch({
    executablePath: found,
    headless: true,
    pipe: true, // it ends with this process, however that ends
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"],
      "--enable-unsafe-webgpu", // which a browser without a graphics card does not offer else
    ],
  });
}

async function newTab(browser: Browser): Promise<Tab> {
  const page = await browser.newPage();
  const requests: string[] = [], said: string[] = [];
  let own = "";
  page.on("request", (request) => {
    if (request.url() !== own) requests.push(request.url());
  });
  page.on("console", (line) => void said.push(line.text()));
  page.on("pageerror", (error) => void said.push(String(error)));
  page.on("dialog", async (dialog) => {
    said.push(`${dialog.type()}: ${dialog.message()}`);
    await dialog.dismiss();
  });
  return {
    page,
    requests,
    said,
    async open(path) {
      requests.length = said.length = 0;
      own = new URL(`file://${path}`).href;
      await page.goto(own);
    },
  };
}
