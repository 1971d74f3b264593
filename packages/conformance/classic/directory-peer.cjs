// The original's directory service under test.
"use strict";

class DirectoryPeer {
  #directory;

  constructor(library, { address, conf }) {
    this.#directory = new library.services.Directory(address, conf);
  }

  start() {
    this.#directory.start();
  }

  stop() {
    this.#directory.stop();
  }
}

module.exports = { DirectoryPeer };
