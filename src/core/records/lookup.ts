import { chain, isPromise } from '../../lib/async/promises.js'
import { queueMicrotask, setImmediate } from '../../lib/async/timers.js'
import type { SessionRecord } from '../../record.js'
import type { MaybePromise, SessionStore } from '../../store.js'
import { hashOf } from '../token.js'
import { oneEach } from './one-each.js'
import type { StoreCalls } from './store-calls.js'
import { checked, Turn, type OnFound } from './turn.js'

type Found = SessionRecord | undefined

/** The most ids in one question: what a store can take in one command without stalling others. */
const MAX_IDS = 1_000
/** After so many turns with a single lookup each, lookups are no longer put off: nobody comes to share them. */
const LONE_TURNS = 8
/** So many lookups later one is put off again, to see whether others come now. */
const LONE_LOOKUPS = 16

/**
 * Finds records by id. Where the store offers `getMany`, the lookups of one turn of the event loop are put off until
 * its end and sent as one question: that is cheaper for the store, and one turn's requests that are looked at
 * together find warm caches. A request that comes alone does not wait.
 *
 * A request never joins a lookup that was already sent: what it returns could be older than a logout that was
 * acknowledged before the request began.
 */
export class Lookup {
  #turn: Turn | undefined = undefined
  /** Whether the store answers later. Then one more id in a question costs more than finding it twice. */
  #isAsync = true
  #loneTurns = 0
  #loneLookups = 0

  constructor(
    private readonly store: SessionStore,
    private readonly calls: StoreCalls,
  ) {}

  /** The record with this id, checked to be one. */
  find(id: string): MaybePromise<Found> {
    if (this.store.getMany === undefined) return this.#one(id)
    return new Promise((resolve, reject) => {
      this.#putOff(id, '', (record, _, failure) =>
        failure === undefined ? resolve(record) : reject(failure),
      )
    })
  }

  /** The same, and never from a cache. */
  findFresh(id: string): MaybePromise<Found> {
    if (this.store.getFresh === undefined) return this.find(id)
    return this.calls.call('get', () => chain(this.store.getFresh!(id), (record) => checked(id, record)))
  }

  /**
   * Finds the record of a token, and hashes its secret, in the same pass as those of other requests.
   * `onFound` runs in the asynchronous context of this call, and what it throws is never caught here.
   */
  findFor(id: string, secret: string, onFound: OnFound): void {
    if (this.store.getMany === undefined || this.#isAlone()) this.#findNow(id, secret, onFound)
    else this.#putOff(id, secret, onFound)
  }

  /** Whether nobody is expected to come in the same turn. */
  #isAlone(): boolean {
    if (this.#turn !== undefined || this.#loneTurns < LONE_TURNS) return false
    this.#loneLookups = (this.#loneLookups + 1) % LONE_LOOKUPS
    return this.#loneLookups !== 0
  }

  #findNow(id: string, secret: string, onFound: OnFound): void {
    let found: MaybePromise<Found>
    try {
      found = this.#one(id)
    } catch (error) {
      return onFound(undefined, '', error)
    }
    if (!isPromise(found)) return onFound(found, found ? hashOf(secret) : '', undefined)
    // In a microtask of its own: what the application throws there is no rejection of the lookup.
    found.then(
      (record) => queueMicrotask(() => onFound(record, record ? hashOf(secret) : '', undefined)),
      (error: unknown) => queueMicrotask(() => onFound(undefined, '', error)),
    )
  }

  #one(id: string): MaybePromise<Found> {
    return this.calls.call('get', () => chain(this.store.get(id), (record) => checked(id, record)))
  }

  #putOff(id: string, secret: string, onFound: OnFound): void {
    const turn = (this.#turn ??= new Turn())
    const at = turn.add(id, secret)
    // Full: those who come now ask the next question.
    if (at === MAX_IDS - 1) this.#turn = undefined
    // One immediate for each request, since each has a context of its own. They run after the poll phase, in which
    // one turn's requests were read from their sockets; the first one sends the question of all.
    setImmediate(this.#takeUp, turn, at, onFound)
  }

  readonly #takeUp = (turn: Turn, at: number, onFound: OnFound): void => {
    if (!turn.isSent) this.#send(turn)
    if (turn.answered === undefined) return turn.tell(at, onFound)
    void turn.answered.then(() => queueMicrotask(() => turn.tell(at, onFound)))
  }

  #send(turn: Turn): void {
    if (this.#turn === turn) this.#turn = undefined
    this.#loneTurns = turn.size === 1 ? this.#loneTurns + 1 : 0
    turn.isSent = true
    const settle = (records: readonly Found[]) => turn.settle(records, this.calls)
    const fail = (error: unknown) => turn.fail(error)
    try {
      const records = this.#ask(turn.ids(this.#isAsync))
      this.#isAsync = isPromise(records)
      if (isPromise(records)) turn.answered = records.then(settle, fail)
      else settle(records)
    } catch (error) {
      fail(error)
    }
  }

  #ask(ids: readonly string[]): MaybePromise<readonly Found[]> {
    const [id] = ids
    // Not checked here: the turn checks what each of its lookups has found.
    if (ids.length === 1)
      return this.calls.call('get', () => chain(this.store.get(id!), (record) => [record]))
    return this.calls.call('getMany', () =>
      chain(this.store.getMany!(ids), (records) => oneEach(ids, records)),
    )
  }
}
