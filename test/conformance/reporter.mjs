/**
 * A reporter for node:test that says which requirements the tests have shown. A test names its rows in square
 * brackets: "AUTH covers the cookie [7296-2.15-d, 7296-2.6-i]". A row that no passing test names needs a reason
 * in left.json; without one, or if a reason is given for a row that is shown, the run fails.
 */
import { readFileSync } from "node:fs";

const read = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8"));
const rows = read("rows.json");
const reasons = read("left.json");
const known = new Set(rows.map(({ id }) => id));

function rowsOf(name) {
  return [...name.matchAll(/\[([^\]]*)\]/g)].flatMap(([, list]) =>
    list.split(/,\s*/).filter((id) => /^(\d{4}|REC)-\S+$/.test(id)),
  );
}

export default async function* conformance(source) {
  const shown = new Set();
  const failed = new Set();
  const unknown = new Set();
  for await (const { type, data } of source) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    for (const id of rowsOf(data.name)) {
      if (!known.has(id)) unknown.add(id);
      else if (type === "test:fail") failed.add(id);
      else if (!data.skip && !data.todo) shown.add(id);
    }
  }
  for (const id of failed) shown.delete(id);

  yield "\nconformance: requirements shown by tests\n\n";
  yield "module        rows  shown  left  without reason\n";
  const problems = [...unknown].map((id) => `${id}: named by a test, but no row has this name`);
  for (const module of new Set(rows.map((row) => row.module))) {
    const all = rows.filter((row) => row.module === module);
    const left = all.filter(({ id }) => !shown.has(id));
    const silent = left.filter(({ id }) => !reasons[id]);
    problems.push(...silent.map(({ id, strength, text }) => `${id} (${strength}): not shown: ${text}`));
    yield `${module.padEnd(12)} ${[all, all.filter(({ id }) => shown.has(id)), left, silent]
      .map((list) => String(list.length).padStart(5))
      .join(" ")}\n`;
  }
  yield "\nleft, and why\n\n";
  for (const { id, strength } of rows)
    if (!shown.has(id) && reasons[id]) yield `${id} (${strength}): ${reasons[id]}\n`;
  for (const id of Object.keys(reasons)) {
    if (!known.has(id)) problems.push(`${id}: left with a reason, but no row has this name`);
    else if (shown.has(id)) problems.push(`${id}: left with a reason, but a test shows it`);
  }
  if (problems.length) {
    yield `\nconformance: ${problems.length} problems\n${problems.join("\n")}\n`;
    process.exitCode = 1;
  }
}
