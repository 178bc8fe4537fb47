/** Progress goes to stderr, so that stdout is the report alone. */
export function say(text) {
  process.stderr.write(`${text}\n`)
}
