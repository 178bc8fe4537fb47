import { names } from '../../lib/option-kinds.js'
import { ofFunction, readOptions } from '../../lib/options.js'

/** The option `keep`, of `login()` and of `sessionOf(req).login()`. */
export const keepOption = {
  kind: names("['cart']"),
  default: [],
  doc: "the names of the guest's data that the login keeps",
} as const

/**
 * The names to keep, from the options of `sessionOf(req).login()`.
 *
 * @throws SessionError OPTION_INVALID for a misspelt option and for anything but an array of names.
 * @example namesToKeep({ keep: ['cart'] }) // ['cart']
 */
export function namesToKeep(options: unknown): readonly string[] {
  const given = options === undefined ? {} : options
  return readOptions(given, ofFunction('sessionOf(req).login()'), { keep: keepOption }).keep
}
