/*
 * How many sessions a user may have: the pure part. Seats in, a decision out.
 *
 * A login takes a seat before its session is stored, and confirms it before it is acknowledged. In between the seat is
 * pending, and keeps the places of the sessions that the login replaces or pushes out: they end before it is confirmed.
 * A login that fails gives the places back. So the seats are never more than allowed, and once no seat is pending,
 * no session lives without one.
 *
 *           claim               sessions that it replaces end            confirm
 *   ───────────────► pending ─────────────────────────────────► pending ─────────► taken
 *                       │ failed, or older than PENDING_MS
 *                       └─► taken by the sessions that it would have replaced
 *
 * A taken seat whose session has ended is free. Nobody writes that down: whoever finds all seats taken looks which of
 * the sessions are alive.
 */

/** The place of one session among those that its user may have. */
export type Seat = {
  /** The id of the session. */
  readonly id: string
  /** Pending: since when, in epoch milliseconds. Absent once the seat is taken. */
  readonly since?: number
  /** Pending: the sessions whose places it keeps until it is taken. */
  readonly replaces?: readonly string[]
  /** Pending: the session is the successor of the one that it replaces, and no login. */
  readonly succeeds?: boolean
}

/** What happens to a login that finds all seats taken. */
export type WhenFull = 'endOldest' | 'refuse'

/** A login that asks for a seat. */
export interface Claim {
  /** The id of its session. */
  readonly id: string
  /** The sessions of the same user that it takes the place of: those that the browser holds. */
  readonly replaces: readonly string[]
  /** How many seats there are. */
  readonly max: number
  readonly whenFull: WhenFull
  readonly now: number
  /** Those of the sessions with a seat that are known to have ended; `undefined` before anybody has looked. */
  readonly ended: ReadonlySet<string> | undefined
}

/**
 * `seated`: the login has a seat. `look`: all are taken, so see first which of these sessions have ended.
 * `full`: all are taken by sessions that live.
 */
export type Claimed =
  | {
      readonly outcome: 'seated'
      readonly seats: readonly Seat[]
      /** Sessions of logins that were pushed out before they were acknowledged, or given up: to be removed. */
      readonly dropped: readonly string[]
    }
  | { readonly outcome: 'look'; readonly ids: readonly string[] }
  | { readonly outcome: 'full' }

/**
 * A seat that is pending for so long belongs to a login that has died. Far longer than a login may take, so that no slow
 * one is taken for dead; nothing is wrong if it is: it does not find its seat, and fails.
 */
const PENDING_MS = 60_000

/** More would make the one record that holds them too large to be written at each login. */
export const MAX_SEATS = 1_000

/** Gives a seat to a login, or says why there is none. */
export function claimSeat(seats: readonly Seat[], claim: Claim): Claimed {
  const { id, max, now, ended } = claim
  const others = seats.filter((seat) => seat.id !== id && !claim.replaces.includes(seat.id))
  const replaced = seats.filter((seat) => claim.replaces.includes(seat.id)).map((seat) => seat.id)
  if (others.length < max) return seated(others, claim, replaced, [])
  if (ended === undefined) return { outcome: 'look', ids: others.flatMap((seat) => lookedAt(seat, now)) }

  const dropped = others.filter((seat) => isGivenUp(seat, now)).map((seat) => seat.id)
  const taken = others.flatMap((seat) => stillTaken(seat, ended, now))
  const tooMany = taken.length + 1 - max
  if (tooMany <= 0) return seated(taken, claim, replaced, dropped)
  return claim.whenFull === 'refuse' ? { outcome: 'full' } : pushOut(taken, tooMany, claim, replaced, dropped)
}

/** A session that succeeds to another one of its user. */
export interface Successor {
  readonly id: string
  readonly old: string
  readonly now: number
  /** Whether a login under way that takes the place of the old one has to give it back. */
  readonly takesBack: boolean
}

