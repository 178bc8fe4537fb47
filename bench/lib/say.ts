/** Progress goes to stderr, so that stdout is the report alone. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
