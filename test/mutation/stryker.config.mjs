// For run.ts. What the tests look at is the built library, so that is what is changed.

export default {
  testRunner: "mocha",
  plugins: ["@stryker-mutator/mocha-runner"],
  testRunnerNodeArgs: ["--import", "tsx/esm", "--import", "./test/mutation/node-test.mjs"],
  mochaOptions: {
    // What fails first ends a mutant: first what looks at every octet of a life, last what tries at random. Without those
    // that take long: power cuts, every bit of the transcripts, vectors.
    spec: [
      "test/mutation/load.mjs",
      "test/transcripts/replay.test.ts",
      "test/wire/formats.test.ts",
      "test/initiator/*.test.ts",
      "test/configuration.test.ts",
      "test/{resumption,qcd,nat,esp,secrets,attackers,wire}/*.test.ts",
      "test/storage/storage.test.ts",
    ],
  },
  coverageAnalysis: "perTest",
  // Of what runs once at the start, every mutant would need a process of its own.
  ignoreStatic: true,
  mutate: [
    "dist/{wire,keys,sk,initiator,esp}/*.js",
    "dist/{extension,nat,configuration,resumption,qcd,storage}.js",
  ],
  ignorePatterns: ["docs", "test/*/node_modules"],
  disableTypeChecks: false,
  timeoutFactor: 1,
  timeoutMS: 3000,
  concurrency: 2,
  tempDirName: "test/mutation/.sandbox",
  cleanTempDir: "always",
  logLevel: process.stdout.isTTY ? "info" : "error",
  reporters: process.stdout.isTTY ? ["progress", "json"] : ["json"],
  jsonReporter: { fileName: "test/mutation/report/mutation.json" },
  // The verdict is run.ts's.
  thresholds: { high: 95, low: 90, break: null },
};
