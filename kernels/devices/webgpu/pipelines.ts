/** Compiles kernels, each once, and says where one does not compile. @module */
import type { Kernel } from "../../device.ts";
import { overridesOf } from "../launch.ts";
import { type Faults, ShaderError } from "./faults.ts";

/** A kernel ready to be launched. */
export interface Compiled {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** `text` as its compiler wants it: one that uses subgroups begins with `enables`. */
export const enabled = (text: string, enables: string): string =>
  /\bsubgroup[A-Z]/.test(text) ? enables + text : text;

/** The pipelines of one device. */
export class Pipelines {
  #compiled = new Map<string, Map<string, Compiled>>(); // by code, then entry point and constants

  /** With `enables` in front of texts that use subgroups. */
  constructor(
    readonly device: GPUDevice,
    readonly faults: Faults,
    readonly enables: string = "",
  ) {}

  /** The pipeline of `kernel`. One that does not compile is reported as a `ShaderError`. */
  get(kernel: Kernel): Compiled {
    const constants = overridesOf(kernel);
    const key = `${kernel.entryPoint} ${JSON.stringify(constants)}`;
    let variants = this.#compiled.get(kernel.code);
    if (!variants) this.#compiled.set(kernel.code, variants = new Map());
    const found = variants.get(key);
    if (found) return found;
    const compiled = this.#compile(kernel, constants);
    variants.set(key, compiled);
    return compiled;
  }

  #compile(
    { label, entryPoint, code: text }: Kernel,
    constants: Readonly<Record<string, number>>,
  ): Compiled {
    const { device, enables } = this;
    const code = enabled(text, enables);
    const { pipeline, layout } = this.faults.scope(
      "validation",
      () => {
        const module = device.createShaderModule({ label, code });
        const pipeline = device.createComputePipeline({
          label,
          layout: "auto",
          compute: { module, entryPoint, constants },
        });
        return { module, pipeline, layout: pipeline.getBindGroupLayout(0) };
      },
      async (error, { module }) => {
        const { messages } = await module.getCompilationInfo();
        const fault = messages.find(({ type }) => type === "error");
        return new ShaderError(
          `Cannot compile ${label} as its WGSL must be valid: ${reasonOf(fault ?? error)}` +
            (fault ? quote(code, fault) : ""),
        );
      },
    );
    return { pipeline, layout };
  }
}

/** What a driver's message says without its own picture of the source. */
function reasonOf({ message }: { readonly message: string }): string {
  return message.split("\n").filter((line) => line.trim() !== "" && !/[┌│]/.test(line))
    .map((line) => line.trim().replace(/^= /, "")).join("; ");
}

/** The source line with its number in the whole text, and marks below what is meant; "" for no line. */
export function quote(
  code: string,
  { lineNum, linePos, length }: Pick<GPUCompilationMessage, "lineNum" | "linePos" | "length">,
): string {
  const line = code.split("\n")[lineNum - 1];
  if (line === undefined) return "";
  const before = line.slice(0, Math.max(0, linePos - 1)).replace(/[^\t]/g, " ");
  const marks = "^".repeat(Math.max(1, Math.min(length, line.length - before.length)));
  const margin = `${lineNum}`;
  return `\n  ${margin} | ${line}\n  ${" ".repeat(margin.length)} | ${before}${marks}`;
}
