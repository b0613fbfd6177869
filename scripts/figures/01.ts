/** Page 1: the grid of a launch, and the invocations that have no element. @module */
import { matmul } from "../../kernels/matmul.ts";
import type { Device, Launch } from "../../kernels/device.ts";
import { CpuDevice } from "../../kernels/devices/cpu.ts";
import { cells, type Figure, svg, text } from "./_svg.ts";

/** What the launcher asks a device for: (1, 1) times (1, N). */
function launchOf(N: number): Launch {
  using device = new CpuDevice();
  const launches: Launch[] = [];
  const listening: Device = Object.create(device, {
    launch: { value: (launch: Launch) => launches.push(launch) },
  });
  const [a, b, out] = [1, N, N].map((length) => device.alloc(length, "x"));
  matmul(listening, { a, b, out }, { M: 1, N, K: 1, orientation: "NN", variant: "plain" });
  return launches[0];
}

const N = 70, WIDE = 32;

function grid(): string {
  const { groups, kernel: { workgroup } } = launchOf(N);
  const all = groups![0] * workgroup!, side = 17;
  const rows = Array.from(
    { length: all / WIDE },
    (_, r) => Array.from({ length: WIDE }, (_, c) => String(r * WIDE + c)),
  );
  const parts = rows.map((row, r) => {
    const group = Math.floor(r * WIDE / workgroup!);
    const y = 40 + r * side + group * 30;
    return cells({ x: 12, y, width: side, height: side }, [row], (_, c) => ({
      tone: r * WIDE + c < N ? 1 : 5,
      strength: r * WIDE + c < N ? 0.3 : 0.12,
      size: 8,
      soft: r * WIDE + c >= N,
    }));
  });
  const heads = Array.from(
    { length: groups![0] },
    (_, g) =>
      text(
        12,
        32 + g * (30 + 2 * side),
        `workgroup ${g}: invocations ${g * workgroup!} to ${(g + 1) * workgroup! - 1}`,
        { size: 11 },
      ),
  );
  return svg(
    {
      title: `The grid of a launch over ${N} elements`,
      desc:
        `${groups![0]} workgroups of ${workgroup} invocations: ${all} in all, of which the last ` +
        `${all - N} have no element and must do nothing.`,
      width: 24 + WIDE * side,
      height: 40 + rows.length * side + 30 + 34,
    },
    ...heads,
    ...parts,
    text(
      12,
      40 + rows.length * side + 30 + 22,
      `${N} elements (blue) need ${
        groups![0]
      } workgroups of ${workgroup}; the guard sends the other ${all - N} (red) home`,
      { size: 11 },
    ),
  );
}

export const figures: readonly Figure[] = [{ file: "01-grid.svg", draw: grid }];
