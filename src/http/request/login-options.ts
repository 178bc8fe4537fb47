import { boolean, names } from '../../lib/options/option-kinds.js'
import { ofFunction, readOptions, type Values } from '../../lib/options/options.js'

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
} as const

/**
 * The options of `sessionOf(req).login()`, checked.
 *
 * @throws SessionError OPTION_INVALID for a misspelt option, and for a value that is none.
 * @example readLoginOptions({ keep: ['cart'] }) // { keep: ['cart'], crossSite: false }
 */
export function readLoginOptions(options: unknown): Values<typeof sharedLoginOptions> {
  const given = options === undefined ? {} : options
  return readOptions(given, ofFunction('sessionOf(req).login()'), sharedLoginOptions)
}
