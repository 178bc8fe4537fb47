/**
 * What clients saw of one server or of many, as a list of operations with the times between which each took
 * place, and a checker that says which of them no correct server could have answered so.
 */
export interface Operation {
  readonly kind: 'login' | 'logout' | 'read' | 'count'
  /** The login that it is about: each login makes a session of its own. */
  readonly session: string
  readonly start: number
  /** When it was answered; `Infinity` when it never was. */
  readonly end: number
  /**
   * `ok`: acknowledged. `in`, `out`: what a read saw. `failed`: refused with 503, so it may have happened or not.
   * `unanswered`: the connection broke, likewise.
   */
  readonly result: 'ok' | 'in' | 'out' | 'failed' | 'unanswered'
  /** For `count`: the number it answered. */
  readonly value?: number
}

/** Every violation in words; none for a correct history. */
export function violations(history: readonly Operation[]): string[] {
  return [...groupBySession(history)].flatMap(([session, operations]) =>
    [
      ...checkFinality(operations),
      ...checkKept(operations),
      ...checkStays(operations),
      ...checkCounts(operations),
    ].map((what) => `${session}: ${what}`),
  )
}

function groupBySession(history: readonly Operation[]): Map<string, Operation[]> {
  const groups = new Map<string, Operation[]>()
  for (const operation of history) {
    const group = groups.get(operation.session)
    if (group) group.push(operation)
    else groups.set(operation.session, [operation])
  }
  return groups
}

/** Logout is final: what begins after an acknowledged logout is not logged in. */
function checkFinality(operations: readonly Operation[]): string[] {
  const ended = Math.min(
    ...operations.filter((one) => one.kind === 'logout' && one.result === 'ok').map((one) => one.end),
  )
  return operations
    .filter((one) => one.result === 'in' && one.start > ended)
    .map((one) => `logged in at ${one.start}, after the logout acknowledged at ${ended}`)
}

/** Login is kept: what begins after an acknowledged login, and ends before any logout begins, is logged in. */
function checkKept(operations: readonly Operation[]): string[] {
  const login = operations.find((one) => one.kind === 'login' && one.result === 'ok')
  if (login === undefined) return []
  const firstLogout = Math.min(...operations.filter((one) => one.kind === 'logout').map((one) => one.start))
  return operations
    .filter((one) => one.result === 'out' && one.start > login.end && one.end < firstLogout)
    .map((one) => `logged out at ${one.start}, though the login acknowledged at ${login.end} was never ended`)
}

/** Whatever was unanswered may be either, and then stays so: once seen logged out, never logged in again. */
function checkStays(operations: readonly Operation[]): string[] {
  const seenOut = Math.min(...operations.filter((one) => one.result === 'out').map((one) => one.end))
  return operations
    .filter((one) => one.result === 'in' && one.start > seenOut)
    .map((one) => `logged in at ${one.start}, after it was seen logged out at ${seenOut}`)
}

/** No update is lost, and none counts twice: acknowledged counts are all different, and as many as the last says. */
function checkCounts(operations: readonly Operation[]): string[] {
  const counts = operations.filter((one) => one.kind === 'count')
  const values = counts.filter((one) => one.result === 'ok').map((one) => one.value!)
  const found = values.length === new Set(values).size ? [] : ['two counts answered the same number']
  const highest = Math.max(0, ...values)
  const most = counts.length
  if (highest > most) found.push(`counted to ${highest} with ${most} counts`)
  for (const one of counts) {
    const before = counts.filter((other) => other.result === 'ok' && other.end < one.start)
    const least = before.length
    if (one.result === 'ok' && one.value! <= least)
      found.push(`answered ${one.value} after ${least} counts before it`)
  }
  return found
}
