/** Text as Postgres can keep it: without NUL and halves of characters, either of which would fail a whole batch. */
export function storableText(text: string): string {
  return text.replace(/\0|\p{Surrogate}/gu, '\uFFFD');
}
