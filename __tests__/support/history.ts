/**
 * What clients saw of one server or of many, as a list of operations with the times between which each took
 * place, and a checker that says which of them no correct server could have answered so.
 */
export interface Operation {
  /** `revoke`: all sessions of the user are ended, from one of them. */
  readonly kind: 'login' | 'logout' | 'revoke' | 'read' | 'count'
  /** The login that it is about: each login makes a session of its own. */
  readonly session: string
  /** Whose session it is; who has one session only needs no name. */
  readonly user?: string
  readonly start: number
  /** When it was answered; `Infinity` when it never was. */
  readonly end: number
  /**
   * `ok`: acknowledged. `in`, `out`: what a read saw. `failed`: refused with 503, so it may have happened or not.
   * `unanswered`: the connection broke, likewise.
   */
  readonly result: 'ok' | 'in' | 'out' | 'failed' | 'unanswered'
  /** Why it `failed`: the code of the error's cause, else its own. */
  readonly reason?: string
  /** For `count`: the number it answered; for `read`: the number it saw. */
  readonly value?: number
}

/** The rules, by what breaks them. */
export type Rule = 'revived' | 'login lost' | 'flickers' | 'update lost'

export interface Violation {
  readonly rule: Rule
  readonly session: string
  readonly what: string
}

/** Every violation; none for a correct history. */
export function violations(history: readonly Operation[]): Violation[] {
  return [...groupBySession(history)].flatMap(([session, operations]) => {
    const found = {
      revived: checkFinality(operations),
      'login lost': checkKept(operations),
      flickers: checkStays(operations),
      'update lost': checkCounts(operations),
    }
    return Object.entries(found).flatMap(([rule, all]) =>
      all.map((what) => ({ rule: rule as Rule, session, what })),
    )
  })
}

/** How many there are of each, for a report. */
export function tally(found: readonly Violation[]): Partial<Record<Rule, number>> {
  const counts: Partial<Record<Rule, number>> = {}
  for (const { rule } of found) counts[rule] = (counts[rule] ?? 0) + 1
  return counts
}

/** Each session's operations, among them the revocations that meant it or may have met it. */
function groupBySession(history: readonly Operation[]): Map<string, Operation[]> {
  const groups = new Map<string, Operation[]>()
  for (const operation of history) {
    const group = groups.get(operation.session)
    if (group) group.push(operation)
    else groups.set(operation.session, [operation])
  }
  const revokes = history.filter(({ kind }) => kind === 'revoke')
  for (const login of history.filter(({ kind }) => kind === 'login')) {
    for (const revoke of revokes) {
      if (login.user === undefined || login.user !== revoke.user || login.session === revoke.session) continue
      // A login that was under way at that moment may have been ended or not. One that began later was not.
      const isMeant = login.end < revoke.start
      const meeting = isMeant ? revoke : { ...revoke, result: 'failed' as const }
      if (login.start < revoke.end) groups.get(login.session)!.push({ ...meeting, session: login.session })
    }
  }
  return groups
}

/** May have ended the session. A revocation that was answered "who are you?" did nothing. */
function isEnd({ kind, result }: Operation): boolean {
  return (kind === 'logout' || kind === 'revoke') && result !== 'out'
}

/** Logout is final: what begins after an acknowledged logout or revocation is not logged in. */
function checkFinality(operations: readonly Operation[]): string[] {
  const ended = Math.min(...operations.filter((one) => isEnd(one) && one.result === 'ok').map(endOf))
  return operations
    .filter((one) => sawLogin(one) && one.start > ended)
    .map((one) => `logged in at ${one.start}, after the end acknowledged at ${ended}`)
}

/** Login is kept: what begins after an acknowledged login, and ends before any logout begins, is logged in. */
function checkKept(operations: readonly Operation[]): string[] {
  const login = operations.find((one) => one.kind === 'login' && one.result === 'ok')
  if (login === undefined) return []
  const firstEnd = Math.min(...operations.filter(isEnd).map((one) => one.start))
  return operations
    .filter((one) => one.result === 'out' && one.start > login.end && one.end < firstEnd)
    .map((one) => `logged out at ${one.start}, though the login acknowledged at ${login.end} was never ended`)
}

/** Whatever was unanswered may be either, and then stays so: once seen logged out, never logged in again. */
function checkStays(operations: readonly Operation[]): string[] {
  const seenOut = Math.min(...operations.filter((one) => one.result === 'out').map(endOf))
  return operations
    .filter((one) => sawLogin(one) && one.start > seenOut)
    .map((one) => `logged in at ${one.start}, after it was seen logged out at ${seenOut}`)
}

/**
 * No update is lost, and none counts twice: acknowledged counts are all different, and whoever looks sees at
 * least what was acknowledged before, and at most what had begun by then.
 */
function checkCounts(operations: readonly Operation[]): string[] {
  const counts = operations.filter((one) => one.kind === 'count' && one.result !== 'out')
  const values = counts.filter((one) => one.result === 'ok').map((one) => one.value!)
  const found = values.length === new Set(values).size ? [] : ['two counts answered the same number']
  for (const one of operations.filter((other) => other.value !== undefined)) {
    const before = operations.filter((other) => other.value !== undefined && other.end < one.start)
    const acknowledged = before.filter(({ kind }) => kind === 'count').length
    const least =
      Math.max(acknowledged, ...before.map((other) => other.value!)) + (one.kind === 'count' ? 1 : 0)
    const most = counts.filter((other) => other.start < one.end).length
    if (one.value! < least)
      found.push(`${one.kind} answered ${one.value}, not ${least} or more, at ${one.start}`)
    if (one.value! > most)
      found.push(`${one.kind} answered ${one.value} after ${most} counts, at ${one.start}`)
  }
  return found
}

/** A count is acknowledged to whoever is logged in only. */
function sawLogin({ kind, result }: Operation): boolean {
  return result === 'in' || (kind === 'count' && result === 'ok')
}

function endOf({ end }: Operation): number {
  return end
}
