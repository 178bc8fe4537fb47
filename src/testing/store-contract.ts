import type { MaybePromise, SessionStore } from '../store.js'
import type { ContractPromise, StoreCase } from './cases/case.js'
import { deletingCases } from './cases/deleting.js'
import { expiringCases } from './cases/expiring.js'
import { keepingCases } from './cases/keeping.js'
import { listingCases } from './cases/listing.js'
import { updatingCases } from './cases/updating.js'

export type { ContractPromise } from './cases/case.js'
export { makeRecord } from './records.js'

/** One rule of the contract: a sentence, and a function that rejects where the store breaks it. */
export interface ContractCase {
  readonly name: string
  readonly run: () => Promise<void>
}

export interface ContractOptions {
  /** Promises that this store can't keep; the cases that need them are left out. Default: none. */
  readonly without?: readonly ContractPromise[]
}

const all: readonly StoreCase[] = [
  ...keepingCases,
  ...updatingCases,
  ...deletingCases,
  ...listingCases,
  ...expiringCases,
]

/**
 * The contract of `SessionStore` as cases for any test runner:
 *
 * ```ts
 * for (const { name, run } of storeContract(() => myStore(client))) test(name, run)
 * ```
 *
 * `open` may answer a new store each time or always the same one: each case uses ids and users of its own.
 * Run the cases one after another, on a store for tests: some remove whatever expires within the next two minutes.
 * The cases of `getMany` and `deleteExpired` pass where the store does not offer them.
 */
export function storeContract(
  open: () => MaybePromise<SessionStore>,
  options: ContractOptions = {},
): ContractCase[] {
  const without = options.without ?? []
  return all
    .filter(({ needs = [] }) => !needs.some((promise) => without.includes(promise)))
    .map(({ name, run }) => ({ name, run: async () => run(await open()) }))
}
