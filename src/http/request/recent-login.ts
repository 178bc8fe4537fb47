import { duration } from '../../lib/options/option-kinds.js'
import { ofFunction, readOptions } from '../../lib/options/options.js'
import { methodsKind } from './login-options.js'

/** What `requireRecentLogin()` and `sessionOf(req).hasRecentLogin()` have in common. */
export const recentLoginOptions = {
  within: {
    kind: duration({ min: 1, words: 'longer than 0' }),
    required: true,
    doc: 'how long ago the user may have proven who they are',
  },
  methods: { kind: methodsKind, doc: 'the methods of which one must have been used' },
} as const

const owner = ofFunction('sessionOf(req).hasRecentLogin()', "{ within: '10m' }")

/**
 * The options of `sessionOf(req).hasRecentLogin()`, checked.
 *
 * @throws SessionError OPTION_INVALID for a misspelt option, and for a value that is none.
 * @example readRecentLogin({ within: '10m' }).within // 600_000
 */
export function readRecentLogin(options: unknown) {
  return readOptions(options, owner, recentLoginOptions)
}
