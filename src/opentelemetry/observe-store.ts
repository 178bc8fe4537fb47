import { SpanKind, SpanStatusCode, trace, type Span, type Tracer } from '@opentelemetry/api'
import type { AroundCall, StoreOperation } from '../core/records/store-calls.js'
import { isPromise, type MaybePromise } from '../lib/async/promises.js'
import { codeOf, resultOf, spanAttributes, type CallOutcome } from './store-metrics.js'

/**
 * Times each call to the store, and makes a span of it where another one is active: a call that belongs to no request,
 * such as a sweep, would be a trace of its own.
 *
 * @param tracer whose spans; `undefined` for none.
 */
export function observeStore(
  store: string,
  measure: (outcome: CallOutcome) => void,
  tracer: Tracer | undefined,
): AroundCall {
  return function around<T>(operation: StoreOperation, run: () => MaybePromise<T>): MaybePromise<T> {
    const before = performance.now()
    const span = tracer && startSpan(tracer, store, operation)
    const done = (value: unknown, error?: unknown): void => {
      measure({ operation, value, error, seconds: (performance.now() - before) / 1_000 })
      if (span !== undefined) endSpan(span, value, error)
    }
    const failed = (error: unknown): never => {
      done(undefined, error)
      throw error
    }
    let result: MaybePromise<T>
    try {
      result = run()
    } catch (error) {
      return failed(error)
    }
    if (isPromise(result)) {
      return result.then((value) => {
        done(value)
        return value
      }, failed)
    }
    done(result)
    return result
  }
}

function startSpan(tracer: Tracer, store: string, operation: StoreOperation): Span | undefined {
  if (trace.getActiveSpan() === undefined) return undefined
  const attributes = spanAttributes(store, operation)
  return tracer.startSpan(`express-sid ${operation}`, { kind: SpanKind.CLIENT, attributes })
}

function endSpan(span: Span, value: unknown, error: unknown): void {
  if (error === undefined) {
    span.setAttribute('express_sid.result', resultOf(value))
  } else {
    // The code alone: what a driver says may hold an address or a password.
    span.setAttribute('error.type', codeOf(error))
    span.setStatus({ code: SpanStatusCode.ERROR, message: codeOf(error) })
  }
  span.end()
}
