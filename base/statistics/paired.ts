/** Tests of whether one of two lists of paired values is higher. @module */
import { normalCdf, studentCdf } from "./distributions.ts";
import { mean, standardError } from "./moments.ts";

/**
 * Student's t of paired values, two-sided, as `scipy.stats.ttest_rel`: whether the mean of a - b may be 0. NaN
 * of fewer than two pairs, and where all differences are 0.
 */
export function pairedT(difference: readonly number[]): { t: number; df: number; p: number } {
  const df = difference.length - 1, t = mean(difference) / standardError(difference);
  if (Number.isNaN(t)) return { t, df, p: NaN };
  return { t, df, p: Number.isFinite(t) ? Math.min(1, 2 * studentCdf(-Math.abs(t), df)) : 0 };
}

/** What Wilcoxon's test says. */
export interface SignedRanks {
  /** The smaller sum of ranks, of those that went up and of those that went down. */
  statistic: number;
  /** Two-sided; NaN where no difference is other than 0. */
  p: number;
  /** "exact": over all signs; "normal": by the normal approximation, without a correction of continuity. */
  method: "exact" | "normal";
}

/**
 * Wilcoxon's signed rank test (1945), two-sided, as `scipy.stats.wilcoxon` does it by default: differences of 0
 * are left out; exact up to 50 pairs without ties and zeros, and up to 13 with them; else normal, with the
 * variance that ties leave.
 */
export function signedRanks(difference: readonly number[]): SignedRanks {
  const nonzero = difference.filter((d) => d !== 0), { ranks, ties } = averageRanks(nonzero);
  let up = 0;
  nonzero.forEach((d, i) => up += d > 0 ? ranks[i] : 0);
  const n = nonzero.length, total = n * (n + 1) / 2, statistic = Math.min(up, total - up);
  const isPlain = n === difference.length && ties.every((size) => size === 1);
  const isExact = difference.length <= (isPlain ? 50 : 13);
  if (n === 0) return { statistic, p: NaN, method: isExact ? "exact" : "normal" };
  if (isExact) return { statistic, p: exactTail(ranks, statistic), method: "exact" };
  const tied = ties.reduce((sum, size) => sum + size ** 3 - size, 0);
  const std = Math.sqrt((n * (n + 1) * (2 * n + 1) - tied / 2) / 24);
  return {
    statistic,
    p: Math.min(1, 2 * normalCdf((statistic - total / 2) / std)),
    method: "normal",
  };
}

/** Ranks of |d| from 1, equal ones share theirs, and how many share each. */
function averageRanks(values: readonly number[]): { ranks: number[]; ties: number[] } {
  const order = values.map((_, i) => i).sort((a, b) => Math.abs(values[a]) - Math.abs(values[b]));
  const ranks = Array<number>(values.length), ties: number[] = [];
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to < order.length && Math.abs(values[order[to]]) === Math.abs(values[order[from]])) to++;
    for (let at = from; at < to; at++) ranks[order[at]] = (from + 1 + to) / 2;
    ties.push(to - from);
    from = to;
  }
  return { ranks, ties };
}

/** 2 P(sum of the ranks with a positive sign <= statistic), every choice of signs as likely; 1 at most. */
function exactTail(ranks: readonly number[], statistic: number): number {
  const halves = ranks.map((rank) => 2 * rank); // whole numbers, shared ranks too
  const share = new Float64Array(halves.reduce((sum, half) => sum + half, 0) + 1);
  share[0] = 1;
  for (const half of halves) {
    for (let sum = share.length - 1; sum >= 0; sum--) {
      share[sum] = (share[sum] + (sum >= half ? share[sum - half] : 0)) / 2;
    }
  }
  const tail = share.subarray(0, 2 * statistic + 1).reduce((sum, one) => sum + one, 0);
  return Math.min(1, 2 * tail);
}
