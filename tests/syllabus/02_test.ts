import { answer } from "./_claims.ts";

const page = "02-products-and-twins";

answer({
  page,
  says: "one number of dy reaches one row of dx and one column of dW",
  example: 1,
  change: [["Float32Array.of(1, 1, 1, 1)", "Float32Array.of(1, 0, 0, 0)"]],
  prints: ["7 9 11 0 0 0", "1 0 2 0 3 0"],
});

answer({
  page,
  says: "a wrong orientation raises no error and gives other numbers",
  example: 1,
  change: [[
    '{ M: 2, N: 3, K: 2, orientation: "NT" }',
    '{ M: 2, N: 3, K: 2, orientation: "NN" }',
  ]],
  prints: ["17 19 21 17 19 21"],
});
