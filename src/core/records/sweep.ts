import type { MaybePromise } from '../../store.js'

/** How often expired records are looked for. */
const PAUSE_MS = 60_000
/** How long one step should hold the event loop: half of the 2 ms that hardly any may exceed. */
const STEP_MS = 1
/** How long one step should take in a store on the network, which has requests to serve meanwhile. */
const REMOTE_STEP_MS = 50
const MIN_ROWS = 8
const MAX_ROWS = 1_000

/**
 * Removes expired records in small steps, for stores without an expiry of their own. The number of records
 * a step follows from how long the last one took, so that hardly any step holds up requests for more than 2 ms.
 */
export class Sweep {
  #timer: NodeJS.Timeout | undefined
  #limit = MIN_ROWS
  #isStopped = false
  #running: Promise<void> = Promise.resolve()

  constructor(private readonly removeExpired: (limit: number) => MaybePromise<number>) {}

  /** Begins; once is enough. Its timer never holds the process open. */
  start(): void {
    if (this.#timer === undefined) this.#wait(PAUSE_MS)
  }

  /** Ends it; resolves when no step is under way. */
  stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    return this.#running
  }

  #wait(ms: number): void {
    if (this.#isStopped) return
    const step = () => {
      this.#running = this.#step()
    }
    this.#timer = setTimeout(step, ms).unref()
  }

  async #step(): Promise<void> {
    const before = performance.now()
    try {
      const removed = this.removeExpired(this.#limit)
      const held = performance.now() - before
      const isMore = (await removed) >= this.#limit
      const took = performance.now() - before
      const next = nextLimit(this.#limit, held, took)
      // That a step with nothing to do was quick says nothing of a full one.
      this.#limit = isMore ? next : Math.min(next, this.#limit)
      // A step, then four times as long for requests; when nothing is left, a long pause.
      this.#wait(isMore ? Math.max(STEP_MS, 4 * took) : PAUSE_MS)
    } catch {
      // The failure was reported as a `storeError`; what is left is removed in a later step. It may have been too much.
      this.#limit = half(this.#limit)
      this.#wait(PAUSE_MS)
    }
  }
}

/**
 * Twice as many while there is time for it, half as many after a step that took too long.
 *
 * @param held how long the step held the event loop, in milliseconds.
 * @param took how long it took altogether: longer where the store is on the network.
 */
export function nextLimit(limit: number, held: number, took = held): number {
  const load = Math.max(held / STEP_MS, took / REMOTE_STEP_MS)
  if (load > 1) return half(limit)
  return load < 1 / 2 ? Math.min(MAX_ROWS, limit * 2) : limit
}

function half(limit: number): number {
  return Math.max(MIN_ROWS, Math.floor(limit / 2))
}
