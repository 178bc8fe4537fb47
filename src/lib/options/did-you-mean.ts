import { invalid, show } from './invalid.js'

/**
 * The known name that a misspelt one was probably meant to be: the closest within two edits, ignoring case.
 *
 * @example didYouMean('redirct', ['keep', 'redirect']) // 'redirect'
 */
export function didYouMean(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  // Two edits would leave nothing of a very short name.
  let fewest = Math.min(2, Math.floor(name.length / 2)) + 1
  for (const candidate of known) {
    const edits = distance(name.toLowerCase(), candidate.toLowerCase())
    if (edits < fewest) [best, fewest] = [candidate, edits]
  }
  return best
}

/**
 * Refuses options that do not exist. Otherwise a misspelt one would silently leave its default in force.
 *
 * @param what Whose options they are, for the message: `'cookie'`, `'login()'`.
 * @throws SessionError `OPTION_INVALID` for the first unknown name, with the one that was probably meant.
 * @example unknownNames(options, ['keep', 'redirect'], 'login()')
 */
export function unknownNames(value: object, known: readonly string[], what: string): void {
  const name = Object.keys(value).find((key) => !known.includes(key))
  if (name === undefined) return
  const meant = didYouMean(name, known)
  throw invalid(
    `${what} has no option ${show(name)}. ` +
      (meant === undefined ? `Its options are ${known.join(', ')}.` : `Did you mean ${meant}?`),
  )
}

/** Levenshtein's edit distance: how many letters must be added, removed or replaced. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const replaced = row[j]! + (a[i] === b[j] ? 0 : 1)
      next.push(Math.min(replaced, row[j + 1]! + 1, next[j]! + 1))
    }
    row = next
  }
  return row.at(-1)!
}
