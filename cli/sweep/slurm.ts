/** A sweep as a Slurm array script: a task a run. @module */
import { join } from "node:path";
import type { Sweep } from "../../experiment/folder/sweep_file.ts";
import { quoted } from "../terminal.ts";

/**
 * The script. It runs from the folder that `sbatch` is called in, and a task that is queued again, or runs out
 * of time, goes on with its run: Slurm's TERM, a minute before the end, saves a checkpoint.
 */
export function slurmScript(
  { folder, sweep: { task, command, cells }, train, atOnce }: {
    folder: string;
    sweep: Pick<Sweep, "task" | "command" | "cells">;
    /** The words before those of a run. */
    train: string;
    /** Most tasks at once. Default: as many as Slurm starts. */
    atOnce?: number;
  },
): string {
  const most = atOnce === undefined ? "" : `%${atOnce}`;
  const arms = cells.map(({ folder: name, words }, i) =>
    `${i}) run=${quoted(join(folder, name))}; set -- ${words.map(quoted).join(" ")} ;;`
  );
  return `#!/bin/sh
# ${oneLine(command)}
#SBATCH --job-name=${task.replaceAll(/[^\w.-]/g, "-")}-sweep
#SBATCH --array=0-${cells.length - 1}${most}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@60
#SBATCH --requeue
#SBATCH --output=${oneLine(folder).replaceAll(/\s/g, "_")}/slurm-%a.txt
#SBATCH --open-mode=append
# For a card: #SBATCH --gpus=1. Change time and memory to what a run takes (train --plan).
case "$SLURM_ARRAY_TASK_ID" in
${arms.join("\n")}
*) echo "no run has the number $SLURM_ARRAY_TASK_ID: submit this with sbatch" >&2; exit 2 ;;
esac
if [ -e "$run/summary.json" ]; then exit 0; fi
for saved in "$run"/checkpoints/step-*; do
  if [ -e "$saved" ]; then exec env ${train} --quiet --resume "$run"; fi
done
rm -rf "$run"
exec env ${train} "$@" --quiet --out "$run"
`;
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ");
