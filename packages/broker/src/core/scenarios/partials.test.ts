import { expect, test } from "vitest";
import { type Scenario, scenario } from "../testing/scenario.ts";

/** A broker at which `w1` runs `r1` of `c1`. */
function running(offer: { readonly partials: boolean } | undefined): Scenario {
  const sim = scenario();
  sim.worker("w1").ready("echo");
  if (offer !== undefined) sim.client("c1").offer(offer);
  sim.client("c1").request("echo", "r1", { timeoutMs: 1_000, body: "what?" });
  sim.forget();
  return sim;
}

test("the broker forwards several partials in one message to a client that negotiated partials", () => {
  const sim = running({ partials: true });
  sim.worker("w1").partials("r1", ["1", "2", "3"]).final("r1");
  expect(sim.sentTo("c1")).toEqual(['partials r1 "1" "2" "3"', 'final r1 "done"']);
});

test("the broker sends one message for each chunk to a client that did not negotiate partials", () => {
  const sim = running({ partials: false });
  sim.worker("w1").partials("r1", ["1", "2"]).final("r1");
  expect(sim.sentTo("c1")).toEqual(['partial r1 "1"', 'partial r1 "2"', 'final r1 "done"']);
});

test("the broker drops null chunks for a classic client", () => {
  const sim = running(undefined);
  sim.worker("w1").partials("r1", ["1", "null", "2"]);
  expect(sim.sentTo("c1")).toEqual(['partial r1 "1"', 'partial r1 "2"']);
  expect(sim.events).toContain("dropped c1 null-partial r1");
});

test("several partials in one message restart the timeout of the request and prove that it runs", () => {
  const sim = running({ partials: true });
  sim.advance(900);
  sim.worker("w1").partials("r1", ["1", "2"]);
  sim.advance(900);
  expect(sim.sentTo("c1")).toEqual(['partials r1 "1" "2"']);
  sim.worker("w1").reject("r1");
  expect(sim.sentTo("c1")).toContain("failure r1 REJECTED (maybe-executed)");
});

test.each([true, false])(
  "the broker caches the chunks of a message one by one (client negotiated partials: %s)",
  (partials) => {
    const sim = running({ partials });
    sim.worker("w1").partials("r1", ["1", "2"], 1_000).final("r1", "3", 0, 1_000);
    sim.client("c2").request("echo", "r9", { body: "what?" });
    expect(sim.sentTo("c2")).toEqual(['partial r9 "1"', 'partial r9 "2"', 'final r9 "3"']);
  },
);

test("the broker drops and reports partials for a request that has ended", () => {
  const sim = running({ partials: true });
  const { message } = sim.worker("w1").receivedAs("r1");
  sim.worker("w1").final("r1");
  sim.worker("w1").partials(message, ["1", "2"]);
  expect(sim.sentTo("c1")).toEqual(['final r1 "done"']);
  expect(sim.events).toContain("dropped w1 not-held r1");
});

test("a request fails when its partials do not reach a client that reads too slowly", () => {
  const sim = running({ partials: true });
  sim.worker("w1").partials("r1", ["1", "2"]);
  sim.undeliveredToClient("c1", "congested");
  expect(sim.sentTo("c1")).toContain("failure r1 BUSY (maybe-executed)");
});
