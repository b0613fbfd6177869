/** Quantities as people read them. @module */

/** Bytes in MiB, from 1 GiB on in GiB. */
export function formatBytes(bytes: number): string {
  return bytes < 2 ** 30
    ? `${(bytes / 2 ** 20).toFixed(1)} MiB`
    : `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}

/** Settings as a command line takes them. */
export const formatSettings = (settings: Readonly<Record<string, unknown>>): string =>
  Object.entries(settings).map(([key, value]) => `${key}=${value}`).join(" ");
