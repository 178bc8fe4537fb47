import { SessionError } from '../../errors.js'
import { chain, type MaybePromise } from '../../lib/async/promises.js'
import type { SessionRecord } from '../../record.js'
import type { SessionStore } from '../../store.js'
import type { KeyRing } from './keys.js'
import { keyIsMissing, open, partsOf, seal } from './seal.js'

/** The record that shows whether the keys are those of the store. Its id is older than any session's. */
export const CHECK_ID = '00000000-0000-7000-8000-000000000000'

/** It outlives every session: the year 9999. */
const NEVER = Date.UTC(9999, 0)

const plain: SessionRecord = {
  id: CHECK_ID,
  version: 1,
  secretHash: '',
  seriesHash: '',
  data: { about: 'Shows whether the keys of encrypted() are those of this store.' },
  userAgent: '',
  ip: '',
  createdAt: 0,
  authenticatedAt: 0,
  lastSeenAt: 0,
  expiresAt: NEVER,
  absoluteExpiresAt: NEVER,
}

/**
 * Finds out whether a ring opens what the store holds, by a record that is kept there for it. Without one, a wrong key
 * would show only when the first visitor returns. The record is encrypted anew once another key is the first.
 *
 * @throws SessionError OPTION_INVALID for keys that can't be those of the store; also what the store throws.
 * @example await checkKeys(store, ring)
 */
export function checkKeys(store: SessionStore, ring: KeyRing): MaybePromise<void> {
  return chain(store.get(CHECK_ID), (held) =>
    held === undefined ? begin(store, ring) : verify(store, ring, held),
  )
}

function begin(store: SessionStore, ring: KeyRing): MaybePromise<void> {
  return tried(
    () => store.insert(seal(plain, ring.first, undefined)),
    // Another process was faster. Otherwise the store has failed, and that is the error.
    (error) =>
      chain(store.get(CHECK_ID), (held) => {
        if (held === undefined) throw error
        return verify(store, ring, held)
      }),
  )
}

function verify(store: SessionStore, ring: KeyRing, held: SessionRecord): MaybePromise<void> {
  const opened = open(held, ring)
  if (opened.data === undefined) throw wrongKeys(held, ring)
  const isCurrent = partsOf(held)[1] === ring.first.id
  if (isCurrent) return undefined
  const next = { ...plain, version: held.version + 1 }
  // Whether that works is not important: the next start tries again.
  return tried(
    () => chain(store.update(seal(next, ring.first, undefined), held.version), () => undefined),
    () => undefined,
  )
}

function wrongKeys(held: SessionRecord, ring: KeyRing): SessionError {
  const keyId = partsOf(held)[1] ?? 'unknown'
  const why = ring.find(keyId) ? 'The record that shows it was changed.' : keyIsMissing(keyId, ring)
  return new SessionError(
    'OPTION_INVALID',
    `encrypted: the keys are not those of this store. ${why} ` +
      `If that key is lost, the sessions are too: empty the store, and all users log in again.`,
  )
}

/** Runs `work`; where it throws or rejects, `instead`. */
function tried(
  work: () => MaybePromise<void>,
  instead: (error: unknown) => MaybePromise<void>,
): MaybePromise<void> {
  try {
    const done = work()
    return done === undefined ? undefined : Promise.resolve(done).catch(instead)
  } catch (error) {
    return instead(error)
  }
}
