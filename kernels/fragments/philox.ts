/** Random numbers in a kernel, from the table of streams that all of the project draws from. @module */
import type { RandomStream } from "../../base/random.ts";
import philox from "./philox.wgsl" with { type: "text" };

/**
 * WGSL lines: `philox`, and `fn counterOf(…) -> vec4u` of the parts of a stream's place, in their order.
 */
export function drawingFrom({ place, id }: RandomStream<string>): string {
  const parameters = place.map((part) => `${part}: u32`).join(", ");
  const words = [...place, "0u", "0u"].slice(0, 3).join(", ");
  return `${philox}\nfn counterOf(${parameters}) -> vec4u { return vec4u(${words}, ${id}u); }\n`;
}
