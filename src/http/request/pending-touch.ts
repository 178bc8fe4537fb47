import type { ServerResponse } from 'node:http'
import onHeaders from 'on-headers'

/**
 * A touch that is due. It waits until the headers of the response leave, or its client has hung up: until then the route
 * can cancel it, wherever it is mounted. Only a request with a due touch has one.
 */
export class PendingTouch {
  #touch: (() => unknown) | undefined

  constructor(res: ServerResponse, touch: () => unknown) {
    this.#touch = touch
    onHeaders(res, () => void this.run())
    res.once('close', () => void this.run())
  }

  /** Touches now, unless that was done or cancelled. */
  run(): unknown {
    const touch = this.#touch
    this.#touch = undefined
    return touch?.()
  }

  cancel(): void {
    this.#touch = undefined
  }
}
