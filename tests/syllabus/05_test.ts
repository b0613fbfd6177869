import { answer } from "./_claims.ts";

const page = "05-attention";

answer({
  page,
  says: "both rows see the value of row 0",
  example: 1,
  change: [["(1, 1, 10, 2", "(1, 1, 1000, 2"]],
  prints: ["1000.000 662.834"],
});

answer({
  page,
  says: "row 0 does not see the value of row 1",
  example: 1,
  change: [["40)", "1000)"]],
  prints: ["10.000 357.702"],
});

answer({
  page,
  says: "without the mean the gradient is another one, and nothing throws",
  example: 2,
  change: [["(dp[j] - mean)", "dp[j]"]],
  prints: ["false"],
});
