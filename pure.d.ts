// The only thing that pure code may use beyond the language itself: Buffer, because it is the fast way to turn
// frames into short texts and back, and to compare them. tsconfig.pure.json compiles the pure files with no other
// ambient types, so that timers, process, console and the like do not compile there.
declare const Buffer: {
  readonly prototype: {
    base64Slice(start?: number, end?: number): string;
    latin1Slice(start?: number, end?: number): string;
    utf8Slice(start?: number, end?: number): string;
  };
  compare(left: Uint8Array, right: Uint8Array): number;
  from(text: string, encoding?: "latin1" | "utf8"): Uint8Array;
};
