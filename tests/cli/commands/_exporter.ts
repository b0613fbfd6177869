/** Places a folder again and again until it is killed; says "placed" after the first. @module */
import { placeFolder } from "../../../experiment/folder/files.ts";

const [folder, from] = Deno.args;
for (let round = Number(from);; round++) {
  await placeFolder(folder, async (to) => {
    for (const name of ["a", "b", "c"]) await Deno.writeTextFile(`${to}/${name}`, String(round));
  });
  if (round === Number(from)) console.log("placed");
}
