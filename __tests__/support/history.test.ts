import { tally, violations, type Operation, type Rule } from './history.js'

const op = (
  kind: Operation['kind'],
  start: number,
  end: number,
  result: Operation['result'],
  value?: number,
): Operation => ({ kind, session: 's', start, end, result, ...(value === undefined ? {} : { value }) })

const login = op('login', 0, 1, 'ok')
const annAt = (start: number, end: number, session = 's'): Operation => ({
  ...op('login', start, end, 'ok'),
  session,
  user: 'ann',
})
const revoked = (start: number, end: number, result: Operation['result'] = 'ok'): Operation => ({
  ...op('revoke', start, end, result),
  session: 'other',
  user: 'ann',
})

test.each<[string, Operation[]]>([
  [
    'a login, reads, a logout, reads',
    [login, op('read', 2, 3, 'in'), op('logout', 4, 5, 'ok'), op('read', 6, 7, 'out')],
  ],
  [
    'a read that began before the logout was acknowledged',
    [login, op('logout', 2, 6, 'ok'), op('read', 3, 7, 'in')],
  ],
  [
    'an unanswered logout that did not happen',
    [login, op('logout', 2, Infinity, 'unanswered'), op('read', 3, 4, 'in')],
  ],
  [
    'an unanswered logout that did',
    [login, op('logout', 2, Infinity, 'unanswered'), op('read', 3, 4, 'out')],
  ],
  ['a read that failed', [login, op('read', 2, 3, 'failed')]],
  ['counts in any order', [login, op('count', 2, 5, 'ok', 2), op('count', 2, 5, 'ok', 1)]],
  ['a count that was refused and happened', [login, op('count', 2, 3, 'failed'), op('count', 4, 5, 'ok', 2)]],
  [
    'a read that sees a count under way, or not yet',
    [login, op('count', 2, 9, 'ok', 1), op('read', 3, 4, 'in', 0), op('read', 5, 6, 'in', 1)],
  ],
  [
    'a count that began before the logout was acknowledged',
    [login, op('logout', 2, 4, 'ok'), op('count', 3, 5, 'ok', 1)],
  ],
  ['a revocation, then a read', [annAt(0, 1), revoked(2, 3), op('read', 4, 5, 'out')]],
  ['a login under way during a revocation, ended', [annAt(2, 4), revoked(1, 3), op('read', 5, 6, 'out')]],
  ['a login under way during a revocation, kept', [annAt(2, 4), revoked(1, 3), op('read', 5, 6, 'in')]],
  ['a login after a revocation', [annAt(4, 5), revoked(1, 3), op('read', 6, 7, 'in')]],
  ['a revocation of somebody else', [login, revoked(2, 3), op('read', 4, 5, 'in')]],
  ['a failed revocation that ended some', [annAt(0, 1), revoked(2, 3, 'failed'), op('read', 4, 5, 'out')]],
])('accepts %s', (_, history) => {
  expect(violations(history)).toEqual([])
})

test.each<[string, Rule, Operation[]]>([
  [
    'a login that comes back after its logout',
    'revived',
    [login, op('logout', 2, 3, 'ok'), op('read', 4, 5, 'in')],
  ],
  ['a write after the logout', 'revived', [login, op('logout', 2, 3, 'ok'), op('count', 4, 5, 'ok', 1)]],
  [
    'a login that comes back after a revocation',
    'revived',
    [annAt(0, 1), revoked(2, 3), op('read', 4, 5, 'in')],
  ],
  [
    'a revocation by the session itself that does not hold',
    'revived',
    [annAt(0, 1), { ...revoked(2, 3), session: 's' }, op('read', 4, 5, 'in')],
  ],
  ['a login that is lost', 'login lost', [login, op('read', 2, 3, 'out')]],
  [
    'a login lost before its logout began',
    'login lost',
    [login, op('read', 2, 3, 'out'), op('logout', 4, 5, 'ok')],
  ],
  [
    'a login lost, as its revocation finds',
    'login lost',
    [annAt(0, 1), { ...revoked(2, 3, 'out'), session: 's' }],
  ],
  [
    'a login that an earlier revocation took',
    'login lost',
    [annAt(4, 5), revoked(1, 3), op('read', 6, 7, 'out')],
  ],
  [
    'an unanswered logout that is undone',
    'flickers',
    [login, op('logout', 2, 9, 'failed'), op('read', 3, 4, 'out'), op('read', 5, 6, 'in')],
  ],
  [
    'two counts with one number',
    'update lost',
    [login, op('count', 2, 3, 'ok', 1), op('count', 2, 3, 'ok', 1)],
  ],
  ['a lost count', 'update lost', [login, op('count', 2, 3, 'ok', 1), op('count', 4, 5, 'ok', 1)]],
  [
    'a count that goes back',
    'update lost',
    [login, op('count', 2, 3, 'failed'), op('count', 4, 5, 'ok', 2), op('count', 6, 7, 'ok', 1)],
  ],
  ['a count too many', 'update lost', [login, op('count', 2, 3, 'ok', 2)]],
  [
    'a read that misses a count',
    'update lost',
    [login, op('count', 2, 3, 'ok', 1), op('read', 4, 5, 'in', 0)],
  ],
  ['a read that sees what nobody counted', 'update lost', [login, op('read', 2, 3, 'in', 1)]],
])('finds %s', (_, rule, history) => {
  const found = violations(history)
  expect(found).toContainEqual(expect.objectContaining({ rule }))
  expect(tally(found)[rule]).toBe(found.filter((one) => one.rule === rule).length)
})
