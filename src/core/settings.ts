import type { SessionStore } from '../store.js'
import type { BindingSettings } from './binding/binding.js'
import type { AddressPolicy } from './client/address.js'
import type { WhenFull } from './limits.js'
import type { Lifetimes } from './lifetime.js'
import type { RotationSettings } from './rotation/rotation.js'

export type { WhenFull } from './limits.js'

/** What to do with a request that looks like another client's. */
export type ClientChangePolicy = 'refuse' | 'report' | 'ignore'

/** What happens when an outdated secret of a session is used. */
export type ReusePolicy = 'end' | 'endAll' | 'report'

/** The options of `createSessions` that are not about HTTP: checked, defaults filled in, durations in milliseconds. */
export interface Settings extends Lifetimes, RotationSettings {
  readonly store: SessionStore
  readonly storeTimeout: number
  /** Milliseconds within which `onEnd` hears what another process has ended. */
  readonly heardWithin: number
  /** How many bytes a session's data may take as JSON. */
  readonly maxDataBytes: number
  readonly onClientChange: { readonly engine: ClientChangePolicy; readonly network: ClientChangePolicy }
  readonly onReuse: ReusePolicy
  /** How many sessions a user may have; absent: any number. */
  readonly maxSessions?: number | ((user: unknown) => unknown) | undefined
  readonly whenFull: WhenFull
  /** Absent where sessions are not bound to devices. */
  readonly deviceBinding?: BindingSettings | undefined
  /** How much of an address a session keeps. Absent: the whole. */
  readonly recordAddress?: AddressPolicy | undefined
  /** Names the place of an address, at a login. */
  readonly describeAddress?: ((ip: string) => unknown) | undefined
  /** Whether a user may act as another one; absent: nobody may. */
  readonly mayActAs?: ((actor: unknown, user: unknown) => unknown) | undefined
  /** How long an acting session lives at most. */
  readonly actingTimeout: number
  /** What changes when older sessions of a user must end. Needs `loadUser`. */
  readonly authVersion?: ((user: unknown) => unknown) | undefined
  /** Until when cookies of another system may start sessions; absent where none may. */
  readonly adoptUntil?: number | undefined
  readonly loadUser: ((id: string | number) => unknown) | undefined
  readonly userId: ((user: unknown) => unknown) | undefined
  readonly serializeUser: ((user: unknown) => unknown) | undefined
}
