import type { SessionStore } from '../../store.js'

/**
 * Promises of the contract that some stores can't keep, for `ContractOptions.without`:
 *
 * - `concurrency`: writes of one record at the same moment exclude each other. A store over an interface
 *   that can neither compare-and-set nor lock can't promise that.
 * - `anyId`: an id that was never given out, of any length and any characters, is *not found*. A store that makes
 *   file names of ids may have to throw.
 */
export type ContractPromise = 'concurrency' | 'anyId'

/** The methods that a store may leave out. */
export type Capability =
  'listByUser' | 'pageByUser' | 'getMany' | 'updateMany' | 'deleteExpired' | 'scan' | 'count' | 'hearEnds'

/** A store as a case sees it: the optional methods that the case does not name in `uses` may still be missing. */
export type TestedStore = SessionStore & Required<Pick<SessionStore, Capability>>

/** One rule of the contract, tried on an open store. */
export interface StoreCase {
  readonly name: string
  /** The promises without which the rule can't hold. */
  readonly needs?: readonly ContractPromise[]
  /** The optional methods that the case calls. It runs only on a store that has them. */
  readonly uses?: readonly Capability[]
  readonly run: (store: TestedStore) => Promise<void>
}
