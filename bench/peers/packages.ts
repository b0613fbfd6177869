/**
 * The libraries that are compared. They are loaded by names that are put together when the bench runs,
 * so that neither the lock file nor a type check nor any other program asks for them.
 * @module
 */

/** Packages of npm, with their versions. */
export const PACKAGES = {
  jax: ["@jax-js/jax", "0.1.25"],
  tf: ["@tensorflow/tfjs", "4.22.0"],
  tfWebGpu: ["@tensorflow/tfjs-backend-webgpu", "4.22.0"],
} as const;

/** "@jax-js/jax 0.1.25". */
export const packageName = (key: keyof typeof PACKAGES): string => PACKAGES[key].join(" ");

/**
 * What a package exports.
 * @throws {Error} when it cannot be had, with the reason
 */
// deno-lint-ignore no-explicit-any -- its types are not loaded; each use names what it expects
export async function loadPackage(key: keyof typeof PACKAGES): Promise<any> {
  const [name, version] = PACKAGES[key];
  const specifier = `npm:${name}@${version}`;
  try {
    return await import(specifier);
  } catch (error) {
    throw new Error(
      `Cannot load ${name} ${version}: ${error instanceof Error ? error.message : error}`,
    );
  }
}
