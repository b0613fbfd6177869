/** How long work takes on a device: as `deno task tune` measures it. @module */
export * from "../cli/measure.ts";
