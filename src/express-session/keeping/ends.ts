import { Turns } from '../../lib/async/turns.js'
import { dropOldest } from '../../lib/drop-oldest.js'
import { detached } from '../../lib/text/detached.js'
import type { EndMarks } from '../../stores/adapted/end-marks.js'
import { nextPlace } from '../origin.js'

/** So many ends are remembered. A request that is older than all of them is caught by reading the store again. */
const MAX_ENDS = 10_000

/** What this process knows of the sessions in one store: the order of their changes, and which have ended. */
export class Ends {
  readonly turns = new Turns()
  /** Where other processes are told, if they are. */
  marks: EndMarks | undefined
  /** The store's own `destroy`, for what runs in a turn already. */
  destroyNow: (sid: string) => Promise<unknown> = () => Promise.resolve()
  readonly #ended = new Map<string, number>()

  ended(sid: string): void {
    this.#ended.delete(sid)
    this.#ended.set(detached(sid), nextPlace())
    dropOldest(this.#ended, MAX_ENDS)
  }

  /** Whether the session has ended after it was read. */
  hasEndedSince(sid: string, readAt: number): boolean {
    return (this.#ended.get(sid) ?? 0) > readAt
  }
}
