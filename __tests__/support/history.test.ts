import { violations, type Operation } from './history.js'

const op = (
  kind: Operation['kind'],
  start: number,
  end: number,
  result: Operation['result'],
  value?: number,
): Operation => ({ kind, session: 's', start, end, result, ...(value === undefined ? {} : { value }) })

const login = op('login', 0, 1, 'ok')

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
])('accepts %s', (_, history) => {
  expect(violations(history)).toEqual([])
})

test.each<[string, Operation[]]>([
  ['a login that comes back after its logout', [login, op('logout', 2, 3, 'ok'), op('read', 4, 5, 'in')]],
  ['a login that is lost', [login, op('read', 2, 3, 'out')]],
  ['a login lost before its logout began', [login, op('read', 2, 3, 'out'), op('logout', 4, 5, 'ok')]],
  [
    'an unanswered logout that is undone',
    [login, op('logout', 2, 9, 'failed'), op('read', 3, 4, 'out'), op('read', 5, 6, 'in')],
  ],
  ['two counts with one number', [login, op('count', 2, 3, 'ok', 1), op('count', 2, 3, 'ok', 1)]],
  ['a lost count', [login, op('count', 2, 3, 'ok', 1), op('count', 4, 5, 'ok', 1)]],
  ['a count too many', [login, op('count', 2, 3, 'ok', 2)]],
])('finds %s', (_, history) => {
  expect(violations(history)).not.toEqual([])
})
