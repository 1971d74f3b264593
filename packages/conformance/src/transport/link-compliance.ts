// One suite for every implementation of packages/transport/src/link.ts, and for pairs of them. It knows the interface
// alone: what an implementation cannot do is a flag of the subject, and what an implementation does besides is tested
// beside it.

import { afterEach, beforeEach, describe } from "vitest";
import { addressCases } from "./address-cases.ts";
import { closingCases } from "./closing-cases.ts";
import { Lab } from "./lab.ts";
import { messageCases } from "./message-cases.ts";
import { peerCases } from "./peer-cases.ts";
import { pressureCases } from "./pressure-cases.ts";
import type { Subject } from "./subject.ts";

/** Registers the tests of one subject. */
export function linkCompliance(subject: Subject): void {
  describe(`a router of ${subject.router} and dealers of ${subject.dealer} over ${subject.kind}`, () => {
    let current: Lab;
    const lab = () => current;

    beforeEach(() => {
      current = new Lab(subject);
    });

    afterEach(() => current.close());

    describe("addresses", () => addressCases(lab, subject.kind, subject.can.keepPeersOnUnbind));
    describe("messages", () => messageCases(lab));
    describe("peers", () => peerCases(lab, subject.can));
    describe("back-pressure", () => pressureCases(lab));
    describe("closing", () => closingCases(lab, subject));
  });
}
