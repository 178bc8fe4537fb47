import { MAX_METHODS } from '../../core/methods.js'
import { lifetimeOption } from '../lifetime/options.js'
import { show } from '../../lib/options/invalid.js'
import { boolean, names, text } from '../../lib/options/option-kinds.js'
import { ofFunction, readOptions, type Place, type Values } from '../../lib/options/options.js'

const LONGEST_METHOD = 64

/** The `sid` of an ID token, with the issuer where there are several. */
export function isProviderSession(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_PROVIDER_SESSION
}

const LONGEST_PROVIDER_SESSION = 1_024
const providerSessionWords = `a text of 1 to ${LONGEST_PROVIDER_SESSION} characters, such as the sid of an ID token`

/** What `login()` and `sessionOf(req).login()` have in common. */
export const sharedLoginOptions = {
  keep: {
    kind: names("['cart']"),
    default: [],
    doc: "the names of the guest's data that the login keeps",
  },
  crossSite: {
    kind: boolean('true or false'),
    default: false,
    doc: "lets other sites' pages send the visitor here: for callbacks of OAuth and SAML",
  },
  lifetime: lifetimeOption,
  method: { kind: methodsKind, doc: "how the user has proven who they are, such as 'password'" },
  providerSession: {
    kind: text(isProviderSession, providerSessionWords),
    doc: 'the session at the identity provider that has begun this one',
  },
} as const

/** The names of methods; one alone needs no array. */
export function methodsKind(value: unknown, place: Place): readonly string[] {
  const given: unknown[] = Array.isArray(value) ? value : [value]
  const wrong = given.find((one) => typeof one !== 'string' || one === '' || one.length > LONGEST_METHOD)
  const isCounted = given.length > 0 && given.length <= MAX_METHODS
  if (wrong === undefined && isCounted) return [...new Set(given as string[])]
  const words = `a name such as 'password' of at most ${LONGEST_METHOD} characters, or an array of 1 to ${MAX_METHODS} such names`
  return place.mustBe(words, isCounted ? show(wrong) : `an array of ${given.length}`)
}

/** The options of `sessionOf(req).login()`, checked: what each login is made with. */
export type CheckedLoginOptions = Values<typeof sharedLoginOptions>

/**
 * The options of `sessionOf(req).login()`, checked.
 *
 * @throws SessionError OPTION_INVALID for a misspelt option, and for a value that is none.
 * @example readLoginOptions({ keep: ['cart'] }).crossSite // false
 */
export function readLoginOptions(options: unknown): CheckedLoginOptions {
  const given = options === undefined ? {} : options
  return readOptions(given, ofFunction('sessionOf(req).login()'), sharedLoginOptions)
}

const { keep: _, providerSession: _inherited, ...reauthenticateOptions } = sharedLoginOptions

export { reauthenticateOptions }

/** The options of `sessionOf(req).reauthenticate()`, checked. */
export type CheckedReauthenticateOptions = Values<typeof reauthenticateOptions>

/**
 * The options of `sessionOf(req).reauthenticate()`, checked.
 *
 * @throws SessionError OPTION_INVALID for a misspelt option, and for a value that is none.
 * @example readReauthenticateOptions({ method: 'password' }).method // ['password']
 */
export function readReauthenticateOptions(options: unknown): CheckedReauthenticateOptions {
  const given = options === undefined ? {} : options
  return readOptions(given, ofFunction('sessionOf(req).reauthenticate()'), reauthenticateOptions)
}
