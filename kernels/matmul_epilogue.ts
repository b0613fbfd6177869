/** Which epilogue the tensors of a matrix product ask for. @module */
import type { MatmulBuffers, MatmulDims } from "./matmul.ts";
import type { Epilogue } from "./matmul_twin.ts";

/** The epilogue. @throws {TypeError} when the tensors do not fit together */
export function epilogueOf({ bias, residual, pre }: MatmulBuffers, dims: MatmulDims): Epilogue {
  const { activation, accumulate, scale = 1 } = dims;
  const epilogue: Epilogue = activation ?? (residual ? "residual_add" : bias ? "biased" : "plain");
  const wanted = {
    plain: "",
    biased: "bias",
    residual_add: "bias residual",
    gelu: "bias pre",
    dgelu: "pre",
  };
  const given = Object.entries({ bias, residual, pre }).filter(([, t]) => t).map(([n]) => n).join(
    " ",
  );
  const adds = accumulate && epilogue !== "plain" && epilogue !== "dgelu";
  if (given !== wanted[epilogue] || adds || (scale !== 1 && epilogue !== "plain")) {
    throw new TypeError(
      `Cannot multiply with the ${epilogue} epilogue as it takes "${wanted[epilogue]}"` +
        `${adds ? " and no accumulation" : ""}${scale !== 1 ? " and no scale" : ""}: ` +
        `"${given}" was given`,
    );
  }
  return epilogue;
}
