/** What the mutants of a run say about the tests. */

/** In per cent. */
export const LOWEST_SCORE = 90;

/** Why a change that no test notices does no harm. */
export interface Explanation {
  readonly file: string;
  /** The whole line, without indentation. */
  readonly line: string;
  /** What is replaced, white space as one blank. */
  readonly code: string;
  readonly replacement: string;
  readonly why: string;
}

interface Position {
  readonly line: number;
  readonly column: number;
}

interface Mutant {
  readonly status: string;
  readonly replacement: string;
  readonly location: { readonly start: Position; readonly end: Position };
}

/** Of Stryker, as far as it is needed. */
export interface Report {
  readonly files: {
    readonly [name: string]: { readonly source: string; readonly mutants: readonly Mutant[] };
  };
}

export interface Score {
  readonly name: string;
  readonly mutants: number;
  readonly killed: number;
  /** Of those killed: the ones that ran for ever. */
  readonly timedOut: number;
  readonly errorTexts: number;
  readonly explained: number;
  readonly survivors: number;
  /** In per cent: killed of all. */
  readonly score: number;
}

export interface Survivor extends Omit<Explanation, "why"> {
  readonly at: number;
}

export interface Verdict {
  readonly files: readonly Score[];
  readonly all: Score;
  /** Mutants of code that runs once, when a module is loaded. */
  readonly skipped: number;
  readonly survivors: readonly Survivor[];
  /** Explanations of what is not there any more, or has been killed. */
  readonly stale: readonly Explanation[];
  readonly fails: boolean;
}

const KILLED: readonly string[] = ["Killed", "Timeout"];

function offset(lines: readonly string[], { line, column }: Position): number {
  return lines.slice(0, line - 1).reduce((sum, { length }) => sum + length + 1, 0) + column - 1;
}

const oneBlank = (code: string): string => code.replace(/\s+/g, " ").trim();

function score(name: string, parts: readonly Omit<Score, "name" | "score">[]): Score {
  const sum = (key: keyof (typeof parts)[number]): number =>
    parts.reduce((total, part) => total + part[key], 0);
  const [mutants, killed] = [sum("mutants"), sum("killed")];
  return {
    name,
    mutants,
    killed,
    timedOut: sum("timedOut"),
    errorTexts: sum("errorTexts"),
    explained: sum("explained"),
    survivors: sum("survivors"),
    score: mutants ? (100 * killed) / mutants : 100,
  };
}

export function judge({ files }: Report, explanations: readonly Explanation[]): Verdict {
  const survivors: Survivor[] = [];
  const stale = explanations.filter(
    ({ file, line }) => files[file] && !files[file].source.split("\n").some((code) => code.trim() === line),
  );
  let skipped = 0;
  const scores = Object.entries(files).map(([file, { source, mutants }]) => {
    const lines = source.split("\n");
    const count = { mutants: 0, killed: 0, timedOut: 0, errorTexts: 0, explained: 0, survivors: 0 };
    for (const { status, replacement, location } of mutants) {
      if (status === "Ignored") {
        skipped++;
        continue;
      }
      count.mutants++;
      const start = offset(lines, location.start);
      const mutant = {
        file,
        line: lines[location.start.line - 1]!.trim(),
        code: oneBlank(source.slice(start, offset(lines, location.end))),
        replacement: oneBlank(replacement),
      };
      const keys = ["file", "line", "code", "replacement"] as const;
      const why = explanations.find((explanation) => keys.every((key) => explanation[key] === mutant[key]));
      if (KILLED.includes(status)) {
        count.killed++;
        if (status === "Timeout") count.timedOut++;
        if (why) stale.push(why);
      }
      // The whole text of an error: its code, and the field that it names, are tested elsewhere.
      else if (/misuse\("\w+", $/.test(source.slice(0, start))) count.errorTexts++;
      else if (why) count.explained++;
      else {
        count.survivors++;
        survivors.push({ ...mutant, at: location.start.line });
      }
    }
    return score(file, [count]);
  });
  const all = score("all", scores);
  const fails = all.score < LOWEST_SCORE || survivors.length > 0 || stale.length > 0 || !all.mutants;
  return { files: scores, all, skipped, survivors, stale, fails };
}
