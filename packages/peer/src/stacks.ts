// Stacks that show whose call failed. An error is created where a message or a timer is handled, so its own stack does not show the caller.
// Keeping a stack for each request costs more than the request. The first two functions cost nothing until it fails.

/**
 * Rejects with an error whose stack shows the functions that await it. Resolve their promise with the result, so that V8 finds these
 * functions.
 */
export async function rejectionFor(error: Error): Promise<never> {
  // V8 finds them once their promise follows this one, which takes a microtask more than the first pause.
  await undefined;
  await undefined;
  throw withCurrentStack(error);
}

/** The same error, with the stack of this call. In an async function or generator, it includes the functions that await that. */
export function withCurrentStack<Failure extends Error>(error: Failure): Failure {
  Error.captureStackTrace(error, withCurrentStack);
  return error;
}

/** The same error, with the stack of an error without a message that the caller made. */
export function withStackOf<Failure extends Error>(site: Error, error: Failure): Failure {
  const { stack } = site;
  // `Error.prepareStackTrace` may return anything.
  if (typeof stack === "string") error.stack = `${error.name}: ${error.message}${stack.slice(stack.indexOf("\n"))}`;
  return error;
}
