import { isSessionError, SessionError } from '../../errors.js'
import type { MaybePromise } from '../../store.js'
import { isPromise } from '../../lib/async/promises.js'
import { setImmediate } from '../../lib/async/timers.js'

/** What was asked of the store, as named in errors and events. */
export type StoreOperation =
  | 'insert'
  | 'get'
  | 'getMany'
  | 'update'
  | 'updateMany'
  | 'delete'
  | 'listByUser'
  | 'pageByUser'
  | 'deleteExpired'

/** Runs a call to the store and may look at what comes of it. Returns and throws what the call does. */
export type AroundCall = <T>(operation: StoreOperation, run: () => MaybePromise<T>) => MaybePromise<T>

/**
 * So many calls may be unanswered at once. While a store is away, its client queues what it is sent;
 * past this number nothing more is sent, so that the queue stays bounded however long it takes.
 */
const MAX_UNANSWERED = 10_000

/**
 * A call that was given up, and is still unanswered after this time when the store answers another one, is taken as
 * lost by the client. While the store answers nothing, it is taken as queued, or the queue of an outage
 * would grow by another 10,000 in each such time. Where all are lost, one call in this time is let through to see.
 */
const LOST_AFTER_MS = 60_000

/** Every call to the store goes through here: it gets a deadline, and each failure a code. */
export class StoreCalls {
  #unanswered = 0
  /** Ways to count those that were given up as settled, and when that was; the oldest first. */
  readonly #givenUp = new Map<() => void, number>()
  #triedAt = -Infinity

  constructor(
    /** Milliseconds until a call is given up. */
    readonly timeout: number,
    private readonly onFailure: (operation: StoreOperation, error: SessionError) => void,
  ) {}

  /** The store's answer, at once if the store gives it at once. Throws and rejects with SessionErrors only. */
  call<T>(operation: StoreOperation, ask: () => MaybePromise<T>): MaybePromise<T> {
    if (this.#unanswered >= MAX_UNANSWERED && !this.#mayTry()) throw this.failed(operation, busy())
    let answer: MaybePromise<T>
    try {
      answer = ask()
    } catch (error) {
      throw this.failed(operation, asSessionError(error))
    }
    return isPromise(answer) ? this.#withDeadline(operation, answer) : answer
  }

  /**
   * From now on each call runs inside `around`. The method is replaced, so that nothing is asked where nobody observes.
   *
   * @returns a function that ends it.
   */
  observe(around: AroundCall): () => void {
    const before = this.call.bind(this)
    let isOn = true
    this.call = (operation, ask) =>
      isOn ? around(operation, () => before(operation, ask)) : before(operation, ask)
    return () => {
      isOn = false
    }
  }

  #withDeadline<T>(operation: StoreOperation, answer: Promise<T>): Promise<T> {
    this.#unanswered += 1
    return new Promise((resolve, reject) => {
      let isSettled = false
      let isGivenUp = false
      const giveUp = () => {
        isGivenUp = true
        this.#givenUp.set(settle, performance.now())
        reject(this.failed(operation, tooLate(operation, this.timeout)))
      }
      // An answer may be there that nobody has read, because the event loop was busy. So look once more, after the
      // poll phase has read what has come.
      const lookOnceMore = () => setImmediate(() => isSettled || giveUp())
      const timer = setTimeout(lookOnceMore, this.timeout)
      const settle = () => {
        if (isSettled) return
        isSettled = true
        clearTimeout(timer)
        this.#givenUp.delete(settle)
        this.#unanswered -= 1
      }
      // A store may bring a promise of its own kind, whose `then` may keep no promise at all.
      Promise.resolve(answer).then(
        (value) => {
          settle()
          if (this.#givenUp.size > 0) this.#forgiveLost()
          resolve(value)
        },
        (error: unknown) => {
          settle()
          if (!isGivenUp) reject(this.failed(operation, asSessionError(error)))
        },
      )
    })
  }

  #forgiveLost(): void {
    const now = performance.now()
    for (const [settle, since] of this.#givenUp) {
      if (now - since < LOST_AFTER_MS) return
      settle()
    }
  }

  /** Whether the oldest call was given up, and the last one let through, so long ago that they may be lost. */
  #mayTry(): boolean {
    const [oldest = Infinity] = this.#givenUp.values()
    const now = performance.now()
    const isDue = now - Math.max(oldest, this.#triedAt) >= LOST_AFTER_MS
    if (isDue) this.#triedAt = now
    return isDue
  }

  /** Reports a failure, and answers it. */
  failed(operation: StoreOperation, error: SessionError): SessionError {
    this.onFailure(operation, error)
    return error
  }
}

/** Stores say some things themselves, such as STORE_FULL; everything else that they throw is a failure. */
function asSessionError(error: unknown): SessionError {
  if (isSessionError(error)) return error
  const message = 'The session store failed. Requests that need it are refused until it works again.'
  return new SessionError('STORE_FAILED', message, { cause: error })
}

function tooLate(operation: StoreOperation, timeout: number): SessionError {
  return new SessionError(
    'STORE_TIMEOUT',
    `The session store did not answer ${operation} within ${timeout} ms. ` +
      `Look at the store, or give it longer with the option storeTimeout.`,
  )
}

function busy(): SessionError {
  return new SessionError(
    'STORE_BUSY',
    `${MAX_UNANSWERED} calls to the session store are unanswered, so no more are sent. ` +
      `The store is away or too slow; requests go on by themselves once it answers.`,
  )
}