/**
 * Gives a session the seat of the one that it succeeds to. `full`: a login is under way that takes the place of the old
 * one, so that there is none to be given on.
 */
export function succeedToSeat(seats: readonly Seat[], { id, old, now, takesBack }: Successor): Claimed {
  const replacing = seats.find((seat) => seat.replaces?.includes(old) && seat.succeeds !== true)
  if (replacing !== undefined && !takesBack && !isGivenUp(replacing, now)) return { outcome: 'full' }
  const given = replacing === undefined ? seats : releaseSeat(seats, replacing.id)
  const others = given.filter((seat) => seat.id !== id && seat.id !== old)
  const replaces = given.some((seat) => seat.id === old) ? [old] : []
  const seat: Seat = { id, since: now, succeeds: true, ...(replaces.length > 0 && { replaces }) }
  const dropped = replacing === undefined ? [] : [replacing.id]
  return { outcome: 'seated', seats: [...others, seat], dropped }
}

/**
 * The seats with this one taken, and nothing that it replaces; `undefined` where it is gone: a newer login has pushed it
 * out.
 */
export function confirmSeat(seats: readonly Seat[], id: string): readonly Seat[] | undefined {
  if (!seats.some((seat) => seat.id === id)) return undefined
  return seats.map((seat) => (seat.id === id ? { id } : seat))
}

/** The seats without the one of a login that has failed: the sessions that it would have replaced keep their places. */
export function releaseSeat(seats: readonly Seat[], id: string): readonly Seat[] {
  return seats.flatMap((seat) => (seat.id === id ? keptPlaces(seat) : [seat]))
}

/** Those whose login was longest ago make room: taken seats first, then logins that are under way. */
function pushOut(
  taken: readonly Seat[],
  count: number,
  claim: Claim,
  replaced: readonly string[],
  dropped: readonly string[],
): Claimed {
  const oldest = [...taken.filter(isTaken), ...taken.filter((seat) => !isTaken(seat))].slice(0, count)
  const left = taken.filter((seat) => !oldest.includes(seat))
  const pending = oldest.filter((seat) => !isTaken(seat))
  // Who is pushed out has not been acknowledged yet, so what it keeps has to be kept on.
  const keeps = oldest.flatMap((seat) => (isTaken(seat) ? [seat.id] : (seat.replaces ?? [])))
  return seated(left, claim, [...replaced, ...keeps], [...dropped, ...pending.map((seat) => seat.id)])
}

function seated(
  others: readonly Seat[],
  { id, now }: Claim,
  replaces: readonly string[],
  dropped: readonly string[],
): Claimed {
  const seat: Seat = { id, since: now, ...(replaces.length > 0 && { replaces }) }
  return { outcome: 'seated', seats: [...others, seat], dropped }
}

function isTaken({ since }: Seat): boolean {
  return since === undefined
}

function isGivenUp({ since }: Seat, now: number): boolean {
  return since !== undefined && now - since >= PENDING_MS
}

/** The sessions that must be looked at to know whether a seat is free. A login that is under way has none yet. */
function lookedAt(seat: Seat, now: number): readonly string[] {
  if (isTaken(seat)) return [seat.id]
  return isGivenUp(seat, now) ? (seat.replaces ?? []) : []
}

/** The seats that are left of one, now that it is known which sessions have ended. */
function stillTaken(seat: Seat, ended: ReadonlySet<string>, now: number): readonly Seat[] {
  const seats = isGivenUp(seat, now) ? keptPlaces(seat) : [seat]
  return seats.filter(({ id, since }) => since !== undefined || !ended.has(id))
}

function keptPlaces({ replaces = [] }: Seat): readonly Seat[] {
  return replaces.map((id) => ({ id }))
}

/** Whether a value that came from a store is a list of seats. */
export function areSeats(value: unknown): value is readonly Seat[] {
  return Array.isArray(value) && value.every((seat: Partial<Seat> | null) => typeof seat?.id === 'string')
}
