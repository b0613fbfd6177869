/**
 * One file of a hub into its cache: resumed after a cut, checked by hash, and put in its place
 * only when it is whole.
 *
 * No lock is taken, as locks are kept by no network file system for sure. Each process writes a file
 * of its own, `HASH.UUID.incomplete`, and only appends to it; another one may copy what is there.
 * @module
 */
import { type HubConnection, type Reply, request } from "./client.ts";
import { HubError, RetryableError } from "./errors.ts";
import { isWhole, PartialFile, type RemoteFile } from "./partial_file.ts";
import { retrying } from "./retry.ts";

/**
 * Puts `remote` at `path`; gives the bytes that came over the network. `report` gets the bytes that
 * are there, after each chunk.
 * @throws {HubError} and leaves `path` as it was; what has come is kept for the next time
 */
export async function fetchFile(
  hub: HubConnection,
  remote: RemoteFile,
  path: string,
  report: (done: number) => void = () => {},
): Promise<number> {
  await using file = await PartialFile.create(path, remote, report);
  try {
    await file.takeOver();
    const mine = await retrying(hub, async () => {
      if (await isWhole(path, remote)) return false; // another process was first
      if (file.at < remote.size || remote.size === 0) await receive(hub, remote, file);
      await file.check(hub);
      return true;
    });
    if (mine) await file.finish();
  } catch (error) {
    file.keep = file.at > 0 && (error instanceof HubError || hub.signal?.aborted === true);
    throw error;
  }
  return file.arrived;
}

/** One request for the bytes that are missing. */
async function receive(hub: HubConnection, remote: RemoteFile, file: PartialFile): Promise<void> {
  const { name, path, size } = remote;
  const reply = await request(hub, path, { what: name, headers: rangeFrom(file) });
  const fits = file.at > 0 ? continues(reply, file, size) : reply.status === 200;
  if (!fits) {
    await file.restart();
    if (reply.status !== 200) { // else the whole file comes, from its beginning
      await reply.drop();
      throw new RetryableError("answer", `Cannot use ${name} as another part than asked for came`);
    }
  }
  if (reply.headers.get("content-type")?.startsWith("text/html")) {
    await reply.drop();
    throw new HubError(
      "answer",
      `Cannot fetch ${name} as a page came in its place: a proxy or a login may stand in between`,
    );
  }
  file.validator = reply.headers.get("etag");
  let end = `it ends early`, cause: unknown;
  try {
    for await (const chunk of reply.chunks()) {
      file.arrived += chunk.length;
      if (file.at + chunk.length > size) return await file.refuse(hub, "more came");
      await file.append(chunk);
    }
  } catch (error) {
    if (!(error instanceof RetryableError)) throw error;
    [end, cause] = [error.message, error];
  }
  if (file.at === size) return;
  throw new RetryableError(
    "unreachable",
    `Cannot fetch the rest of ${name}, from byte ${file.at} of ${size}: ${end}`,
    { progress: file.advanced(), cause },
  );
}

const rangeFrom = ({ at, validator }: PartialFile): Record<string, string> => {
  if (at === 0) return {};
  // A weak validator may not stand in If-Range; the hash decides in any case.
  const range = `bytes=${at}-`;
  return validator?.startsWith('"') ? { range, "if-range": validator } : { range };
};

/** Whether a reply is the rest of the file. */
function continues(
  { status, headers }: Reply,
  { at, validator }: PartialFile,
  size: number,
): boolean {
  const etag = headers.get("etag");
  return status === 206 && headers.get("content-range") === `bytes ${at}-${size - 1}/${size}` &&
    !headers.has("content-encoding") && (validator === null || etag === null || etag === validator);
}
