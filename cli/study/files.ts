/** What a study writes beside its runs. @module */
import { join } from "node:path";
import { csvLines, guard, numberCell } from "../../experiment/folder/csv.ts";
import { replaceFile } from "../../experiment/folder/files.ts";
import { markdown, markdownTable } from "../report/markdown.ts";
import { ARM } from "./plan.ts";
import { resultRows, type StudyPage, studyPage } from "./page.ts";

/** Its page. */
export const STUDY_PAGE = "study.html";

/** Page, table for programs, and what a document may take over. @throws {WriteError} */
export async function writeStudy(folder: string, page: StudyPage): Promise<void> {
  await replaceFile(join(folder, STUDY_PAGE), await studyPage(page));
  await replaceFile(join(folder, "study.csv"), studyCsv(page));
  await replaceFile(join(folder, "study.md"), studyMarkdown(page));
}

/** A row a run: arm, seed, state, every measure. */
export function studyCsv({ facts, results, study: { measures } }: StudyPage): string {
  return csvLines([
    ["arm", "seed", "state", ...measures.map(({ name }) => name)],
    ...facts.map(({ cell: { values }, state }) => [
      ...[guard(values[ARM]), values.seed, state],
      ...measures.map((measure) =>
        numberCell(results.value(values[ARM], Number(values.seed), measure))
      ),
    ]),
  ]);
}

/** Question, answer and table as Markdown. */
export function studyMarkdown(page: StudyPage): string {
  const { study, results, command } = page, { heads, rows } = resultRows(page);
  const text = (cells: readonly string[]) => cells.slice(1).map(markdown);
  return [
    `## ${study.title}`,
    markdown(study.question),
    markdownTable([text(heads), ...rows.map(text)]),
    study.answer(results).map((sentence) => `- ${markdown(sentence)}`).join("\n"),
    `\`${command}\``,
    "",
  ].join("\n\n");
}
