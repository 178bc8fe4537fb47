import { text, that } from '../../lib/options/option-kinds.js'
import { ofFunction, readOptions } from '../../lib/options/options.js'

// A registered symbol: the ESM and CommonJS copies of this package have different classes, and with the option
// `userId: (user) => user.userId` a refusal of the other copy would pass for a user.
const refusal = Symbol.for('express-sid.refusal')

/** What `authenticate` returns to say why not, for the audit log. The client learns only that it failed. */
export class Refusal {
  /** @internal */
  readonly [refusal] = true

  constructor(
    readonly reason: string | undefined,
    readonly userId: string | number | undefined,
  ) {}
}

const isUserId = (value: unknown): value is string | number =>
  typeof value === 'string' || typeof value === 'number'

const refuseOptions = {
  reason: { kind: text(), doc: 'why, for the event loginRefused' },
  userId: { kind: that(isUserId, 'the id of a user'), doc: 'whose login was refused' },
} as const

/**
 * Refuses a login and says why in the event `loginRefused`: `return refuse({ reason: 'locked', userId })`.
 * The response is the same 401 as for an unknown user, so that nobody learns which accounts exist.
 */
export function refuse(why: { reason?: string; userId?: string | number } = {}): Refusal {
  const { reason, userId } = readOptions(why, ofFunction('refuse()'), refuseOptions)
  return new Refusal(reason, userId)
}

/** The refusal in what `authenticate` returned: `undefined` for a user. */
export function refusalIn(returned: unknown): Refusal | undefined {
  if (returned === undefined || returned === null || returned === false) return refuse()
  return typeof returned === 'object' && refusal in returned ? (returned as Refusal) : undefined
}
