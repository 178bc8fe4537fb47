import { MAX_COOKIE_VALUES } from '../../core/identification.js'
import { isToken, type TokenText } from '../../core/token.js'
import type { CookieForm } from './form.js'
import { readCookie } from './read.js'

/** The tokens that the cookies of this name hold; one more than are looked up, so that too many can be told. */
export function readTokens(
  header: string | undefined,
  name: string,
  form: CookieForm | undefined,
): readonly TokenText[] {
  if (form === undefined) return readCookie(header, name, MAX_COOKIE_VALUES + 1, isToken)
  const tokens: TokenText[] = []
  readCookie(header, name, MAX_COOKIE_VALUES + 1, (value): value is TokenText => {
    const token = form.tokenOf(value)
    if (token !== undefined && !tokens.includes(token)) tokens.push(token)
    return token !== undefined
  })
  return tokens
}
