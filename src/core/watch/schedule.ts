/*
 * When to ask the store for the sessions that are watched. Pure: a state in, the next one and what to do out.
 *
 * A tick comes three times in `heardWithin`. Where nothing is heard from other processes, everything is asked for at
 * every second tick. So an end is heard in time also where the lookups take as long as a tick.
 *
 * A channel that works makes this rare. Whether it works shows by signs of life, of whichever process: after a tick without
 * one it is sent, and if that does not arrive by the next tick, the channel is lost.
 */

/** Ticks in `heardWithin`. */
export const TICKS = 3
/** So many ticks lie between two rounds while nothing is heard: two thirds of `heardWithin`. */
const BETWEEN_ROUNDS = 2
/** The same while the channel works: a net for what nobody can notice, such as a message that a server has dropped. */
const BETWEEN_RARE_ROUNDS = 10 * TICKS

/** What is known of the channel, and of the rounds through all sessions. */
export interface Hearing {
  /** Whether ends of other processes are heard at once. */
  readonly isUp: boolean
  /** Whether a sign of life came through since the last tick. */
  readonly hasHeard: boolean
  /** Whether a sign of life was sent at the last tick. */
  readonly hasAsked: boolean
  /** Ticks since the last round through all sessions. */
  readonly sinceRound: number
}

/** What is known before the first tick. */
export const unheard: Hearing = { isUp: false, hasHeard: false, hasAsked: false, sinceRound: 0 }

/** A sign of life has come through the channel. */
export function heard(hearing: Hearing): Hearing {
  return { ...hearing, isUp: true, hasHeard: true }
}

/** The channel is known to be lost. */
export function lost(hearing: Hearing): Hearing {
  return { ...hearing, isUp: false }
}

/** What to do at a tick. */
export interface Tick {
  readonly hearing: Hearing
  /** Whether to send a sign of life. */
  readonly asks: boolean
  /** Whether to look for all sessions, and not only for those whose deadline has passed. */
  readonly looksForAll: boolean
}

/** The next state, and what to do now. */
export function tick({ isUp, hasHeard, hasAsked, sinceRound }: Hearing, hasChannel: boolean): Tick {
  const isSilent = hasChannel && !hasHeard
  const isStillUp = isUp && !(isSilent && hasAsked)
  const isLost = isUp && !isStillUp
  const looksForAll = isLost || sinceRound + 1 >= (isStillUp ? BETWEEN_RARE_ROUNDS : BETWEEN_ROUNDS)
  return {
    hearing: {
      isUp: isStillUp,
      hasHeard: false,
      hasAsked: isSilent,
      sinceRound: looksForAll ? 0 : sinceRound + 1,
    },
    asks: isSilent,
    looksForAll,
  }
}
