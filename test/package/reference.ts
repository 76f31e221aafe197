/** Builds the reference of every entry point into docs/, or fails at the first warning: npm run docs. */

import { readFileSync } from "node:fs";
import { Application, type DeclarationReflection, ReflectionKind } from "typedoc";

const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
const built = Object.values<string | { default?: string }>(exports).flatMap(
  (target) => (typeof target === "object" && target.default) || [],
);

const application = await Application.bootstrapWithPlugins({
  name: "ikelet",
  entryPoints: built.map((file) => file.replace(/^\.\/dist\/(.*)\.js$/, "src/$1.ts")),
  readme: "README.md",
  // Links to source lines would need to know where the repository is published.
  disableSources: true,
  treatWarningsAsErrors: true,
  validation: { notExported: true, invalidLink: true, notDocumented: true },
  requiredToBeDocumented: ["Function", "Interface", "TypeAlias"],
});
const project = await application.convert();
if (project) {
  application.validate(project);
  // Of the numbers that IANA registers only the first of each kind says where they stand.
  for (const { name, comment } of project.getReflectionsByKind(
    ReflectionKind.Variable,
  ) as DeclarationReflection[])
    if (!comment && name !== name.toUpperCase()) application.logger.warn(`${name}: no documentation`);
  await application.generateDocs(project, "docs");
}
if (application.logger.hasErrors() || application.logger.hasWarnings() || !project) process.exitCode = 1;
