import { MAX_SEATS } from '../core/limits.js'
import { invalid } from '../lib/options/invalid.js'
import { callback, integer } from '../lib/options/option-kinds.js'
import type { Place } from '../lib/options/options.js'
import type { SessionStore } from '../store.js'
import type { SessionOptions } from './options.js'

type MaxSessions = number | ((user: unknown) => unknown)

const count = integer(1, MAX_SEATS)
const perUser = callback<(user: unknown) => unknown>("(user) => (user.plan === 'team' ? 10 : 2)")

/** A number of sessions, or a function that says it of a user. */
export function maxSessions(value: unknown, place: Place): MaxSessions {
  return typeof value === 'function' ? perUser(value, place) : count(value, place)
}

/** Checks what the options that are about users need of each other, and of the store. */
export function checkUsers(options: SessionOptions, { store }: { store?: SessionStore | undefined }): void {
  if (options.authVersion !== undefined && options.loadUser === undefined) {
    throw invalid(
      'authVersion needs loadUser: only a user who is read on each request shows that something has changed. Without ' +
        'it, end the sessions yourself: sessionOf(req).credentialsChanged(), or revokeAll(userId).',
    )
  }
  if (options.mayActAs !== undefined && store?.atomicUpdates === false) {
    throw invalid(
      'mayActAs needs a store with atomic updates, which this one has not: its atomicUpdates is false. An acting session ' +
        'could outlive the session of its actor. Use a store of express-sid such as redisStore(client).',
    )
  }
  if (options.maxSessions === undefined) {
    if (options.whenFull !== 'refuse') return
    throw invalid(
      'whenFull says what happens when maxSessions is reached. Give maxSessions, or leave whenFull out.',
    )
  }
  if (store === undefined) return
  if (store.atomicUpdates === false) {
    throw invalid(
      'maxSessions needs a store with atomic updates, which this one has not: its atomicUpdates is false. Two ' +
        'processes would both give away the last place. Use a store of express-sid such as redisStore(client).',
    )
  }
  if (store.listByUser === undefined) {
    throw invalid(
      "maxSessions needs a store that can list the sessions of a user, and this one can't: it has no listByUser. " +
        'Sessions that began before would not count. Use a store of express-sid such as redisStore(client).',
    )
  }
}
