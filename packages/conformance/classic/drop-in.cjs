// Preloaded into programs that were written for npm pigato 0.0.46: its own examples and tests, run as they stand. What
// they require of the library is the original or ours, as PIGATO_LIBRARY says; the broker of `config.json` is the one of
// the test, the web server that is long gone is the test's, too, and so is the number of requests in a flood.
"use strict";

const fs = require("node:fs");
const http = require("node:http");
const Module = require("node:module");
const path = require("node:path");

const { PIGATO_LIBRARY, PIGATO_ADDRESS, PIGATO_STOCKS, PIGATO_FLOOD, PIGATO_TEST_BUNDLES } = process.env;
const ORIGINAL = path.dirname(require.resolve("pigato-classic/package.json"));
/** Ours is a bundle, if there is one: see programs.ts of the testkit. */
const OURS = PIGATO_TEST_BUNDLES ? path.join(PIGATO_TEST_BUNDLES, "packages/pigato/src/index.cjs") : "pigato";
const LIBRARY = require.resolve(PIGATO_LIBRARY === "ours" ? OURS : "pigato-classic");
const OTHERS = new Map([
  ["zmq", require.resolve("./zmq-on-zeromq/index.js")],
  ["chai", require.resolve("chai")],
]);

const { _resolveFilename: resolve } = Module;
Module._resolveFilename = function (request, parent, ...rest) {
  const file = OTHERS.get(request) ?? resolve.call(this, request, parent, ...rest);
  if (PIGATO_LIBRARY !== "ours") return file;
  // However a program spells it: what would be the original is ours.
  if (file === path.join(ORIGINAL, "index.js")) return LIBRARY;
  if (file === path.join(ORIGINAL, "lib/Broker.js")) throw new Error("the original was loaded in place of ours");
  return file;
};

const { _compile: compile } = Module.prototype;
Module.prototype._compile = function (text, file, ...rest) {
  return compile.call(
    this,
    file.endsWith("client-flood.js") ? text.replace("100000", PIGATO_FLOOD) : text,
    file,
    ...rest,
  );
};

const { readFileSync } = fs;
fs.readFileSync = (file, ...rest) =>
  String(file).endsWith("config.json") && PIGATO_ADDRESS
    ? JSON.stringify({ broker: { host: PIGATO_ADDRESS } })
    : readFileSync(file, ...rest);

const { get } = http;
http.get = (url, ...rest) => get(String(url).replace("http://ichart.finance.yahoo.com", PIGATO_STOCKS), ...rest);
