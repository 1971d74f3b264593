// One suite for every implementation of packages/transport/src/link.ts, and for pairs of them. It uses only that interface.
// Flags of the subject state what an implementation cannot do; other tests cover what an implementation does in addition.

import { beforeEach, describe } from "vitest";
import { addressCases } from "./address-cases.ts";
import { closingCases } from "./closing-cases.ts";
import { messageCases } from "./message-cases.ts";
import { peerCases } from "./peer-cases.ts";
import { pressureCases } from "./pressure-cases.ts";
import type { Subject } from "./subject.ts";
import { TestLinks } from "./test-links.ts";

/** Registers the tests of one subject. */
export function linkCompliance(subject: Subject): void {
  describe(`a router of ${subject.router} and dealers of ${subject.dealer} over ${subject.kind}`, () => {
    let current: TestLinks;
    const links = () => current;

    beforeEach(() => {
      current = new TestLinks(subject);
    });

    describe("addresses", () => addressCases(links, subject.kind, subject.can.keepPeersOnUnbind));
    describe("messages", () => messageCases(links));
    describe("peers", () => peerCases(links, subject.can));
    describe("back-pressure", () => pressureCases(links));
    describe("closing", () => closingCases(links, subject));
  });
}
