/** Models of the Hugging Face hub, downloaded into the hub's own cache (`cache.ts`). @module */
import { cachedModel, cachePaths, type HubModel } from "./cache.ts";
import { HubError } from "./errors.ts";
import { ADAPTER, ADAPTER_WEIGHTS, baseOf, INDEX, shardsOf, wanted, WEIGHTS } from "./parts.ts";
import {
  describeFile,
  type FetchedFile,
  fetchInto,
  keepRevision,
  openRepository,
  repositoryLine,
  sweepRepository,
} from "./repository.ts";
import { connection, type HubOptions, isOffline } from "./settings.ts";

/** A model that was downloaded. */
export interface FetchedModel extends HubModel {
  readonly endpoint: string;
  readonly files: readonly FetchedFile[];
  readonly base?: FetchedModel;
}

/**
 * Downloads `owner/name[@revision]`, or what of it is not in the cache; files that are there are
 * checked by hash. Resumes what was cut off before. `gpt2` and other old names without an owner stand
 * for what they are called now. Of an adapter that PEFT saved, its base is downloaded too.
 * @throws {HubError}
 */
export function fetchModel(model: string, options: HubOptions = {}): Promise<FetchedModel> {
  return fetchOne(model, options);
}

/** `adapter`: whose base this is, which may not be another adapter. */
async function fetchOne(
  model: string,
  options: HubOptions,
  adapter?: string,
): Promise<FetchedModel> {
  const paths = cachePaths(model, options);
  if (isOffline(options)) return await offline(model, options, paths.home);
  const hub = connection(options);
  const repository = await openRepository(hub, paths);
  const { given, id, revision, commit, names, folder } = repository;
  const files: FetchedFile[] = [];
  const get = async (name: string): Promise<void> => {
    files.push(await fetchInto(repository, await describeFile(repository, name), options));
  };
  const { now, tokenizer } = wanted(names, model, adapter);
  for (const name of now) await get(name);
  const isAdapter = now.includes(ADAPTER);
  // What an adapter is for is known before its weights are asked for.
  const named = isAdapter ? await baseOf(folder, model) : undefined;
  const weights = isAdapter
    ? [ADAPTER_WEIGHTS]
    : now.includes(INDEX)
    ? await shardsOf(folder)
    : [WEIGHTS];
  for (const name of [...tokenizer, ...weights]) await get(name);
  await sweepRepository(repository);
  const base = named === undefined ? undefined : await fetchOne(named, options, model);
  await keepRevision(repository);
  const { endpoint } = hub;
  return { given, id, revision, commit, folder, endpoint, files, ...(base && { base }) };
}

/** The model as it is in the cache, where no connection may be opened. */
async function offline(model: string, options: HubOptions, home: string): Promise<FetchedModel> {
  const found = await cachedModel(model, options);
  const of = (one: HubModel): FetchedModel => ({
    ...one,
    endpoint: "the cache",
    files: [],
    base: one.base && of(one.base),
  });
  if (found) return of(found);
  throw new HubError(
    "offline",
    `Cannot fetch ${model} as HF_HUB_OFFLINE is set and ${home} does not have it: unset it`,
  );
}

/** One line: what was fetched, from where, into which folder; of an adapter, the same of its base. */
export function fetchedLine(model: FetchedModel): string {
  const { base } = model;
  return repositoryLine(model) + (base ? `; an adapter for ${fetchedLine(base)}` : "");
}
