import type { MeterProvider, TracerProvider } from '@opentelemetry/api'
import type { Duration } from '../lib/options/duration.js'
import { boolean, duration, names, orFalse, text, that } from '../lib/options/option-kinds.js'
import { isObject } from '../lib/json/is-object.js'

/** The options of `telemetry()`. All are optional; all are checked at start. */
export interface TelemetryOptions {
  /** The store in metrics and spans: its kind, such as `'redis'`, or any name. Default `'default'`. */
  readonly store?: string | undefined
  /**
   * Which reasons of `refuse({ reason })` are told apart; all others count as `other`. A reason is text of your own, and
   * may hold anything: so no label is taken from it unasked. Default: none.
   */
  readonly loginReasons?: readonly string[] | undefined
  /**
   * How old the count of live sessions may be when metrics are collected: milliseconds or a text such as `'5m'`. To count,
   * some stores read all they hold. `false`: never count. Default `'1m'`.
   */
  readonly countEvery?: Duration | false | undefined
  /** Whether calls to the store make spans, where a span is active. Default true. */
  readonly spans?: boolean | undefined
  /** Whose meters are used. Default: the global provider at the time of the call. */
  readonly meterProvider?: MeterProvider | undefined
  /** Whose tracers are used. Default: the global provider. */
  readonly tracerProvider?: TracerProvider | undefined
}

const isMeterProvider = (value: unknown): value is MeterProvider =>
  isObject(value) && typeof value.getMeter === 'function'
const isTracerProvider = (value: unknown): value is TracerProvider =>
  isObject(value) && typeof value.getTracer === 'function'

/** How each option is checked. */
export const telemetryOptions = {
  store: { kind: text(), default: 'default', doc: 'the name of the store in metrics and spans' },
  loginReasons: { kind: names("['locked']"), default: [], doc: 'which reasons of refuse() are told apart' },
  countEvery: {
    kind: orFalse(duration()),
    default: '1m',
    doc: 'how old the count of live sessions may be',
  },
  spans: { kind: boolean(), default: true, doc: 'whether calls to the store make spans' },
  meterProvider: {
    kind: that(isMeterProvider, 'a MeterProvider of OpenTelemetry'),
    doc: 'whose meters are used',
  },
  tracerProvider: {
    kind: that(isTracerProvider, 'a TracerProvider of OpenTelemetry'),
    doc: 'whose tracers are used',
  },
} as const
