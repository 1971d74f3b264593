// The built-in methods of every service: `$info`, `$stats` and `$ping` (P-CALL-4). No other method can have a name that starts with `$`.

import type { ServiceDescription } from "@pigato/contract";
import { describeMethod, HOST_METHODS } from "@pigato/contract/internal";
import { type HostedMethod, type MethodCounts, MethodStats } from "./hosted-method.ts";

/** Facts about a host that its services report. */
export interface HostFacts {
  /** The id of the host at its broker. */
  idOf(service: string): string;
  /** Milliseconds since the host was started. */
  uptimeMs(): number;
}

/** What `$stats` returns. */
export interface ServiceStats {
  readonly service: string;
  readonly host: string;
  readonly uptimeMs: number;
  readonly methods: readonly (MethodCounts & { readonly name: string })[];
}

/** The service whose methods are described. */
interface DescribedService {
  readonly name: string;
  readonly methods: ReadonlyMap<string, HostedMethod>;
}

export function builtInMethods(service: DescribedService, facts: HostFacts): readonly HostedMethod[] {
  let methods: ServiceDescription["methods"] = [];
  const who = (): { readonly service: string; readonly host: string } => ({
    service: service.name,
    host: facts.idOf(service.name),
  });
  const info = (): ServiceDescription => {
    // Once for the same methods, because exporting a schema costs more than a request.
    if (methods.length !== service.methods.size) {
      methods = [...service.methods.values()].map(({ name, definition }) => describeMethod(name, definition));
    }
    return { ...who(), methods };
  };
  const stats = (): ServiceStats => ({
    ...who(),
    uptimeMs: Math.round(facts.uptimeMs()),
    methods: [...service.methods.values()].map(({ name, stats: counts }) => ({ name, ...counts.snapshot() })),
  });
  return [builtIn(HOST_METHODS.info, info), builtIn(HOST_METHODS.stats, stats), builtIn(HOST_METHODS.ping, who)];
}

function builtIn(name: string, handler: () => unknown): HostedMethod {
  return { name, fullName: name, definition: undefined, handler, target: undefined, stats: new MethodStats() };
}
