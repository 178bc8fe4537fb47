import { metrics, trace } from '@opentelemetry/api'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Sessions } from '../core/sessions.js'
import { REFUSED, type RefusedMessage } from '../http/refusal/refused-channel.js'
import { wiringOf } from '../http/wiring.js'
import { invalid } from '../lib/options/invalid.js'
import { ofFunction, readOptions } from '../lib/options/options.js'
import { eventMetrics } from './event-metrics.js'
import { liveSessions } from './live-sessions.js'
import { observeStore } from './observe-store.js'
import { telemetryOptions, type TelemetryOptions } from './options.js'
import { requestMetrics, type RequestsMiddleware } from './requests.js'
import { storeMetrics } from './store-metrics.js'

export type { TelemetryOptions } from './options.js'
export type { RequestsMiddleware } from './requests.js'

/** What `telemetry()` returns. */
export interface Telemetry {
  /**
   * Counts requests by why they have no user (`express_sid.requests`). Mount it above `sessionMiddleware()`.
   *
   * @example app.use(measured.requests(), sessionMiddleware(sessions))
   */
  requests(): RequestsMiddleware
  /** Measures nothing more. */
  stop(): void
}

const SCOPE = 'express-sid'

/**
 * Metrics and spans of a manager, by OpenTelemetry: logins, ended sessions, refusals, rotations, copied cookies, calls
 * to the store and how long they take. The page on operating an app has each metric, and a dashboard.
 *
 * No attribute holds an id, an address, a token or a text that comes from outside. Without this call nothing is
 * measured, and nothing of it runs.
 *
 * Needs `@opentelemetry/api`, which an app that has an SDK of OpenTelemetry has as well. Call it once the SDK is set up.
 *
 * @throws SessionError OPTION_INVALID for what is no manager, and for an option that can't be used.
 * @example
 * const sessions = createSessions({ store: redisStore(client) })
 * const measured = telemetry(sessions, { store: 'redis', loginReasons: ['locked'] })
 */
export function telemetry(sessions: Sessions, options: TelemetryOptions = {}): Telemetry {
  const wiring = wiringOf(sessions)
  if (wiring === undefined) throw invalid('telemetry() takes the manager that createSessions() has made.')
  const settings = readOptions(options, ofFunction('telemetry()'), telemetryOptions)
  const { store, loginReasons, spans } = settings
  const meter = (settings.meterProvider ?? metrics).getMeter(SCOPE)
  const tracer = spans ? (settings.tracerProvider ?? trace).getTracer(SCOPE) : undefined

  const count = eventMetrics(meter, loginReasons)
  sessions.on('event', count)
  const unobserve = wiring.engine.records.observe(observeStore(store, storeMetrics(meter, store), tracer))
  const refusals = meter.createCounter('express_sid.refusals', {
    description: 'Requests that were refused or have failed, by the code of the error.',
  })
  const onRefused = (message: unknown): void => {
    const { sessions: of, code } = message as RefusedMessage
    if (of === sessions) refusals.add(1, { code })
  }
  subscribe(REFUSED, onRefused)
  const forget = liveSessions(meter, store, wiring.settings.store, settings.countEvery)

  return {
    requests: () => requestMetrics(meter),
    stop() {
      sessions.off('event', count)
      unobserve()
      unsubscribe(REFUSED, onRefused)
      forget()
    },
  }
}
