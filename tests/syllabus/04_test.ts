import { answer } from "./_claims.ts";

const page = "04-softmax-and-norm";

answer({
  page,
  says: "layer norm forgets size and offset",
  example: 1,
  change: [["vector(1, 2, 3, 4)", "vector(10, 20, 30, 40)"]],
  prints: ["25.0000 0.0894", "-1.3416 -0.4472 0.4472 1.3416"],
});

answer({
  page,
  says: "layer norm of equal numbers is 0, by its eps",
  example: 1,
  change: [["vector(1, 2, 3, 4)", "vector(3, 3, 3, 3)"]],
  prints: ["316.2278", "0.0000 0.0000 0.0000 0.0000"],
});
