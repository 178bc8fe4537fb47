import { isSessionError } from '../../errors.js'
import { dropOldest } from '../../lib/drop-oldest.js'
import { Watched } from '../../lib/async/watched.js'
import type { Events } from './events.js'

/** So many places are remembered. Past it the oldest are forgotten, and may be reported again. */
const MAX_PLACES = 1_000

/**
 * Watches the promises that an application gets. One that rejects and that nobody awaits would end the process, and a
 * stranger can often cause that: by a request whose response begins before a write. So it is reported in its place.
 */
export class Unawaited {
  readonly #reported = new Map<string, true>()

  constructor(private readonly events: Events) {}

  /**
   * The same promise, watched.
   *
   * @param call what was called, as the application writes it.
   * @param method the function that the application called: the place is where that was.
   */
  watch<T>(call: string, method: (...args: never[]) => unknown, work: Promise<T>): Promise<T> {
    const trace = callOf(method)
    return new Watched(work, (error) => this.#report(call, trace, error))
  }

  #report(call: string, trace: Trace, error: unknown): void {
    const place = trace.stack?.split('\n')[1]?.trim().replace(/^at /, '') ?? 'an unknown place'
    const key = `${call} ${place}`
    if (this.#reported.has(key)) return
    this.#reported.set(key, true)
    dropOldest(this.#reported, MAX_PLACES)
    const reason = isSessionError(error) ? `${error.code}: ${error.message}` : String(error)
    process.emitWarning(
      `${call} failed, and nobody awaited it. Await it, at ${place}. Further failures at this place are not shown. ` +
        `It failed with ${reason}`,
      { type: 'ExpressSidWarning', code: 'SID_UNAWAITED' },
    )
    this.events.emit('unawaited', { call, place, error })
  }
}

interface Trace {
  readonly stack?: string
}

/** Where a function was called: one line, whose text is made when it is read, and that is hardly ever. */
function callOf(method: (...args: never[]) => unknown): Trace {
  const { stackTraceLimit } = Error
  // Each line costs. By Reflect, since an application may have frozen Error.
  Reflect.set(Error, 'stackTraceLimit', 1)
  const trace: Trace = {}
  Error.captureStackTrace(trace, method)
  Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
  return trace
}
