// npm run mutation [-- --mutate 'dist/wire/*.js']: what the tests look at is the built library, so that is what is changed.

export default {
  testRunner: "mocha",
  plugins: ["@stryker-mutator/mocha-runner"],
  testRunnerNodeArgs: ["--import", "tsx/esm", "--import", "./test/mutation/node-test.mjs"],
  mochaOptions: {
    // Without those that take long: power cuts, every bit of the transcripts, vectors.
    spec: [
      "test/{wire,initiator,nat,esp,resumption,qcd}/*.test.ts",
      "test/storage/storage.test.ts",
      "test/configuration.test.ts",
      "test/transcripts/replay.test.ts",
    ],
  },
  coverageAnalysis: "perTest",
  // Of what runs once at the start, every mutant would need a process of its own.
  ignoreStatic: true,
  mutate: ["dist/{wire,keys,sk,initiator,esp}/*.js", "dist/{nat,configuration,resumption,qcd,storage}.js"],
  ignorePatterns: ["docs", "test/*/node_modules"],
  disableTypeChecks: false,
  timeoutMS: 3000,
  concurrency: 2,
  tempDirName: "test/mutation/.sandbox",
  reporters: ["clear-text", "progress", "json"],
  jsonReporter: { fileName: "test/mutation/report/mutation.json" },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  thresholds: { high: 95, low: 90, break: 90 },
};
