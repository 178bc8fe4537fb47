import type { Meter, ObservableCallback } from '@opentelemetry/api'
import type { SessionStore } from '../store.js'

/**
 * How many sessions the store holds, asked for when metrics are collected. Only for stores that can count.
 *
 * @param every how old a count may be, in milliseconds: to count may read the whole store. `false`: never count.
 * @returns a function that ends it.
 */
export function liveSessions(
  meter: Meter,
  name: string,
  store: SessionStore,
  every: number | false,
): () => void {
  if (store.count === undefined || every === false) return () => undefined
  const gauge = meter.createObservableGauge('express_sid.sessions.live', {
    description: 'Sessions that have not expired, as the store counts them.',
  })
  let known: Promise<number | undefined> | undefined
  let countedAt = -Infinity
  const observe: ObservableCallback = async (result) => {
    if (known === undefined || performance.now() - countedAt >= every) {
      countedAt = performance.now()
      // A store that fails leaves a gap here. Its failures show where requests need it.
      known = Promise.resolve()
        .then(() => store.count!(Date.now()))
        .catch(() => undefined)
    }
    const count = await known
    if (count !== undefined) result.observe(count, { store: name })
  }
  gauge.addCallback(observe)
  return () => gauge.removeCallback(observe)
}
