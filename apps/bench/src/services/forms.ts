// The forms of a call that `pnpm bench services` compares.

/** How a form calls, and what validates its values with zod: the input at the host, its output too, or the client as well. */
export interface Form {
  readonly isTyped: boolean;
  readonly validates?: "input" | "output" | "client";
}

export const FORMS: Readonly<Record<string, Form>> = Object.freeze({
  call: { isTyped: false },
  typed: { isTyped: true },
  "typed, input validated": { isTyped: true, validates: "input" },
  "typed, input and output validated": { isTyped: true, validates: "output" },
  "typed, client validates, too": { isTyped: true, validates: "client" },
});
