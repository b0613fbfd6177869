/** Files that are whole or absent: written under a temporary name, then renamed. @module */

/**
 * Writes a file through `body` and puts it in the place of `path` when it is complete and on disk.
 * When `body` fails, the temporary file is removed and `path` stays as it was.
 */
export async function replaceFile(
  path: string,
  body: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.tmp-${crypto.randomUUID()}`;
  const file = await Deno.open(temporary, { write: true, createNew: true });
  try {
    try {
      await body(async (bytes) => {
        for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      });
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

/** As `replaceFile`, for text. */
export function replaceText(path: string, text: string): Promise<void> {
  return replaceFile(path, (write) => write(new TextEncoder().encode(text)));
}

/**
 * What a JSON file says; undefined where there is no such file.
 * @throws {TypeError} when it is no JSON
 */
export async function readJson(path: string): Promise<unknown> {
  const text = await Deno.readTextFile(path).catch((error: unknown) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TypeError(`Cannot use ${path} as it must be JSON: ${(error as Error).message}`);
  }
}
