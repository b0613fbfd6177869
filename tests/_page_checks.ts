/** What a page must be to be read: asked of the page as the browser shows it. @module */
import type { Page } from "puppeteer-core";
import { findFaults, readTexts, unfold } from "./_in_page.js";

/** How a page is shown. */
export interface View {
  readonly width: number;
  readonly scheme: "light" | "dark";
}

/** Phones and desks, by day and by night. */
export const VIEWS: readonly View[] = [1280, 390].flatMap((width) =>
  (["light", "dark"] as const).map((scheme) => ({ width, scheme }))
);

/** Shows the page so, with everything unfolded, and high enough that all of it is seen. */
export async function show(page: Page, { width, scheme }: View): Promise<void> {
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.setViewport({ width, height: 900 });
  const height = await page.evaluate(unfold);
  await page.setViewport({ width, height: height + 20 });
}

/**
 * What is wrong with the page as it is shown: text below 11 px or of less contrast than 4.5 to 1 with what
 * is painted under it, and whatever is wider than its place.
 */
export const faults = (page: Page): Promise<string[]> => page.evaluate(findFaults);

/** The texts that `shown` was given, read back from the elements that match. */
export const textsOf = (page: Page, selector: string): Promise<string[]> =>
  page.$$eval(selector, readTexts);
