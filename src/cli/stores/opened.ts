import type { ScannableStore } from '../../store.js'

/** What a store's own server says of itself. */
export interface ServerFacts {
  /** Such as `PostgreSQL 17.2`. */
  readonly server: string
  /** The version of the tables; `undefined` where there are none. */
  readonly schema?: number | undefined
  /** What is wrong with the settings of the server. */
  readonly findings: readonly StoreFinding[]
}

/** Something that is wrong, with what to do. */
export interface StoreFinding {
  readonly id: string
  readonly level: 'problem' | 'warning'
  readonly message: string
}

/** A store that a command was given by its address. */
export interface OpenedStore {
  readonly store: ScannableStore
  readonly kind: 'sqlite' | 'redis' | 'postgres' | 'mysql'
  /** The driver that it goes through. */
  readonly driver: string
  facts(): Promise<ServerFacts>
  close(): Promise<unknown> | void
}

export interface OpenOptions {
  /** Whether the tables, or the file, may be made. */
  readonly create?: boolean
}

/** The options that stand in the address, after a question mark. They are not for the driver. */
export interface StoreAddress {
  /** Without our options. */
  readonly url: string
  readonly table: string | undefined
  readonly schema: string | undefined
  readonly prefix: string | undefined
  readonly isCluster: boolean
}

/** A server that only follows another one. */
export const replica: StoreFinding = {
  id: 'replica',
  level: 'problem',
  message:
    'This server is a replica. It may lag, so sessions would be found that have ended, and logins fail. Use the ' +
    'address of the primary.',
}
