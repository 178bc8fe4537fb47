import type { AnonymousReason } from '../../core/reason.js'
import { isToken } from '../../core/token.js'

/** Why the cookies of a request led to no lookup. It reads the whole header, so it runs only when somebody asks. */
export function whyNotLookedUp(header: string | undefined, name: string): AnonymousReason {
  const pairs = pairsOf(header)
  const ours = pairs.filter((pair) => pair.name === name)
  if (ours.some(({ value }) => isToken(value))) return 'tooManyCookies'
  if (ours.length > 0) return 'malformed'
  return pairs.some(({ value }) => isToken(value)) ? 'otherCookieName' : 'noCookie'
}

/** A cookie as it was sent. */
export interface Pair {
  readonly name: string
  readonly value: string
}

/** All cookies of a header. */
export function pairsOf(header = ''): Pair[] {
  const texts = header.split(';').filter((text) => text.includes('='))
  return texts.map((text) => {
    const at = text.indexOf('=')
    return { name: text.slice(0, at).trim(), value: text.slice(at + 1).trim() }
  })
}
