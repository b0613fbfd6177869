/** A temporary folder for one test. @module */

/** Gives `body` an empty folder and removes it afterwards, with all that is in it. */
export async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A test with such a folder. */
export function inTemporary(name: string, body: (folder: string) => Promise<void>): void {
  Deno.test(name, () => withFolder(body));
}
