/** Errors of a user's own code: the file, line and column are in the message, its stack is the cause. @module */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { excerpt } from "../../base/excerpt.ts";
import { decodedUrl, placeIn, plainText } from "../../base/thrown.ts";

const urlOf = (path: string): string => pathToFileURL(resolve(path)).href;

/** What a module threw as it was loaded or opened, with the place. */
export function fault(path: string, what: string, error: unknown): Error {
  const url = urlOf(path);
  const { message, stack = "", name = "" } = error instanceof Error
    ? error
    : { message: `${error}` };
  const told = plainText(message), place = placeIn(told) ?? placeIn(stack);
  const where = place === undefined ? "" : ` in line ${place.line}, column ${place.column}` +
    (place.url === decodedUrl(url) ? "" : ` of ${place.url}`);
  const first = told.split(/\n|\.? at file:/)[0].replace(/\.$/, "");
  const isSaid = /^\w*Error: |not found|^Requires /.test(first); // by Deno, what kind of fault it is
  const kind = name === "" || isSaid ? "" : `${name}: `;
  return new Error(
    `Cannot load ${what} ${path} as it fails${where}: ${kind}${
      excerpt(first, 300)
    }. Correct the file`,
    { cause: error },
  );
}

/**
 * What a module gave, each of whose functions names the place in the file at `path` where it throws; so do
 * those of the objects that it has, or gives, under the names in `parts`.
 */
export function guarded<T extends object>(path: string, own: T, parts: readonly string[] = []): T {
  const url = urlOf(path);
  const placed = (error: unknown): unknown => {
    const place = error instanceof Error ? placeIn(error.stack ?? "", url) : undefined;
    if (place === undefined) return error; // not of this file: it says itself whose it is
    const { name, message } = error as Error;
    return new Error(
      `${path} fails in line ${place.line}, column ${place.column}: ${name}: ${message}`,
      { cause: error },
    );
  };
  const inner = (key: PropertyKey, value: unknown): unknown =>
    parts.includes(String(key)) && typeof value === "object" && value !== null
      ? guarded(path, value)
      : value;
  const call = (key: PropertyKey, run: (...all: unknown[]) => unknown) => (...all: unknown[]) => {
    try {
      const given = run.apply(own, all);
      if (!(given instanceof Promise)) return inner(key, given);
      return given.then((value) => inner(key, value), (error) => {
        throw placed(error);
      });
    } catch (error) {
      throw placed(error);
    }
  };
  return new Proxy(own, {
    get(target, key) {
      const value = Reflect.get(target, key, target); // methods of classes may have what is private
      const { configurable = true, writable = true } =
        Reflect.getOwnPropertyDescriptor(target, key) ?? {};
      if (!configurable && !writable) return value; // a frozen one gives nothing but that
      const isMethod = typeof value === "function";
      return isMethod ? call(key, value as (...all: unknown[]) => unknown) : inner(key, value);
    },
  });
}
