/** An embedding space behind an OpenAI-compatible server. @module */
import { asUsage } from "../../base/usage.ts";
import type { TextEmbedder } from "../reward.ts";
import type { Servers } from "../servers/servers.ts";
import { Space } from "./space.ts";

/**
 * Opens the space of `model`; one text is asked for, so that what is wrong comes up before a run begins.
 * White space around a text does not count; an empty one has null, one whose request failed undefined.
 * @throws what `Servers.connect` and `Connection.ask` throw, and {TypeError} without a model's name
 */
export async function openServerEmbedder(
  address: string,
  model: string | undefined,
  servers: Servers,
): Promise<TextEmbedder> {
  const connection = servers.connect("embedding", address, "semanticEmbedder");
  if (!model) {
    throw asUsage(
      new TypeError(
        `Cannot ask ${connection.name} as semanticEmbeddingModel must name its model: it is missing`,
      ),
    );
  }
  const space = new Space(connection, model, servers);
  const [first] = await space.vectors(["dimensions"], true);
  return {
    name: `${model} at ${connection.name}`,
    dimensions: space.dimensions = first!.length,
    async embed(texts) {
      const trimmed = texts.map((text) => text.trim());
      const distinct = [...new Set(trimmed)].filter((text) => text !== "");
      const vectors = await space.vectors(distinct);
      const of = new Map(distinct.map((text, i) => [text, vectors[i]]));
      return trimmed.map((text) => text === "" ? null : of.get(text));
    },
  };
}
