import { chain } from '../../lib/async/promises.js'
import { isObject } from '../../lib/json/is-object.js'
import { invalid } from '../../lib/options/invalid.js'
import { ofStore, readOptions } from '../../lib/options/options.js'
import type { EndsListener, OnRemoved, SessionStore } from '../../store.js'
import { CHECK_ID } from './key-check.js'
import { readKeys, type EncryptionKey } from './keys.js'
import { Vault, type Update } from './vault.js'

export type { EncryptionKey } from './keys.js'

/** The options of `encrypted()`. */
export interface EncryptedOptions {
  /**
   * The keys, at least one: 32 random bytes each, or their text in base64url, base64 or hex. The first encrypts, all
   * decrypt. A session stays listed under the key that it began with: leave a key in the list until all sessions that
   * began before it was replaced have ended, so for `absoluteTimeout`.
   */
  readonly keys: readonly EncryptionKey[]
}

/** A store that encrypts what it gives to another one. It can do what that one can. */
export interface EncryptedStore extends SessionStore {
  /**
   * Resolves once the keys are known to be those of the store.
   *
   * @throws SessionError OPTION_INVALID where they are not; also what the store throws.
   * @example await store.ready()
   */
  ready(): Promise<void>

  /**
   * Replaces the keys while the app runs, after the same check as at the start. On several nodes: give the new key to
   * all of them at the end of the list first, then put it first.
   *
   * @throws SessionError OPTION_INVALID for keys that can't be used, or do not open what the store holds. The keys then
   * stay as they were.
   * @example await store.useKeys([newKey, oldKey])
   */
  useKeys(keys: readonly EncryptionKey[]): Promise<void>
}

const encryptedOptions = {
  keys: { kind: readKeys, required: true, doc: 'the keys: the first encrypts, all decrypt' },
} as const

/**
 * Encrypts what is private of each session before `store` gets it: users, data, agents, addresses, hashes, and every
 * field that a later version adds. AES-256-GCM (NIST SP 800-38D), with a key for each session, derived from yours.
 *
 * Readable for the store stay the session's id, version and times, and whether it has a user. For the user's id there
 * stands a keyed hash, so that sessions can be listed. All that is authenticated together: a part that was moved from
 * another record, or an old part beside newer ones, is RECORD_DAMAGED (503). See the page on encryption for what this
 * does not do.
 *
 * A wrong key is said at the start: thrown where the store is in the process, and otherwise a warning of the process
 * (`SID_WRONG_KEY`), `ready()` rejects, and so does every call.
 *
 * @throws SessionError OPTION_INVALID for keys that can't be used, for keys that are not those of the store, and for a
 * store without atomic updates, as those of express-session are.
 * @example const store = encrypted(redisStore(client), { keys: [process.env.SESSION_KEY!] })
 */
export function encrypted(store: SessionStore, options: EncryptedOptions): EncryptedStore {
  const { keys } = readOptions(options, ofStore('encrypted'), encryptedOptions)
  checkStore(store)
  const vault = new Vault(store, keys)
  vault.checkAtStart()
  return {
    ready: async () => vault.whenChecked(() => undefined),
    useKeys: async (next) => vault.useKeys(readKeys(next)),
    insert: (record) => vault.whenChecked(() => store.insert(vault.sealNew(record))),
    get: (id) => vault.whenChecked(() => chain(store.get(id), (inner) => vault.open(inner))),
    update: (record, ifVersion) => vault.whenChecked(() => vault.update(record, ifVersion)),
    delete: (id) => vault.whenChecked(() => id !== CHECK_ID && store.delete(id)),
    atomicUpdates: store.atomicUpdates,
    ...capabilities(store, vault),
  }
}

/** The optional methods that the inner store has. */
function capabilities(store: SessionStore, vault: Vault): Partial<SessionStore> {
  return {
    ...(store.getFresh && {
      getFresh: (id: string) =>
        vault.whenChecked(() => chain(store.getFresh!(id), (inner) => vault.open(inner))),
    }),
    ...(store.getMany && {
      getMany: (ids: readonly string[]) =>
        vault.whenChecked(() => chain(store.getMany!(ids), (all) => all.map((inner) => vault.open(inner)))),
    }),
    ...(store.updateMany && {
      updateMany: (updates: readonly Update[]) => vault.whenChecked(() => vault.updateMany(updates)),
    }),
    ...(store.listByUser && {
      listByUser: (userId: string) => vault.whenChecked(() => vault.list(userId)),
    }),
    ...(store.pageByUser && {
      pageByUser: (userId: string, limit: number, after?: string) =>
        vault.whenChecked(() => vault.page(userId, limit, after)),
    }),
    ...(store.scan && {
      scan: (limit: number, after?: string) => vault.whenChecked(() => vault.scan(limit, after)),
    }),
    ...(store.count && {
      // Without the record of the check, which outlives all others.
      count: (now: number) => vault.whenChecked(() => chain(store.count!(now), (count) => count - 1)),
    }),
    ...(store.hearEnds && {
      hearEnds: (listener: EndsListener) => store.hearEnds!(listener),
    }),
    ...(store.deleteExpired && {
      deleteExpired: (now: number, limit: number, onRemoved?: OnRemoved) =>
        store.deleteExpired!(now, limit, onRemoved && vault.opening(onRemoved)),
    }),
  }
}

function checkStore(store: unknown): asserts store is SessionStore {
  if (!isObject(store) || typeof store.insert !== 'function') {
    throw invalid('encrypted takes a store: encrypted(redisStore(client), { keys }).')
  }
  if (store.atomicUpdates === false) {
    throw invalid(
      'encrypted can not be used on this store: it keeps deadlines outside of its records (atomicUpdates is ' +
        'false, as with stores of express-session), so they can not be authenticated. Use a store of this package.',
    )
  }
}
