import { SessionError } from '../../errors.js'
import { chain, isPromise, type MaybePromise } from '../../lib/async/promises.js'
import type { SessionRecord } from '../../record.js'
import type { OnRemoved, RecordPage, SessionStore, UpdateResult } from '../../store.js'
import { CHECK_ID, checkKeys } from './key-check.js'
import type { KeyRing } from './keys.js'
import { listAll, listPage } from './listing.js'
import { open, seal } from './seal.js'

type Found = SessionRecord | undefined

/** One of the updates of `updateMany`. */
export interface Update {
  readonly record: SessionRecord
  readonly ifVersion: number
}

/** The inner store with the keys in force. */
export class Vault {
  #isChecked = false

  constructor(
    private readonly store: SessionStore,
    private ring: KeyRing,
  ) {}

  /** Throws at once where the store is in the process. */
  checkAtStart(): void {
    const checking = this.whenChecked(() => undefined)
    if (!isPromise(checking)) return
    checking.catch((error: unknown) => {
      // What the store throws shows with the first request. Wrong keys are a mistake of the deployment.
      const { code, message } = error as { code?: unknown; message?: unknown }
      if (code !== 'OPTION_INVALID') return
      process.emitWarning(String(message), { type: 'ExpressSidWarning', code: 'SID_WRONG_KEY' })
    })
  }

  /** Runs `ask` once the keys are known to be right. Each call asks for itself until then: one that hangs holds no other. */
  whenChecked<T>(ask: () => MaybePromise<T>): MaybePromise<T> {
    if (this.#isChecked) return ask()
    return chain(checkKeys(this.store, this.ring), () => {
      this.#isChecked = true
      return ask()
    })
  }

  async useKeys(ring: KeyRing): Promise<void> {
    await checkKeys(this.store, ring)
    this.#isChecked = true
    this.ring = ring
  }

  sealNew(record: SessionRecord): SessionRecord {
    const { first } = this.ring
    return seal(record, first, record.userId === undefined ? undefined : first.ofUser(record.userId))
  }

  open(inner: Found): Found {
    // `null` is what many drivers return for nothing.
    if (inner === undefined || inner === null || inner.id === CHECK_ID) return undefined
    return open(inner, this.ring)
  }

  /** Tells removed records as they were before they were sealed. */
  opening(onRemoved: OnRemoved): OnRemoved {
    return (removed) =>
      onRemoved(removed.map((inner) => this.open(inner)).filter((record) => record !== undefined))
  }

  update(record: SessionRecord, ifVersion: number): MaybePromise<UpdateResult> {
    return chain(this.#sealNext(record), (sealed) =>
      sealed === undefined ? 'absent' : this.store.update(sealed, ifVersion),
    )
  }

  updateMany(updates: readonly Update[]): MaybePromise<UpdateResult[]> {
    const all = updates.map(({ record }) => this.#sealNext(record))
    const send = (sealed: readonly Found[]): MaybePromise<UpdateResult[]> => {
      const there = updates.flatMap(({ ifVersion }, at) =>
        sealed[at] === undefined ? [] : [{ record: sealed[at], ifVersion }],
      )
      return chain(this.store.updateMany!(there), (results) => {
        const rest = results.values()
        return sealed.map((one) => (one === undefined ? 'absent' : rest.next().value!))
      })
    }
    return all.some(isPromise) ? Promise.all(all.map(async (one) => one)).then(send) : send(all as Found[])
  }

  list(userId: string): MaybePromise<SessionRecord[]> {
    return listAll(this.store, this.ring, userId, (all) => this.#openOf(userId, all))
  }

  page(userId: string, limit: number, after: string | undefined): MaybePromise<RecordPage> {
    return listPage(this.store, this.ring, { userId, limit, after }, (all) => this.#openOf(userId, all))
  }

  scan(limit: number, after: string | undefined): MaybePromise<RecordPage> {
    return chain(this.store.scan!(limit, after), ({ records, next }) => ({
      records: records.map((inner) => this.open(inner)).filter((record) => record !== undefined),
      next,
    }))
  }

  /**
   * The next version of a session. It stays listed where it was: with one key that is known, with several the store is
   * asked. `undefined` where the session has ended.
   */
  #sealNext(record: SessionRecord): MaybePromise<Found> {
    const { first, keys } = this.ring
    if (record.userId === undefined || keys.length === 1) return this.sealNew(record)
    const { userId } = record
    return chain(this.store.get(record.id), (inner) => {
      if (inner === undefined || inner === null) return undefined
      // What the store says is only compared: it may have been changed there.
      const user = keys.map((key) => key.ofUser(userId)).find((one) => one === inner.userId)
      if (user === undefined) throw movedElsewhere(record.id)
      return seal(record, first, user)
    })
  }

  /** A record that is listed under the wrong user belongs to the right one. What is damaged is listed, to be ended. */
  #openOf(userId: string, all: readonly SessionRecord[]): SessionRecord[] {
    const opened = all.map((inner) => open(inner, this.ring))
    return opened.filter((record) => (record.userId ?? userId) === userId)
  }
}

function movedElsewhere(id: string): SessionError {
  return new SessionError(
    'RECORD_DAMAGED',
    `Session ${id} is not listed under its user any more, or under a key that encrypted() was not given. Revoke it.`,
  )
}
