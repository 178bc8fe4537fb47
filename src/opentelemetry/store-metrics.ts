import type { Attributes, Meter } from '@opentelemetry/api'
import type { StoreOperation } from '../core/records/store-calls.js'
import { isSessionError } from '../errors.js'

/** What became of a call to the store. */
export interface CallOutcome {
  readonly operation: StoreOperation
  /** What the store returned; `undefined` where it failed. */
  readonly value: unknown
  /** What it threw, as a `SessionError`. */
  readonly error: unknown
  readonly seconds: number
}

/** From a lookup in the process to a call that is given up after `storeTimeout`. */
const BUCKETS = [
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5,
]

/**
 * Counts and times calls to a store.
 *
 * @example const measure = storeMetrics(meter, 'redis')
 */
export function storeMetrics(meter: Meter, store: string): (outcome: CallOutcome) => void {
  const duration = meter.createHistogram('express_sid.store.duration', {
    description: 'How long calls to the store take, by method and result.',
    unit: 's',
    advice: { explicitBucketBoundaries: BUCKETS },
  })
  const lookups = meter.createCounter('express_sid.lookups', {
    description: 'Sessions that were looked up, by whether they were found. One call may look up many.',
  })
  const conflicts = meter.createCounter('express_sid.store.conflicts', {
    description: 'Updates that met a newer version of the record, and were tried again.',
  })
  const errors = meter.createCounter('express_sid.store.errors', {
    description: 'Calls to the store that failed, by method and code.',
  })
  const swept = meter.createCounter('express_sid.sweep.removed', {
    description: 'Expired records that the sweep has worked through.',
  })
  return ({ operation, value, error, seconds }) => {
    if (error !== undefined) {
      errors.add(1, { store, operation, code: codeOf(error) })
      duration.record(seconds, { store, operation, result: 'error' })
      return
    }
    duration.record(seconds, { store, operation, result: resultOf(value) })
    for (const [result, count] of lookupsIn(operation, value)) lookups.add(count, { store, result })
    const conflicting = conflictsIn(value)
    if (conflicting > 0) conflicts.add(conflicting, { store, operation })
    if (operation === 'deleteExpired' && Number(value) > 0) swept.add(Number(value), { store })
  }
}

/** The code of an error, for a label: never its message. */
export function codeOf(error: unknown): string {
  return isSessionError(error) ? error.code : 'unknown'
}

/** A word for what an update returned; `ok` for everything else. */
export function resultOf(value: unknown): string {
  return value === 'conflict' || value === 'absent' ? value : 'ok'
}

function lookupsIn(operation: StoreOperation, value: unknown): [result: string, count: number][] {
  if (operation !== 'get' && operation !== 'getMany') return []
  // A lookup that is alone in its turn is asked for by `get`, and is a list as well.
  const found: readonly unknown[] = Array.isArray(value) ? value : [value]
  const present = found.filter((record) => record !== undefined && record !== null).length
  const counts: [string, number][] = [
    ['found', present],
    ['absent', found.length - present],
  ]
  return counts.filter(([, count]) => count > 0)
}

function conflictsIn(value: unknown): number {
  if (value === 'conflict') return 1
  return Array.isArray(value) ? value.filter((one) => one === 'conflict').length : 0
}

/** The attributes of a span about a call: as those of the metrics. */
export function spanAttributes(store: string, operation: StoreOperation): Attributes {
  return { 'express_sid.store': store, 'express_sid.operation': operation }
}
