import { someOf } from '../lib/options/option-kinds.js'
import { ofFunction, readOptions } from '../lib/options/options.js'
import type { MaybePromise, SessionStore } from '../store.js'
import type { ContractPromise, StoreCase, TestedStore } from './cases/case.js'
import { deletingCases } from './cases/deleting.js'
import { expiringCases } from './cases/expiring.js'
import { hearingCases } from './cases/hearing.js'
import { keepingCases } from './cases/keeping.js'
import { listingCases } from './cases/listing.js'
import { pagingCases } from './cases/paging.js'
import { scanningCases } from './cases/scanning.js'
import { updatingManyCases } from './cases/updating-many.js'
import { updatingCases } from './cases/updating.js'

export type { ContractPromise } from './cases/case.js'
export { makeRecord } from './records.js'

/** One rule of the contract: a sentence, and a function that rejects where the store breaks it. */
export interface ContractCase {
  readonly name: string
  readonly run: () => Promise<void>
}

/** The options of `storeContract()`. */
export interface ContractOptions {
  /** Promises that this store can't keep; the cases that need them are left out. Default: none. */
  readonly without?: readonly ContractPromise[]
}

const contractOptions = {
  without: {
    kind: someOf<ContractPromise>('concurrency', 'anyId'),
    default: [],
    doc: 'promises that this store can not keep',
  },
} as const

const all: readonly StoreCase[] = [
  ...keepingCases,
  ...updatingCases,
  ...updatingManyCases,
  ...deletingCases,
  ...listingCases,
  ...pagingCases,
  ...scanningCases,
  ...expiringCases,
  ...hearingCases,
]

/**
 * The contract of `SessionStore` as cases for any test runner.
 *
 * `open` may return a new store each time or always the same one: each case uses ids and users of its own.
 * Run the cases one after another, on a store for tests: some remove whatever expires within the next two minutes.
 * A case of an optional method says so in its name, and passes on a store without that method.
 *
 * @throws SessionError OPTION_INVALID for a misspelt option or promise.
 * @example
 * for (const { name, run } of storeContract(() => myStore(client))) test(name, run)
 */
export function storeContract(
  open: () => MaybePromise<SessionStore>,
  options: ContractOptions = {},
): ContractCase[] {
  const { without } = readOptions(options, ofFunction('storeContract()'), contractOptions)
  return all
    .filter(({ needs = [] }) => !needs.some((promise) => without.includes(promise)))
    .map((one) => ({ name: nameOf(one), run: async () => runOn(await open(), one) }))
}

function nameOf({ name, uses = [] }: StoreCase): string {
  return uses.length === 0 ? name : `${name} (if the store has ${uses.join(' and ')})`
}

async function runOn(store: SessionStore, { uses = [], run }: StoreCase): Promise<void> {
  if (uses.every((method) => store[method] !== undefined)) await run(store as TestedStore)
}
