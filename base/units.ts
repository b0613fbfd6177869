/** Quantities as people read them. @module */

/** Bytes in MiB, from 1 GiB on in GiB. */
export function formatBytes(bytes: number): string {
  return bytes < 2 ** 30
    ? `${(bytes / 2 ** 20).toFixed(1)} MiB`
    : `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}

/** `1 run`, `3 runs` */
export const counted = (count: number, name: string): string =>
  `${count} ${name}${count === 1 ? "" : "s"}`;

/** So many digits behind the point; what rounds to 0 has no sign. */
export function decimals(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return /^-[0.]+$/.test(text) ? text.slice(1) : text;
}

/** Settings as a command line takes them. */
export const formatSettings = (settings: Readonly<Record<string, unknown>>): string =>
  Object.entries(settings).map(([key, value]) => `${key}=${value}`).join(" ");
