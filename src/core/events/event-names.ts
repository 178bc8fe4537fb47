import { didYouMean } from '../../lib/options/did-you-mean.js'
import { invalid, show } from '../../lib/options/invalid.js'

/** What people try first, where no spelling leads from there to our name. */
const otherNames = new Map([
  ['loginFailed', 'loginRefused'],
  ['loginFailure', 'loginRefused'],
  ['error', 'storeError'],
])

/**
 * Checks the arguments of `on` and `off`. A misspelt event would be listened to in vain, for ever.
 *
 * @param names the events that there are.
 * @throws SessionError OPTION_INVALID, which says what was probably meant.
 */
export function checkListener(names: object, name: unknown, listener: unknown): void {
  if (!Object.hasOwn(names, name as string)) {
    const known = Object.keys(names)
    const meant = typeof name === 'string' ? (otherNames.get(name) ?? didYouMean(name, known)) : undefined
    const hint = meant === undefined ? `The events are ${known.join(', ')}.` : `Did you mean ${meant}?`
    throw invalid(`There is no session event ${show(name)}. ${hint}`)
  }
  if (typeof listener !== 'function') {
    throw invalid(
      `The listener of the session event ${String(name)} must be a function, not ${show(listener)}.`,
    )
  }
}
