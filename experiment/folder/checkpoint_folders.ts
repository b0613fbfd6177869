/** The checkpoints of one run on disk: each is whole under its name or not there, and the last few are kept. @module */
import { join } from "node:path";
import { type Disk, disk } from "../../model/files/disk.ts";
import { flushTree, ignoreAbsent, makeIfAbsent, temporaryName, writeError } from "./files.ts";
import { requireWithin } from "./links.ts";
import { keptSteps } from "./retention.ts";
import { checkpointFolder, checkpointSteps } from "./run_data.ts";

/** Writes and removes checkpoints of the run in `folder`. */
export class CheckpointFolders {
  constructor(readonly folder: string, readonly io: Disk = disk) {}

  /**
   * Writes one through `write`, under a temporary name, and gives it its name when it is whole and on disk.
   * One that is there already stays.
   * @throws {WriteError} when the disk is full, read-only, …; nothing of it is then left
   */
  async place(step: number, write: (temporary: string) => Promise<void>): Promise<void> {
    const place = join(this.folder, "checkpoints");
    const path = checkpointFolder(this.folder, step), temporary = temporaryName(path);
    if ((await checkpointSteps(this.folder)).includes(step)) return;
    try {
      await requireWithin(this.folder, place);
      await makeIfAbsent(place, this.io);
      await this.io.makeFolder(temporary);
      await write(temporary);
      await flushTree(temporary, this.io);
      await this.io.rename(temporary, path);
      await this.io.flush(place);
    } catch (error) {
      await this.#remove(temporary).catch(() => {}); // it may never have been made
      throw writeError(path, error);
    }
  }

  /** Removes those that `keptSteps` does not keep; up to `good` all is well. */
  async prune(of: { newest: number; good?: number; best?: number }): Promise<void> {
    const there = await checkpointSteps(this.folder),
      kept = keptSteps(there, of);
    for (const old of there.filter((other) => !kept.includes(other))) {
      const path = checkpointFolder(this.folder, old);
      // Renamed first: a kill amid the removal must not leave half a checkpoint under its name.
      const doomed = temporaryName(path);
      try {
        await requireWithin(this.folder, path);
        await this.io.rename(path, doomed);
        await this.#remove(doomed);
      } catch (error) {
        throw writeError(path, error);
      }
    }
  }

  /**
   * Gives those of later steps than `step` a name that no run looks for: they are damaged, or of a course
   * that the run leaves, and it will come by their steps again.
   */
  async setAside(step: number): Promise<void> {
    for (const later of (await checkpointSteps(this.folder)).filter((other) => other > step)) {
      const path = checkpointFolder(this.folder, later), aside = `${path}.unused`;
      try {
        await requireWithin(this.folder, path);
        await this.#remove(aside).catch(ignoreAbsent);
        await this.io.rename(path, aside);
      } catch (error) {
        throw writeError(path, error);
      }
    }
  }

  async #remove(path: string): Promise<void> {
    await requireWithin(this.folder, path);
    await this.io.remove(path);
  }
}
