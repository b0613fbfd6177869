import { answer } from "./_claims.ts";

const page = "06-block-and-finite-differences";

answer({
  page,
  says: "in f32 the slope of a small gradient is lost in rounding",
  example: 1,
  change: [['new CpuDevice({ precision: "f64" })', "new CpuDevice()"], [
    "Math.abs(slope / gradient[at] - 1) < 1e-6",
    "Math.abs(slope / gradient[at] - 1) < 1e-6, slope",
  ]],
  prints: ["false 0"],
});

for (const [h, twice] of [["1", "2"], ["1e-10", "2e-10"]]) {
  answer({
    page,
    says: `with steps of ${h} the slope is not that of the gradient`,
    example: 1,
    change: [[
      "(await lossAt(1e-4) - await lossAt(-1e-4)) / 2e-4",
      `(await lossAt(${h}) - await lossAt(-${h})) / ${twice}`,
    ]],
    prints: ["false"],
  });
}
