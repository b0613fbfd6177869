/** The models that ship with the project. @module */
import { assetUrl } from "../../base/assets.ts";

/** Their folders by the name that people give them; the first is the default. */
export const SHIPPED: Readonly<Record<string, URL>> = {
  tiny: assetUrl("tiny/"),
  small: assetUrl("small/"),
};

/** Whether a name is that of such a model: it comes before a folder of that name. */
export const isShipped = (name: string): boolean => Object.hasOwn(SHIPPED, name);

/** The names as an error's list of models begins with them: `"tiny", "small", `. */
export const SHIPPED_LIST: string = Object.keys(SHIPPED).map((name) => `"${name}", `).join("");

/** The default model. */
export const TINY: URL = SHIPPED.tiny;
