// A promise that somebody else settles.

export interface Deferred {
  /** Its rejection is never "unhandled": waiting for it is optional. */
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
  isSettled(): boolean;
}

export function deferred(): Deferred {
  let isSettled = false;
  let resolve: () => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  promise.catch(() => {});
  return {
    promise,
    isSettled: () => isSettled,
    resolve: () => {
      isSettled = true;
      resolve();
    },
    reject: (error) => {
      isSettled = true;
      reject(error);
    },
  };
}
