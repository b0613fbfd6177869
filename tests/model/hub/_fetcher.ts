/** A process that fetches a model, and says once when a quarter of the weights is there. @module */
import { fetchModel } from "../../../model/hub/hub.ts";
import { ID, WEIGHTS } from "./_hub.ts";

const [endpoint, cache] = Deno.args;
let said = false;
await fetchModel(ID, {
  endpoint,
  cache,
  token: "",
  offline: false,
  onProgress: ({ file, done, size }) => {
    if (said || file !== WEIGHTS || done < size / 4) return;
    said = true;
    console.log("a quarter");
  },
});
