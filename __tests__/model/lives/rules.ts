import { DAY, HOUR, MINUTE } from '../../support/core.js'

/*
 * What is to hold of the sessions of a few users, as simply as it can be said: a list of sessions, and what each step
 * does to it. No ledger, no records, no compare-and-set.
 */

export const times = {
  idleTimeout: 20 * MINUTE,
  absoluteTimeout: 2 * HOUR,
  touchInterval: MINUTE,
  rotateEvery: 10 * MINUTE,
  rotationGrace: 2 * MINUTE,
  actingTimeout: 15 * MINUTE,
  guestIdleTimeout: DAY,
} as const

export const MAX = 2

export interface Life {
  readonly name: number
  readonly user: string
  /** The session from which somebody acts here. */
  readonly from: Life | undefined
  /** The session in which the user of this one acts. */
  acting: Life | undefined
  lastSeen: number
  expires: number
  readonly absolute: number
  writes: number
  title: string
  isOver: boolean
}

export class Rules {
  readonly lives: Life[] = []
  now: number

  constructor(
    now: number,
    private readonly whenFull: 'endOldest' | 'refuse',
  ) {
    this.now = now
  }

  alive(life: Life): boolean {
    return !life.isOver
  }

  of(user: string): Life[] {
    return this.lives.filter((life) => life.user === user && this.alive(life))
  }

  /** Those that count, the oldest login first. */
  seats(user: string): Life[] {
    return this.of(user).filter(({ from }) => from === undefined)
  }

  pass(ms: number): void {
    this.now += ms
    for (const life of this.lives) if (this.now >= life.expires || this.now >= life.absolute) this.end(life)
  }

  /** Whoever ends ends what acts from it. */
  end(life: Life | undefined): void {
    if (life === undefined || life.isOver) return
    life.isOver = true
    this.end(life.acting)
  }

  /** What a browser holds: with an acting session the actor's own as well. */
  endHeld(life: Life | undefined): void {
    if (life === undefined || life.isOver) return
    this.end(life)
    if (life.from?.acting === life) this.end(life.from)
  }

  login(user: string, held: Life | undefined): Life | 'SESSIONS_FULL' {
    // What ends for this login is in nobody's way: what its browser holds, and the session that it acts from.
    const others = this.seats(user).filter((life) => life !== held && life !== held?.from)
    if (others.length >= MAX && this.whenFull === 'refuse') return 'SESSIONS_FULL'
    this.endHeld(held)
    for (const oldest of others.slice(0, Math.max(0, others.length - MAX + 1))) this.end(oldest)
    return this.#begin(user, undefined, this.now + times.absoluteTimeout)
  }

  use(life: Life): void {
    if (this.now - life.lastSeen >= times.touchInterval) this.#see(life, this.now)
    const { from } = life
    if (from !== undefined && life.lastSeen - from.lastSeen >= times.touchInterval)
      this.#see(from, life.lastSeen)
  }

  write(life: Life): void {
    life.writes += 1
    this.#see(life, this.now)
  }

  actAs(from: Life, user: string): Life | 'ACTING' | 'ACT_AS_REFUSED' {
    if (from.from !== undefined) return 'ACTING'
    if (from.user === user) return 'ACT_AS_REFUSED'
    this.end(from.acting)
    const until = Math.min(this.now + times.actingTimeout, from.absolute)
    from.acting = this.#begin(user, from, until)
    return from.acting
  }

  stopActing(life: Life): Life | 'NOT_ACTING' {
    return life.from === undefined ? 'NOT_ACTING' : this.#succeed(life.from)
  }

  credentialsChanged(life: Life): Life | 'ACTING' {
    if (life.from !== undefined) return 'ACTING'
    for (const other of this.of(life.user)) if (other !== life) this.end(other)
    return this.#succeed(life)
  }

  rename(user: string, title: string): void {
    for (const life of this.of(user)) life.title = title
  }

  /** The same user, data and deadline, in a new session; nobody acts from it any more. */
  #succeed(old: Life): Life {
    this.end(old)
    const next = this.#begin(old.user, undefined, old.absolute)
    next.lastSeen = Math.max(this.now, old.lastSeen)
    next.expires = Math.min(next.lastSeen + times.idleTimeout, next.absolute)
    next.writes = old.writes
    next.title = old.title
    return next
  }

  #see(life: Life, at: number): void {
    life.lastSeen = Math.max(at, life.lastSeen)
    life.expires = Math.min(life.lastSeen + times.idleTimeout, life.absolute)
  }

  #begin(user: string, from: Life | undefined, absolute: number): Life {
    const life: Life = {
      name: this.lives.length,
      user,
      from,
      acting: undefined,
      lastSeen: this.now,
      expires: Math.min(this.now + times.idleTimeout, absolute),
      absolute,
      writes: 0,
      title: user,
      isOver: false,
    }
    this.lives.push(life)
    return life
  }
}
